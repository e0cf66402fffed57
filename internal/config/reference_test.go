package config_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/inferdx/inferdx/internal/config"
)

func TestTheReferenceSaysSomethingAboutEveryField(t *testing.T) {
	page, err := config.Reference()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "| `") && strings.HasSuffix(line, "|  |\n") {
			t.Errorf("no comment: %s", line)
		}
	}
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || seen[typ] || typ == reflect.TypeFor[config.Unused]() {
			return
		}
		seen[typ] = true
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if name != "" && f.Type != reflect.TypeFor[config.Inline]() && !strings.Contains(page, "| `"+name+"` |") {
				t.Errorf("%s of %s is not on the page", name, typ)
			}
			walk(f.Type)
		}
	}
	walk(reflect.TypeFor[config.Config]())
	if len(seen) < 25 {
		t.Errorf("only %d types were looked at", len(seen))
	}
}
