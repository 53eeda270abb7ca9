package lambdatest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// response is a function's answer in payload format 2.0. One without a status is
// the body of an answer, whatever it is.
type response struct {
	StatusCode      int               `json:"statusCode"`
	Headers         map[string]string `json:"headers"`
	Cookies         []string          `json:"cookies"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

// writeResponse answers a request with what the function said. After an error
// nothing is written.
func writeResponse(w http.ResponseWriter, encoded []byte) error {
	if !json.Valid(encoded) {
		return fmt.Errorf("%w: its answer is not JSON", ErrFunction)
	}
	var r response
	if err := json.Unmarshal(encoded, &r); err != nil || r.StatusCode == 0 {
		r = response{StatusCode: http.StatusOK, Body: string(encoded)}
	}
	if r.StatusCode < 100 || r.StatusCode > 999 {
		return fmt.Errorf("%w: it answered with status %d", ErrFunction, r.StatusCode)
	}
	body := []byte(r.Body)
	if r.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(r.Body); err != nil {
			return fmt.Errorf("%w: its body is not base64", ErrFunction)
		}
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	for name, value := range r.Headers {
		h.Set(name, value)
	}
	for _, cookie := range r.Cookies {
		h.Add("Set-Cookie", cookie)
	}
	w.WriteHeader(r.StatusCode)
	_, _ = w.Write(body) // the client went away
	return nil
}

// writeRefusal answers a request that the function did not answer, as the front door
// does.
func writeRefusal(w http.ResponseWriter, err error) {
	status, message := http.StatusBadGateway, "Internal Server Error"
	switch {
	case errors.Is(err, errTooLarge):
		status, message = http.StatusRequestEntityTooLarge, "Request Entity Too Large"
	case errors.Is(err, ErrClosed), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		status, message = http.StatusServiceUnavailable, "Service Unavailable"
	}
	// No CORS, no reason: the function is not asked.
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"Message": message})
}
