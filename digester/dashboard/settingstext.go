package dashboard

import (
	"errors"
	"net/http"
	"strings"

	"sundew/schema/keyring"
)

// formText returns a text of several lines that a form has, with line ends as
// everywhere else.
func formText(r *http.Request, field string) string {
	text := strings.ReplaceAll(r.PostFormValue(field), "\r\n", "\n")
	return strings.ToValidUTF8(strings.TrimRight(text, " \t\n"), "\ufffd")
}

// originWords is formWords for lists of domains.
func originWords(err error) string {
	if errors.Is(err, keyring.ErrOrigin) {
		return sentence(err.Error())
	}
	return formWords(err)
}
