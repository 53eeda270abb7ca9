package api

import (
	"crypto/sha256"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// Feedback comes with its files, of a project as of an issue.
func TestFeedbackFiles(t *testing.T) {
	r := newRig(t, nil)
	about := r.message(r.web.ID, "it broke")
	id, shot := event.ID{7}, []byte("a picture")
	for _, in := range []*store.Incoming{
		{EventID: id, Category: store.CategoryFeedback, Feedback: &store.Feedback{FeedbackID: id, Feedback: event.Feedback{Name: "Ann", Message: "it broke", About: about}}},
		{EventID: id, Category: store.CategoryAttachment, Encoding: wire.EncodingIdentity, Body: shot,
			Attachment: &store.Attachment{Name: "shot.png", ContentType: "image/png", Type: "event.attachment", Size: int64(len(shot)), SHA256: sha256.Sum256(shot)}},
	} {
		r.seq++
		in.Instance, in.Seq, in.Project, in.ReceivedAt = wire.InstanceID{1}, r.seq, r.web.ID, testNow
		if result, err := r.db.Digest(t.Context(), in); err != nil || result != store.Stored {
			t.Fatalf("result %v, error %v", result, err)
		}
	}
	want := List[FeedbackFile]{{ID: "1", Name: "shot.png", MIMEType: "image/png", Size: 9, URL: "http://errors.example.com/projects/1/attachments/1"}}
	for _, path := range []string{"/projects/acme/web-shop/user-feedback/", "/organizations/acme/user-feedback/", "/issues/1/user-reports/"} {
		got := mustRead[[]struct {
			Name  string
			Files List[FeedbackFile]
		}](t, r.must(http.StatusOK, "GET", path, ""))
		if len(got) != 1 || got[0].Name != "Ann" {
			t.Fatalf("%s: %+v", path, got)
		}
		if diff := cmp.Diff(want, got[0].Files); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}
