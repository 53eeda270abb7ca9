package notify

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// webhookBody is what a webhook of people's own gets; the README documents it. Fields
// are added, never changed.
type webhookBody struct {
	Version int    `json:"version"`
	ID      string `json:"id"`       // the same if the message comes again
	LeftOut int64  `json:"left_out"` // messages that were left out before this one
	Title   string `json:"title"`    // the message in one line
	Message
}

func newWebhookBody(d Delivery) webhookBody {
	c := newCard(d.Message, d.LeftOut)
	title := c.Headline
	if c.Title != "" {
		title += ": " + c.Title
	}
	return webhookBody{Version: 1, ID: d.ID, LeftOut: d.LeftOut, Title: title, Message: d.Message}
}

// sign adds what tells a receiver that a request is from us, new, and not the same
// as another one.
func (r Request) sign(d Delivery) {
	r.Header["Sundew-Delivery"] = d.ID
	r.Header["Sundew-Signature"] = Signature(d.Config.Secret, d.At, r.Body)
}

// Signature is what a webhook's request is signed with: "t=<Unix seconds>,v1=<hex>",
// where the hex is HMAC-SHA256, with the channel's secret as key, of the seconds, a dot
// and the body.
func Signature(secret string, at time.Time, body string) string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(seconds + "." + body)) // never fails
	return "t=" + seconds + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// NewSecret returns a secret for a webhook, 256 random bits.
func NewSecret() string {
	var raw [32]byte
	rand.Read(raw[:]) // never fails
	return "sundew_" + hex.EncodeToString(raw[:])
}
