package dashboard

import (
	"net/http"

	"sundew/digester/deed"
)

// formText returns a text of several lines that a form has, with line ends as
// everywhere else.
func formText(r *http.Request, field string) string {
	return deed.Text(r.PostFormValue(field))
}
