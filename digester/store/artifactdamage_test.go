package store

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"sundew/schema/wire"
)

// What is stored of a file is damaged, or the database fails: never the one for the other.
func TestArtifactDamage(t *testing.T) {
	db, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "sundew.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	whole := db.NewPart([]byte("a content that is long enough to be compressed: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"))
	for i, tt := range []struct {
		encoding wire.Encoding
		body     []byte // nil: no part
		damaged  bool
	}{
		{whole.Encoding, whole.Body, false},
		{whole.Encoding, whole.Body[:len(whole.Body)/2], true},
		{whole.Encoding, []byte{}, true},
		{99, whole.Body, true},
		{damaged: true},
	} {
		if err := db.Write(t.Context(), "test", func(tx *Tx) error {
			id, err := tx.insert(`INSERT INTO artifact_files (sha256, size, complete, touched_at) VALUES (?, 5, 1, 0)`, []byte{byte(i)})
			if err != nil {
				return err
			}
			if tt.body != nil {
				if _, err := tx.exec(`INSERT INTO artifact_parts (file_id, part, encoding, body) VALUES (?, 0, ?, ?)`, id, int64(tt.encoding), tt.body); err != nil {
					return err
				}
			}
			if _, err := tx.ArtifactFile(id); errors.Is(err, ErrDamaged) != tt.damaged {
				t.Errorf("%d: %v", i, err)
			}
			rx := tx.Rx
			var cancel context.CancelFunc
			rx.ctx, cancel = context.WithCancel(t.Context())
			cancel()
			if _, err := rx.ArtifactFile(id); err == nil || errors.Is(err, ErrDamaged) {
				t.Errorf("%d, without a database: %v", i, err)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}
