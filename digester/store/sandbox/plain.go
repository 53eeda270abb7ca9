package sandbox

import (
	"encoding/hex"
	"math"
)

// Plain returns the rows as JSON can say them: a BLOB as its hexadecimal text, a number
// that is none or endless as nil. It is never nil, and no row is.
func (a Answer) Plain() [][]any {
	rows := make([][]any, len(a.Rows))
	for i, row := range a.Rows {
		rows[i] = make([]any, len(row))
		for j, value := range row {
			rows[i][j] = plain(value)
		}
	}
	return rows
}

func plain(value Value) any {
	switch v := value.(type) {
	case []byte:
		return hex.EncodeToString(v)
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return nil
		}
	}
	return value
}
