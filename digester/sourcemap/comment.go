package sourcemap

// Comment is what the comments at the end of a script say of its map.
type Comment struct {
	URL     string // of "//# sourceMappingURL=": may be relative, or hold the map itself (Inline); "" if absent
	DebugID string // of "//# debugId=", as 32 lower-case hex digits; "" if absent
}

// FromComment finds the comments of a script. The last of each kind counts, and
// only what no code follows.
func FromComment(script []byte) Comment { return Comment{} }

// Inline returns the bytes of the map that an address holds
// ("data:application/json;base64,…"). ErrNotInline: it is another address.
func Inline(url string) ([]byte, error) { return nil, ErrNotInline }

// DebugID returns a debug id as it is compared: 32 lower-case hex digits. It
// takes any case, with dashes or without; "" is what is none.
func DebugID(text string) string { return "" }
