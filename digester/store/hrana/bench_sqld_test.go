//go:build sqld

package hrana_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"sundew/digester/store/hrana"
	"sundew/infra/sqld"
	"sundew/infra/sqld/sqldtest"
)

// BenchmarkReads is a page of six queries from one moment, read from a replica: a
// transaction of database/sql with a request for each, by either client, and one
// request for all.
func BenchmarkReads(b *testing.B) {
	primary := sqldtest.Start(b, sqld.Config{})
	replica := sqldtest.Start(b, sqld.Config{Primary: primary.GRPC})
	const query = "SELECT count(*) FROM t"
	writer := dial(b, primary.URL()).Stream()
	if _, err := writer.Run(b.Context(), hrana.Statement{SQL: "CREATE TABLE t (a)"}); err != nil {
		b.Fatal(err)
	}
	for _, rtt := range []time.Duration{0, 2 * time.Millisecond} {
		address := replica.HTTP
		if rtt > 0 {
			address = sqldtest.Proxy(b, address, rtt).Addr
		}
		client := dial(b, "http://"+address)
		warm := client.Stream()
		if _, err := warm.RunAt(b.Context(), writer.Position, hrana.Statement{SQL: query}); err != nil {
			b.Fatal(err)
		}
		own := sql.OpenDB(client.Connector())
		b.Cleanup(func() { own.Close() })
		b.Run("transaction/"+rtt.String(), func(b *testing.B) {
			for b.Loop() {
				tx, err := own.BeginTx(b.Context(), &sql.TxOptions{ReadOnly: true})
				page(b, tx, err, query)
			}
		})
		b.Run("official/"+rtt.String(), func(b *testing.B) {
			conn := officialConn(b, address, "")
			for b.Loop() {
				tx, err := conn.BeginTx(b.Context(), nil)
				page(b, tx, err, query)
			}
		})
		b.Run("batch/"+rtt.String(), func(b *testing.B) {
			s := client.Stream()
			all := []hrana.Statement{{SQL: "BEGIN"}, {SQL: query}, {SQL: query}, {SQL: query}, {SQL: query}, {SQL: query}, {SQL: query}, {SQL: "COMMIT"}}
			for b.Loop() {
				if _, err := s.Run(b.Context(), all...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func page(b *testing.B, tx *sql.Tx, err error, query string) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
	for range 6 {
		var n int
		if err := tx.QueryRowContext(context.WithoutCancel(b.Context()), query).Scan(&n); err != nil {
			b.Fatal(err)
		}
	}
	if err := tx.Rollback(); err != nil {
		b.Fatal(err)
	}
}
