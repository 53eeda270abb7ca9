package store

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestRemoteThatIsNone: what answers, but is no libSQL server, and what does not
// answer at all.
func TestRemoteThatIsNone(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	for range 2 {
		if _, err := OpenRemoteReplica(t.Context(), RemoteConfig{URL: server.URL}); !errors.Is(err, ErrReplicaAway) {
			t.Errorf("%v", err)
		}
		server.Close()
	}
	if _, err := OpenRemoteReplica(t.Context(), RemoteConfig{URL: "ftp://example.com"}); err == nil || errors.Is(err, ErrReplicaAway) {
		t.Errorf("an address that is none: %v", err)
	}
}
