package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"sundew/digester/store/hrana"
	"sundew/infra/bench/floor/trace"
)

// recorded returns the statements of the first n events of a trace.
func recorded(path string, n int) ([][]hrana.Statement, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t, err := trace.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var all [][]hrana.Statement
	var current []hrana.Statement
	for _, c := range t.Calls {
		text := strings.TrimSpace(t.Texts[c.Text])
		switch {
		case c.Failed:
			return nil, errors.New("a recorded statement failed")
		case text == "BEGIN IMMEDIATE":
			current = nil
		case text == "COMMIT":
			if len(current) > 1 { // not a barrier
				all = append(all, current)
			}
		case strings.HasPrefix(text, "PRAGMA"), strings.HasPrefix(text, "SELECT"):
		default:
			current = append(current, positional(text, c.Args))
		}
	}
	if len(all) < n {
		return nil, fmt.Errorf("%s has %d events, want %d", path, len(all), n)
	}
	return all[:n], nil
}

// positional replaces parameters with numbers by parameters in order, which every
// client can send. Those of the recorded texts have one digit or two.
func positional(text string, args []any) hrana.Statement {
	var out strings.Builder
	s := hrana.Statement{}
	for i, next := 0, 0; i < len(text); i++ {
		out.WriteByte(text[i])
		if text[i] != '?' {
			continue
		}
		number := 0
		for ; i+1 < len(text) && '0' <= text[i+1] && text[i+1] <= '9'; i++ {
			number = 10*number + int(text[i+1]-'0')
		}
		if number == 0 {
			next++
			number = next
		}
		s.Args = append(s.Args, args[number-1])
	}
	s.SQL = out.String()
	return s
}
