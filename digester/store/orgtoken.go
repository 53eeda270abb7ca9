package store

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// OrgSlug is what tools call the one organization that an installation is.
const OrgSlug = "sundew"

// OrgTokenPrefix is what every token begins with that NewOrgToken makes. Scanners of
// source code know it.
const OrgTokenPrefix = "sntrys_"

// orgTokenBytes is how many random bytes sentry-cli expects at a token's end.
const orgTokenBytes = 32

// NewOrgToken returns the text of a token in the form of which sentry-cli and the
// plugins of bundlers read where to send things: sntrys_<what they read>_<secret>. url
// is how they reach this installation.
func NewOrgToken(url string, now time.Time) string {
	url = strings.TrimRight(url, "/")
	claims := struct {
		IssuedAt  float64 `json:"iat"`
		URL       string  `json:"url"`
		RegionURL string  `json:"region_url"`
		Org       string  `json:"org"`
	}{float64(now.UnixMilli()) / 1000, url, url, OrgSlug}
	text, err := json.Marshal(claims)
	if err != nil {
		text = []byte("{}") // texts and a number always can be written
	}
	for len(text)%3 != 0 {
		text = append(text, ' ') // so that it is the same with padding and without
	}
	secret := make([]byte, orgTokenBytes)
	_, _ = rand.Read(secret) // never fails
	return OrgTokenPrefix + base64.StdEncoding.EncodeToString(text) + "_" + base64.RawStdEncoding.EncodeToString(secret)
}
