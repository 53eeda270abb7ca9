package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// strict reads JSON into a struct for which a field that it does not know is an error:
// where a filter or a limit is passed over, something else happens than was asked for.
// The fields of Answer are passed over, so that what was read can be sent back.
func strict[In, Answer any](text []byte, in *In) error {
	if err := json.Unmarshal(text, in); err != nil {
		return err
	}
	var sent map[string]json.RawMessage
	if err := json.Unmarshal(text, &sent); err != nil {
		return err
	}
	known := fieldNames(reflect.TypeFor[In]())
	answered := fieldNames(reflect.TypeFor[Answer]())
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		if !slices.Contains(known, name) && !slices.Contains(answered, name) {
			return bad(fmt.Sprintf("%.80q is not something that can be set here; there are %s", name, strings.Join(known, ", ")))
		}
	}
	return nil
}

func fieldNames(t reflect.Type) []string {
	var names []string
	for _, p := range Properties(t) {
		names = append(names, p.Name)
	}
	return names
}
