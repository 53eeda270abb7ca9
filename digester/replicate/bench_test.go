package replicate_test

import (
	"path/filepath"
	"testing"

	"sundew/digester/store"
)

// BenchmarkDigest is the store's part of a digest in batches of 500, with and
// without a backup of it.
func BenchmarkDigest(b *testing.B) {
	run := func(b *testing.B, p *primary) {
		p.digest(1)
		b.ResetTimer()
		for left := b.N; left > 0; left -= 500 {
			p.digest(min(left, 500))
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		b.StopTimer()
	}
	b.Run("alone", func(b *testing.B) {
		db, err := store.Open(b.Context(), store.Config{Path: filepath.Join(b.TempDir(), "sundew.db")})
		if err != nil {
			b.Fatal(err)
		}
		run(b, &primary{t: b, db: db})
		if err := db.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
	})
	b.Run("backup", func(b *testing.B) {
		p := start(b, filepath.Join(b.TempDir(), "sundew.db"), target(b, "file://"+b.TempDir()+"/copies"), store.Config{})
		run(b, p)
		p.close()
	})
}
