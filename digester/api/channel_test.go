package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"sundew/digester/courier"
	"sundew/digester/courier/couriertest"
	"sundew/digester/notify"
	"sundew/digester/outbound"
	"sundew/digester/store"
)

const channelsPath = "/projects/acme/web-shop/channels/"

// newCarriedRig is a rig with a courier, and a service that he reaches.
func newCarriedRig(t *testing.T) (*rig, *couriertest.Hook) {
	t.Helper()
	client := couriertest.NewClient(t)
	var carrier *courier.Courier
	r := newRig(t, func(cfg *Config) {
		carrier = courier.New(courier.Config{DB: cfg.DB, Replica: cfg.Replica, Client: client, Now: cfg.Now, Log: zerolog.Nop()})
		cfg.Courier, cfg.CheckURL = carrier.Call, client.Check
	})
	couriertest.Run(t, carrier)
	return r, couriertest.NewHook(t, "")
}

// A program makes a webhook, tries it, sees why it fails, and tries again; secrets are
// told once.
func TestChannels(t *testing.T) {
	r, h := newCarriedRig(t)
	made := mustRead[ChannelWithSecret](t, r.must(http.StatusCreated, "POST", channelsPath, `{"kind":"webhook","name":"Ours","url":"`+h.URL+`"}`))
	if made.ID != "1" || made.State != "not used yet" || !strings.HasPrefix(made.Secret, "sundew_") || !strings.HasSuffix(made.URLHint, "/…path") {
		t.Errorf("made %+v", made)
	}
	one := channelsPath + "1/"
	tested := mustRead[List[Message]](t, r.must(http.StatusOK, "POST", one+"test/", ""))
	if len(tested) != 1 || tested[0].State != "sent" || tested[0].Kind != "test" {
		t.Errorf("a test: %+v", tested)
	}
	if got := h.Visits(); len(got) != 1 || !strings.Contains(got[0].Body, "http://errors.example.com/projects/1/settings/channels/1") {
		t.Errorf("the service got %q", got)
	}
	h.Answer(http.StatusNotFound)
	if tested = mustRead[List[Message]](t, r.must(http.StatusOK, "POST", one+"test/", "")); len(tested) != 1 || tested[0].State != "failed" || !strings.Contains(tested[0].Error, "404") {
		t.Errorf("a test that fails: %+v", tested)
	}
	if c := mustRead[Channel](t, r.must(http.StatusOK, "GET", one, "")); c.State != "failing" || !strings.Contains(c.Failure, "404") {
		t.Errorf("it is %+v", c)
	}
	h.Answer(http.StatusOK)
	r.must(http.StatusAccepted, "POST", one+"messages/"+tested[0].ID+"/retry/", "")
	r.must(http.StatusNotFound, "POST", one+"messages/1/retry/", "") // that was sent

	renewed := mustRead[ChannelWithSecret](t, r.must(http.StatusOK, "POST", one+"secret/", ""))
	r.mustWrite(func(tx *store.Tx) error {
		c, err := tx.Channel(r.web.ID, 1)
		if c.Config.Secret != renewed.Secret || renewed.Secret == made.Secret {
			t.Errorf("secrets %q and %q, saved %q", made.Secret, renewed.Secret, c.Config.Secret)
		}
		return err
	})
	changed := mustRead[Channel](t, r.must(http.StatusOK, "PUT", one, `{"name":"Other","enabled":false}`))
	if changed.Name != "Other" || changed.Enabled || changed.State != "off" || changed.URLHint != made.URLHint {
		t.Errorf("changed to %+v", changed)
	}
	if none := r.must(http.StatusOK, "POST", one+"test/", ""); strings.TrimSpace(none) != "[]" {
		t.Errorf("a test of what is off: %s", none)
	}
	for _, path := range []string{channelsPath, one, one + "messages/"} {
		for _, secret := range []string{"very-secret", made.Secret, renewed.Secret} {
			if text := r.must(http.StatusOK, "GET", path, ""); strings.Contains(text, secret) {
				t.Errorf("%s has a secret: %s", path, text)
			}
		}
	}
	r.must(http.StatusNoContent, "DELETE", one, "")
	r.must(http.StatusNotFound, "GET", one, "")
	r.wantAudited(0, "channel.delete Web shop Webhook “Other”", "channel.test Web shop Webhook “Other”", "channel.disable Web shop Webhook “Other”",
		"channel.change Web shop Webhook “Other”", "channel.secret Web shop Webhook “Ours”", "channel.retry Web shop Webhook “Ours”",
		"channel.test Web shop Webhook “Ours”", "channel.test Web shop Webhook “Ours”", "channel.add Web shop Webhook “Ours”")
}

// What is wrong with a channel is said, without what is secret in it.
func TestChannelRefusals(t *testing.T) {
	r := newRig(t, func(cfg *Config) { cfg.CheckURL = outbound.New(outbound.Config{Networks: outbound.PublicOnly()}).Check })
	for body, want := range map[string]string{
		`{"kind":"fax"}`:   "kind is one of mail, slack, ",
		`{"kind":"slack"}`: "the address is missing",
		`{"kind":"slack","url":"https://hooks.example.com/a","chat":"1"}`:          "A channel of the kind slack has no chat",
		`{"kind":"slack","url":"https://hooks.example.com/a","addresses":["a@b"]}`: "A channel of the kind slack has no addresses",
		`{"kind":"mattermost","url":"http://10.0.0.7/hooks/very-secret"}`:          "This address cannot be called: not an address on the internet: 10.0.0.7",
		`{"kind":"telegram","token":"very-secret","chat":"1"}`:                     "token is a number",
		`{"kind":"mail","addresses":["ada"]}`:                                      "is no mail address",
		`{"kind":"webhook","url":"https://example.com","secret":"mine"}`:           `"secret" is not something that can be set here`,
	} {
		got := mustRead[detail](t, r.must(http.StatusBadRequest, "POST", channelsPath, body)).Detail
		if !strings.Contains(got, want) || strings.Contains(got, "very-secret") {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
	r.must(http.StatusCreated, "POST", channelsPath, `{"kind":"slack","url":"https://hooks.example.com/a","enabled":false}`)
	if got := mustRead[detail](t, r.must(http.StatusBadRequest, "PUT", channelsPath+"1/", `{"kind":"mail"}`)).Detail; !strings.Contains(got, "cannot be changed") {
		t.Errorf("another kind: %q", got)
	}
	r.must(http.StatusNotFound, "POST", channelsPath+"1/secret/", "")
	r.mustWrite(func(tx *store.Tx) error {
		c, err := tx.Channel(r.web.ID, 1)
		if c.Kind != notify.Slack || c.Name != "Slack" || c.Enabled || c.Config.URL != "https://hooks.example.com/a" {
			t.Errorf("the store has %+v", c)
		}
		return err
	})
}
