package store

import (
	"context"
	"path/filepath"
	"testing"
)

// TestOpenAtOnce: several processes meet at a file that none of them has made
// yet, such as `project create` and a service that is just starting.
func TestOpenAtOnce(t *testing.T) {
	for range 3 {
		path := filepath.Join(t.TempDir(), "sundew.db")
		const openers = 4
		opened := make(chan error, openers)
		for range openers {
			go func() {
				db, err := Open(t.Context(), Config{Path: path})
				if err == nil {
					err = db.Write(t.Context(), "test", func(tx *Tx) error {
						_, err := tx.CreateProject("Web shop")
						return err
					})
					if closeErr := db.Close(context.WithoutCancel(t.Context())); err == nil {
						err = closeErr
					}
				}
				opened <- err
			}()
		}
		for range openers {
			if err := <-opened; err != nil {
				t.Error(err)
			}
		}
		replica, err := OpenReplica(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		var projects []Project
		err = replica.Read(t.Context(), func(rx *Rx) (err error) {
			projects, err = rx.ProjectsByID()
			return err
		})
		if err != nil || len(projects) != openers {
			t.Errorf("%d projects, %v", len(projects), err)
		}
		if err := replica.Close(); err != nil {
			t.Error(err)
		}
	}
}
