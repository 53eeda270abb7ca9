package event

import "errors"

// Head is what the edge has to know of a payload. A field that is missing or of
// the wrong type is zero.
type Head struct {
	ID   ID
	Type string // the payload's own idea of its type, e.g. "transaction"
}

// Scan checks that payload is one JSON object that nests at most maxDepth deep
// (the object itself counts as one; 0 means no bound) and reads its head. Depth aside it accepts
// what Parse accepts: ErrSyntax and ErrDepth are its only errors. It keeps no
// reference to payload.
func Scan(payload []byte, maxDepth int) (Head, error) {
	return repaired(payload, func(p []byte) (Head, error) {
		r := newReader(p)
		r.maxDepth = maxDepth
		var head Head
		r.document(func(name []byte) {
			switch string(name) {
			case "event_id":
				head.ID, _ = ParseID(r.stringOnly(maxID))
			case "type":
				head.Type = r.stringOnly(maxName)
			default:
				r.skip()
			}
		})
		return head, r.err
	})
}

// repaired runs read over payload and, when that is not JSON, once more over
// what repair makes of it. The error is then still the first one, whose place is
// one in the payload as sent.
func repaired[T any](payload []byte, read func([]byte) (T, error)) (T, error) {
	payload = trimBOM(payload)
	value, err := read(payload)
	if !errors.Is(err, ErrSyntax) {
		return value, err
	}
	if mended, ok := repair(payload); ok {
		if again, errAgain := read(mended); !errors.Is(errAgain, ErrSyntax) {
			return again, errAgain
		}
	}
	return value, err
}
