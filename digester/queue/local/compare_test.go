//go:build unix

package local

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"maragu.dev/goqite"
)

// BenchmarkGoqite does the job of BenchmarkQueue with a library, to justify SQL
// of our own: the same driver, the same durability (WAL, synchronous=FULL, BEGIN
// IMMEDIATE, one connection), hundred receives and hundred deletes each in one
// transaction of the caller's. "single" sends as the library offers it; "grouped"
// as if a committer like ours stood before it, 64 messages to a transaction.
//
// Time a message, as a multiple of BenchmarkQueue's: 2 KB single 10, grouped 5;
// 12 KB single 6, grouped 3. The library receives one message a statement, by an
// index it has to keep and past those in flight, has random text for keys, and
// rewrites the row with the body when it is received. It has no numbering.
func BenchmarkGoqite(b *testing.B) {
	for _, size := range []int{2 << 10, 12 << 10} {
		b.Run(fmt.Sprintf("%dKB/single", size>>10), func(b *testing.B) {
			g := openGoqite(b)
			body := randomBody(size)
			measure(b, func() {
				sendAll(b, func(int) error { return g.queue.Send(b.Context(), goqite.Message{Body: body}) })
			}, g.consume(b))
		})
		b.Run(fmt.Sprintf("%dKB/grouped", size>>10), func(b *testing.B) {
			g := openGoqite(b)
			body := randomBody(size)
			measure(b, func() {
				for sent := 0; sent < b.N; sent += benchSenders {
					g.write(b, func(tx *sql.Tx) error {
						for range min(benchSenders, b.N-sent) {
							if err := g.queue.SendTx(b.Context(), tx, goqite.Message{Body: body}); err != nil {
								return err
							}
						}
						return nil
					})
				}
			}, g.consume(b))
		})
	}
}

// library is a queue of the library's and its database.
type library struct {
	db    *sql.DB
	queue *goqite.Queue
}

func openGoqite(b *testing.B) library {
	db, err := sql.Open("sqlite", writerDSN(filepath.Join(b.TempDir(), "goqite.db"))+"&_txlock=immediate")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	if err := goqite.Setup(context.Background(), db); err != nil {
		b.Fatal(err)
	}
	return library{db, goqite.New(goqite.NewOpts{DB: db, Name: "events"})}
}

func (g library) write(b *testing.B, f func(*sql.Tx) error) {
	tx, err := g.db.BeginTx(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		b.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
}

// consume receives up to a hundred messages and deletes them.
func (g library) consume(b *testing.B) func() int {
	return func() int {
		var got []goqite.ID
		g.write(b, func(tx *sql.Tx) error {
			for range 100 {
				m, err := g.queue.ReceiveTx(b.Context(), tx)
				if err != nil || m == nil {
					return err
				}
				got = append(got, m.ID)
			}
			return nil
		})
		g.write(b, func(tx *sql.Tx) error {
			for _, id := range got {
				if err := g.queue.DeleteTx(b.Context(), tx, id); err != nil {
					return err
				}
			}
			return nil
		})
		return len(got)
	}
}
