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

var errWrong = errors.New("a row that has to be there is not")

// asserted lets a transaction fail unless lane, project and issue are as
// assumed: a statement behind each of the three updates.
func asserted(event []hrana.Statement) []hrana.Statement {
	out := make([]hrana.Statement, len(event))
	for i, s := range event {
		if strings.HasPrefix(s.SQL, "UPDATE edge_lanes") || strings.HasPrefix(s.SQL, "UPDATE projects SET event") || strings.HasPrefix(s.SQL, "UPDATE issues SET event") {
			s.OneRow = errWrong
		}
		out[i] = s
	}
	return out
}

// assertedOnce asks for the same with one statement before all others.
func assertedOnce(event []hrana.Statement) []hrana.Statement {
	for _, s := range event {
		if strings.HasPrefix(s.SQL, "UPDATE issues SET event") {
			n := len(s.Args)
			first := hrana.Statement{
				SQL: `SELECT CASE WHEN (SELECT high FROM edge_lanes WHERE id = 1) >= 0 AND EXISTS (SELECT 1 FROM projects WHERE id = 1)
					AND (SELECT event_count = ? AND state = ? FROM issues WHERE id = ?) THEN 1 ELSE abs(-9223372036854775808) END`,
				Args: []any{s.Args[n-2], s.Args[n-1], s.Args[n-3]},
			}
			return append([]hrana.Statement{first}, event...)
		}
	}
	return event
}
