package contentdir_test

import (
	"errors"
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/contentdir"
	"github.com/inferdx/inferdx/internal/yamlpos"
)

func TestEveryFileIsReadOnceByItsID(t *testing.T) {
	fsys := fstest.MapFS{
		"a/one.yaml": {}, "a/one.test.yaml": {}, "b/one.yaml": {}, "two.yaml": {}, "README.md": {}, "c/three.yml": {},
	}
	var read []string
	faults := contentdir.Each(fsys, func(name string, _ []byte) yamlpos.Problems {
		read = append(read, name+" "+contentdir.ID(name))
		return yamlpos.Problems{{File: name, Msg: "bad"}}
	})
	if diff := cmp.Diff([]string{"a/one.yaml one", "two.yaml two"}, read); diff != "" {
		t.Error(diff)
	}
	want := "a/one.yaml: bad\nb/one.yaml:1:1: one is also defined in a/one.yaml\ntwo.yaml: bad"
	if got := faults.Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAFolderThatCannotBeReadIsAFault(t *testing.T) {
	faults := contentdir.Each(locked{}, func(string, []byte) yamlpos.Problems { return nil })
	if !slices.ContainsFunc(faults, func(p *yamlpos.Problem) bool { return p.Msg == fs.ErrPermission.Error() }) {
		t.Errorf("got %v, want one fault", faults)
	}
}

type locked struct{}

func (locked) Open(string) (fs.File, error) { return nil, errors.Join(fs.ErrPermission) }
