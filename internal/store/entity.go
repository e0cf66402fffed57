package store

import (
	"bytes"
	"encoding/json"

	"github.com/inferdx/inferdx/internal/model"
)

// EntityKey names an entity in queries: its scope and its labels, such as target{"instance":"a"}.
func EntityKey(scope model.Scope, labels map[string]string) string {
	var b bytes.Buffer
	b.WriteString(string(scope))
	e := json.NewEncoder(&b) // sorts the names
	e.SetEscapeHTML(false)
	if labels == nil {
		labels = map[string]string{}
	}
	_ = e.Encode(labels) // strings always encode
	return string(bytes.TrimRight(b.Bytes(), "\n"))
}
