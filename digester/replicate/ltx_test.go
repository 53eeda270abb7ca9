package replicate_test

import (
	"os"
	"testing"

	"github.com/superfly/ltx"
)

// snapshot says whether a file of a backup has every page of the database.
func snapshot(t testing.TB, path string) bool {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dec := ltx.NewDecoder(f)
	if err := dec.Verify(); err != nil {
		t.Fatal(err)
	}
	return dec.PageN() >= int(dec.Header().Commit)
}
