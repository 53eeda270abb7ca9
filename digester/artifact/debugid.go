package artifact

import "strings"

// debugIDDigits is how many hex digits a debug id has.
const debugIDDigits = 32

// CleanDebugID returns a debug id as 32 lower-case hex digits, empty if it is none. What
// native platforms put behind it, the age, is left out.
func CleanDebugID(raw string) string {
	digits := strings.ToLower(strings.ReplaceAll(strings.Trim(strings.TrimSpace(raw), "{}"), "-", ""))
	if len(digits) < debugIDDigits || len(digits) > debugIDDigits+8 {
		return ""
	}
	for _, c := range []byte(digits) {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return ""
		}
	}
	return digits[:debugIDDigits]
}

// FormatDebugID returns a clean debug id with dashes, as people and tools write it.
func FormatDebugID(id string) string {
	if len(id) != debugIDDigits {
		return id
	}
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}
