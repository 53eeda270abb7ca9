package notify

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Verdict is what a service's answer means.
type Verdict struct {
	Failure string        // what it said against a message; empty: it took it
	Final   bool          // it would say so again
	Pause   time.Duration // for which it asked to be left alone; 0: it did not say
}

// maxSaid is how many characters of an answer people get to read.
const maxSaid = 200

// Judge reads a service's answer: its status, its header Retry-After and the beginning
// of its body. 408, 425, 429 and 5xx are worth another attempt, others are not.
func Judge(status int, retryAfter string, body []byte, now time.Time) Verdict {
	if status >= 200 && status <= 299 {
		return Verdict{}
	}
	v := Verdict{Failure: "answered " + strconv.Itoa(status)}
	switch {
	case status == 408, status == 425, status == 429, status >= 500:
		v.Pause = pauseOf(retryAfter, body, now)
	case status >= 300 && status <= 399:
		v.Final = true
		v.Failure += ": the address leads to another one, which is not followed"
		return v
	default:
		v.Final = true
	}
	if said := saidIn(body); said != "" {
		v.Failure += ": " + said
	}
	return v
}

// pauseOf reads seconds or a date; Telegram and Discord say it in the body too.
func pauseOf(retryAfter string, body []byte, now time.Time) time.Duration {
	if seconds, err := strconv.ParseFloat(strings.TrimSpace(retryAfter), 64); err == nil {
		return duration(seconds)
	}
	if at, err := time.Parse(time.RFC1123, strings.TrimSpace(retryAfter)); err == nil {
		return max(0, at.Sub(now))
	}
	var said struct {
		RetryAfter float64 `json:"retry_after"`
		Parameters struct {
			RetryAfter float64 `json:"retry_after"`
		} `json:"parameters"`
	}
	if json.Unmarshal(body, &said) != nil {
		return 0
	}
	return duration(max(said.RetryAfter, said.Parameters.RetryAfter))
}

// duration takes what is no sensible number for nothing, and more than a day
// for a day.
func duration(seconds float64) time.Duration {
	if !(seconds > 0) {
		return 0
	}
	return time.Duration(min(seconds, 24*60*60) * float64(time.Second))
}

// saidIn is what an answer says to people: the text of the fields that services have
// it in, else all of it unless it is a page.
func saidIn(body []byte) string {
	var said struct {
		Description string   `json:"description"` // Telegram
		Message     string   `json:"message"`     // Discord, Mattermost, PagerDuty
		Errors      []string `json:"errors"`      // PagerDuty
	}
	if json.Unmarshal(body, &said) == nil {
		if text := strings.Join(nonEmpty(said.Description, said.Message, strings.Join(said.Errors, ", ")), ": "); text != "" {
			return cut(oneLine(text), maxSaid)
		}
	}
	text := oneLine(string(body))
	if strings.HasPrefix(text, "<") {
		return ""
	}
	return cut(text, maxSaid)
}
