package busylab_test

import (
	"context"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"sundew/digester/store"
)

func walSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// truncate asks for a checkpoint that empties the WAL. That it could not is no
// error, it is the first column of the answer.
func (p *peer) truncate() (busy bool, took time.Duration) {
	p.t.Helper()
	began := time.Now()
	var pages, moved int64
	if err := p.conn.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved); err != nil {
		p.t.Fatal(err)
	}
	return busy, time.Since(began)
}

// The WAL begins anew only when nobody reads from it. As long as one old
// snapshot is held, it grows, whatever wal_autocheckpoint says.
func TestReaderKeepsWALGrowing(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	writer := open(t, path, "wal_autocheckpoint(100)", "busy_timeout(100)", "synchronous(normal)")
	write := func() {
		for range 10 {
			writer.must(ballast, 50)
		}
	}
	write()
	alone := walSize(t, path)

	reader := open(t, path)
	reader.must("BEGIN")
	reader.number("SELECT n FROM t")
	write()
	held := walSize(t, path)
	busy, took := writer.truncate()
	if !busy {
		t.Error("wal_checkpoint(TRUNCATE) beside a reader does not say that it is busy")
	}
	reader.must("ROLLBACK")
	if busy, _ := writer.truncate(); busy {
		t.Error("wal_checkpoint(TRUNCATE) without a reader says that it is busy")
	}
	after := walSize(t, path)
	if held < 3*alone || after != 0 {
		t.Errorf("WAL: %d bytes, %d beside a reader, %d after it", alone, held, after)
	}
	t.Logf("autocheckpoint 100 pages, 2 MB written: WAL %d KB; with an old snapshot %d KB and TRUNCATE says busy after %v; without it 0",
		alone>>10, held>>10, round(took))
}

// In the model a reader that does not let go is cut off, although its function
// has not returned, and the next barrier resets the WAL. The five seconds pass
// on the clock of synctest.
func TestModelCutsLongReader(t *testing.T) {
	t.Parallel()
	const walLimit = 256 << 10 // little, so that the test need not write for seconds
	m := openModel(t, walLimit)
	synctest.Test(t, func(t *testing.T) {
		holds, release := make(chan struct{}), make(chan struct{})
		began := time.Now()
		done := start(func() error {
			return m.replica.Read(t.Context(), func(rx *store.Rx) error {
				if _, err := rx.Projects(); err != nil {
					return err
				}
				close(holds)
				<-release
				_, err := rx.Projects()
				return err
			})
		})
		<-holds
		for walSize(t, m.path) < walLimit {
			err := m.db.Write(t.Context(), "lab", func(tx *store.Tx) error {
				_, err := tx.CreateProject("lab")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		barrier := func() int64 {
			t.Helper()
			if err := m.db.Barrier(t.Context()); err != nil {
				t.Fatal(err)
			}
			return walSize(t, m.path)
		}
		held := barrier()

		limit := time.NewTimer(6 * time.Second)
		<-limit.C
		synctest.Wait()
		after := barrier()
		took := time.Since(began)
		close(release)
		err := <-done
		if held < walLimit || after != 0 {
			t.Errorf("WAL: %d KiB beside the reader, %d bytes at the first barrier after its limit", held>>10, after)
		}
		if store.KindOf(err) != store.KindInterrupted {
			t.Errorf("the reader's next query: %v, want its deadline exceeded", err)
		}
		t.Logf("WAL %d KiB and not to be reset beside a reader; %v after it began: %d; its next query: %v", held>>10, took, after, err)
	})
}
