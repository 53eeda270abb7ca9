package api

import (
	"reflect"
	"strings"
)

// Property is a field of what goes in or out, for people.
type Property struct {
	Name string
	Type string
}

// Properties are the fields of a struct; of anything else there are none.
func Properties(t reflect.Type) []Property {
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	var all []Property
	for f := range t.Fields() {
		if f.Anonymous {
			embedded := f.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			all = append(all, Properties(embedded)...)
			continue
		}
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			all = append(all, Property{name, typeWords(f.Type)})
		}
	}
	return all
}

// typeWords says what a type is in JSON.
func typeWords(t reflect.Type) string {
	s := schemas{named: make(map[string]*Schema)}.of(t)
	switch name := strings.TrimPrefix(s.Ref, "#/components/schemas/"); {
	case name != "":
		return name
	case len(s.AnyOf) > 0:
		return strings.TrimPrefix(s.AnyOf[0].Ref, "#/components/schemas/") + " or null"
	case len(s.Type) == 0:
		return "anything"
	case s.Type[0] == "array" && t.Kind() == reflect.Slice:
		return "list of " + typeWords(t.Elem())
	case s.Type[0] == "array" && t.Kind() == reflect.Pointer:
		return typeWords(t.Elem()) + " or null"
	case s.Format != "":
		return "time or null"
	}
	return strings.Join(s.Type, " or ")
}
