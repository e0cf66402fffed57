package api

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"

	"github.com/invopop/jsonschema"
)

// Document is the OpenAPI 3.1 document of the routes.
func Document() []byte {
	paths := map[string]map[string]any{}
	for _, r := range routes() {
		path := "/api/v1" + r.path
		if paths[path] == nil {
			paths[path] = map[string]any{}
		}
		paths[path][strings.ToLower(r.method)] = r.document()
	}
	text, err := json.MarshalIndent(map[string]any{
		"openapi": "3.1.0",
		"info":    map[string]any{"title": "inferdx", "version": "1", "description": "What is seen of the inference servers that this inferdx watches."},
		"paths":   paths,
	}, "", " ")
	if err != nil {
		return []byte("{}") // the types are ours: a test holds that they can be written
	}
	return text
}

var inPath = regexp.MustCompile(`\{(\w+)\}`)

func (r route) document() map[string]any {
	params := []any{}
	for _, m := range inPath.FindAllStringSubmatch(r.path, -1) {
		params = append(params, map[string]any{"name": m[1], "in": "path", "required": true, "schema": map[string]any{"type": "string"}})
	}
	for _, p := range r.params {
		params = append(params, map[string]any{"name": p.name, "in": "query", "description": p.says, "schema": map[string]any{"type": p.kind}})
	}
	out := map[string]any{
		"summary": r.says, "parameters": params,
		"responses": map[string]any{
			"200":     content("an answer", envelope(schema(r.data))),
			"default": content("a fault", faultSchema()),
		},
	}
	if r.body != nil {
		out["requestBody"] = content("", schema(r.body))
	}
	return out
}

func content(says string, of any) map[string]any {
	out := map[string]any{"content": map[string]any{"application/json": map[string]any{"schema": of}}}
	if says != "" {
		out["description"] = says
	}
	return out
}

func envelope(data any) any {
	return map[string]any{
		"type": "object", "required": []string{"status", "data"},
		"properties": map[string]any{"status": map[string]any{"const": "success"}, "data": data},
	}
}

func faultSchema() any {
	return map[string]any{
		"type": "object", "required": []string{"status", "errorType", "error"},
		"properties": map[string]any{"status": map[string]any{"const": "error"}, "errorType": map[string]any{"type": "string"}, "error": map[string]any{"type": "string"}},
	}
}

// schema is that of a type, without references, and open to fields that come later.
func schema(of any) any {
	r := jsonschema.Reflector{Anonymous: true, DoNotReference: true, AllowAdditionalProperties: true}
	s := r.ReflectFromType(reflect.TypeOf(of))
	s.Version = ""
	text, err := json.Marshal(s)
	var out map[string]any
	if err != nil || json.Unmarshal(text, &out) != nil {
		return map[string]any{} // a test validates answers against it
	}
	nullable(reflect.TypeOf(of), out)
	return out
}

// nullable lets what is a pointer be null, as it is written where it points nowhere.
func nullable(t reflect.Type, s map[string]any) {
	switch t.Kind() {
	case reflect.Pointer:
		nullable(t.Elem(), s)
	case reflect.Slice:
		if items, ok := s["items"].(map[string]any); ok {
			nullable(t.Elem(), items)
		}
	case reflect.Struct:
		props, _ := s["properties"].(map[string]any)
		for f := range t.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Anonymous && name == "" {
				nullable(f.Type, s)
				continue
			}
			p, ok := props[name].(map[string]any)
			if !ok {
				continue
			}
			nullable(f.Type, p)
			if f.Type.Kind() == reflect.Pointer {
				props[name] = map[string]any{"anyOf": []any{p, map[string]any{"type": "null"}}}
			}
		}
	}
}
