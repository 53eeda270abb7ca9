package main

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/tursodatabase/libsql-client-go/libsql"

	"sundew/digester/store/hrana"
	"sundew/infra/sqld"
)

// way is one way to bring transactions to a server.
type way struct {
	name string
	slow bool // a round trip a statement
	run  func(ctx context.Context, address string, events [][]hrana.Statement) error
}

func ways(strong bool) []way {
	return []way{
		{"the digester", false, digester(strong)},
		{"own, 1 a request", false, blind(1)},
		{"own, 10 a request", false, blind(10)},
		{"own, 50 a request", false, blind(50)},
		{"own, 10 savepoints in one transaction", false, savepoints(10)},
		{"own, 50 savepoints in one transaction", false, savepoints(50)},
		{"own, a statement a request", true, ownInteractive},
		{"libsql-client-go, 1 a request", false, official(1)},
		{"libsql-client-go, 10 a request", false, official(10)},
		{"libsql-client-go, 50 a request", false, official(50)},
		{"libsql-client-go, a statement a request", true, officialInteractive},
	}
}

// blind sends n whole transactions a request.
func blind(n int) func(context.Context, string, [][]hrana.Statement) error {
	return func(ctx context.Context, address string, events [][]hrana.Statement) error {
		client, err := hrana.New(hrana.Config{URL: "http://" + address, Namespace: sqld.Namespace})
		if err != nil {
			return err
		}
		defer client.Close()
		stream := client.Stream()
		for part := range slices.Chunk(events, n) {
			outcomes, err := stream.Commit(ctx, part)
			if err != nil {
				return err
			}
			for i, o := range outcomes {
				if o.Err != nil {
					return fmt.Errorf("event %d, statement %d: %w", i, o.Statement, o.Err)
				}
			}
		}
		return stream.Close(ctx)
	}
}

// savepoints is what the rule "one event, one transaction" costs: n events share
// one, each within a savepoint.
func savepoints(n int) func(context.Context, string, [][]hrana.Statement) error {
	return func(ctx context.Context, address string, events [][]hrana.Statement) error {
		var shared [][]hrana.Statement
		for part := range slices.Chunk(events, n) {
			var one []hrana.Statement
			for _, e := range part {
				one = append(one, hrana.Statement{SQL: "SAVEPOINT event"})
				one = append(one, e...)
				one = append(one, hrana.Statement{SQL: "RELEASE event"})
			}
			shared = append(shared, one)
		}
		return blind(1)(ctx, address, shared)
	}
}

func ownInteractive(ctx context.Context, address string, events [][]hrana.Statement) error {
	client, err := hrana.New(hrana.Config{URL: "http://" + address, Namespace: sqld.Namespace})
	if err != nil {
		return err
	}
	defer client.Close()
	return interactive(ctx, sql.OpenDB(client.Connector()), events)
}

func officialInteractive(ctx context.Context, address string, events [][]hrana.Statement) error {
	db, err := officialPool(address)
	if err != nil {
		return err
	}
	return interactive(ctx, db, events)
}

func officialPool(address string) (*sql.DB, error) {
	connector, err := libsql.NewConnector("http://"+sqld.Namespace+".localhost", libsql.WithProxy("http://"+address))
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// interactive waits for the answer to each statement, on one connection.
func interactive(ctx context.Context, db *sql.DB, events [][]hrana.Statement) error {
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, e := range events {
		all := append([]hrana.Statement{{SQL: "BEGIN IMMEDIATE"}}, e...)
		for _, s := range append(all, hrana.Statement{SQL: "COMMIT"}) {
			if _, err := conn.ExecContext(ctx, s.SQL, s.Args...); err != nil {
				return fmt.Errorf("%.60s: %w", s.SQL, err)
			}
		}
	}
	return nil
}

// official sends n whole transactions a request through libsql-client-go, as one
// text.
func official(n int) func(context.Context, string, [][]hrana.Statement) error {
	return func(ctx context.Context, address string, events [][]hrana.Statement) error {
		db, err := officialPool(address)
		if err != nil {
			return err
		}
		defer db.Close()
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		for part := range slices.Chunk(events, n) {
			var text strings.Builder
			var args []any
			for _, e := range part {
				text.WriteString("BEGIN IMMEDIATE;")
				for _, s := range e {
					text.WriteString(s.SQL + ";")
					args = append(args, s.Args...)
				}
				text.WriteString("COMMIT;")
			}
			if _, err := conn.ExecContext(ctx, text.String(), args...); err != nil {
				return err
			}
		}
		return nil
	}
}
