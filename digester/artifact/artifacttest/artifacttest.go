// Package artifacttest packs what build tools upload, for tests.
//
// It exists because those who read archives and those who store what is in them are
// tested with the same. Rule: only tests import it.
package artifacttest

import (
	"archive/zip"
	"bytes"
	"io"
	"testing"
)

// Packed returns an archive of names and contents, in this order.
func Packed(t testing.TB, pairs ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		f, err := w.Create(pairs[i])
		if err == nil {
			_, err = io.WriteString(f, pairs[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
