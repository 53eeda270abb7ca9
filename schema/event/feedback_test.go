package event

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFeedback(t *testing.T) {
	about, err := ParseID("268ca0def7574df7b87622aeb610d74d")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		read    func([]byte) (Feedback, error)
		payload string
		want    Feedback
	}{
		{"widget", ParseFeedback, `{"type":"feedback","contexts":{"trace":{},"feedback":{"contact_email":"ada@example.com","name":"Ada",
			"message":"It does\nnothing","url":"https://shop.example.com/pay","source":"widget","associated_event_id":"268ca0def7574df7b87622aeb610d74d"}},"tags":{"a":"b"}}`,
			Feedback{"Ada", "ada@example.com", "It does\nnothing", "https://shop.example.com/pay", about}},
		{"who is the user", ParseFeedback, `{"user":{"email":"ada@example.com","name":"Ada"},"request":{"url":"https://shop.example.com/"},
			"contexts":{"feedback":{"message":"Hello","name":"","associated_event_id":"nonsense"}}}`,
			Feedback{"Ada", "ada@example.com", "Hello", "https://shop.example.com/", ID{}}},
		{"the old form", ParseUserReport, `{"event_id":"268ca0de-f757-4df7-b876-22aeb610d74d","name":"Ada","email":"ada@example.com","comments":"It does\nnothing"}`,
			Feedback{"Ada", "ada@example.com", "It does\nnothing", "", about}},
		{"wrong types", ParseFeedback, `{"contexts":{"feedback":[1,{"message":"x"}]},"user":7,"request":null}`, Feedback{}},
		{"NUL and NaN", ParseUserReport, `{"comments":"a\u0000b","name":NaN}`, Feedback{Message: "ab"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.read([]byte(tt.payload))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if _, err := tt.read([]byte("[" + tt.payload + "]")); !errors.Is(err, ErrSyntax) {
				t.Errorf("in a list: %v", err)
			}
		})
	}
	long, err := ParseUserReport([]byte(`{"comments":"` + strings.Repeat("ü", 10_000) + `","name":"` + strings.Repeat("n", 10_000) + `"}`))
	if err != nil || len([]rune(long.Message)) > maxFeedback+1 || len(long.Name) > 2*maxName {
		t.Errorf("%d and %d characters, %v", len(long.Message), len(long.Name), err)
	}
}
