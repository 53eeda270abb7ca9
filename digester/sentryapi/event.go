package sentryapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Event is an event as an SDK sends it.
type Event struct {
	ID       string    // 32 hex digits
	Received time.Time // by the server there; zero: it does not say
	Payload  []byte    // JSON of the SDKs' protocol
}

// apiEvent is an event as the API shows it.
type apiEvent struct {
	EventID      Text            `json:"eventID"`
	ID           Text            `json:"id"`
	DateCreated  Time            `json:"dateCreated"`
	DateReceived Time            `json:"dateReceived"`
	Platform     Text            `json:"platform"`
	Message      Text            `json:"message"`
	Title        Text            `json:"title"`
	Culprit      Text            `json:"culprit"`
	Entries      []apiEntry      `json:"entries"`
	Tags         []tag           `json:"tags"`
	User         json.RawMessage `json:"user"`
	Contexts     json.RawMessage `json:"contexts"`
	Extra        json.RawMessage `json:"context"`
	Modules      json.RawMessage `json:"packages"`
	SDK          json.RawMessage `json:"sdk"`
	Dist         Text            `json:"dist"`
	Release      json.RawMessage `json:"release"`
}

type apiEntry struct {
	Type Text            `json:"type"`
	Data json.RawMessage `json:"data"`
}

type tag struct {
	Key   Text `json:"key"`
	Value Text `json:"value"`
}

// payload is an event of the SDKs' protocol.
type payload struct {
	EventID     string          `json:"event_id"`
	Timestamp   string          `json:"timestamp,omitempty"`
	Platform    string          `json:"platform,omitempty"`
	Level       string          `json:"level,omitempty"`
	Logger      string          `json:"logger,omitempty"`
	Transaction string          `json:"transaction,omitempty"`
	Culprit     string          `json:"culprit,omitempty"`
	ServerName  string          `json:"server_name,omitempty"`
	Release     string          `json:"release,omitempty"`
	Dist        string          `json:"dist,omitempty"`
	Environment string          `json:"environment,omitempty"`
	LogEntry    *logEntry       `json:"logentry,omitempty"`
	Exception   *values         `json:"exception,omitempty"`
	Threads     *values         `json:"threads,omitempty"`
	Stacktrace  *stacktrace     `json:"stacktrace,omitempty"`
	Breadcrumbs json.RawMessage `json:"breadcrumbs,omitempty"`
	Request     *request        `json:"request,omitempty"`
	Tags        [][2]string     `json:"tags,omitempty"`
	User        json.RawMessage `json:"user,omitempty"`
	Contexts    json.RawMessage `json:"contexts,omitempty"`
	Extra       json.RawMessage `json:"extra,omitempty"`
	Modules     json.RawMessage `json:"modules,omitempty"`
	SDK         json.RawMessage `json:"sdk,omitempty"`
}

type logEntry struct {
	Formatted string          `json:"formatted,omitempty"`
	Message   string          `json:"message,omitempty"`
	Params    json.RawMessage `json:"params,omitempty"`
}

// values are exceptions or threads.
type values struct {
	Values []value `json:"values"`
}

type value struct {
	Type       string          `json:"type,omitempty"`
	Value      string          `json:"value,omitempty"`
	Module     string          `json:"module,omitempty"`
	Mechanism  json.RawMessage `json:"mechanism,omitempty"`
	ThreadID   json.RawMessage `json:"thread_id,omitempty"`
	ID         json.RawMessage `json:"id,omitempty"`
	Name       string          `json:"name,omitempty"`
	Crashed    bool            `json:"crashed,omitempty"`
	Current    bool            `json:"current,omitempty"`
	Stacktrace *stacktrace     `json:"stacktrace,omitempty"`
}

type stacktrace struct {
	Frames []frame `json:"frames"`
}

type frame struct {
	Filename    string          `json:"filename,omitempty"`
	AbsPath     string          `json:"abs_path,omitempty"`
	Module      string          `json:"module,omitempty"`
	Package     string          `json:"package,omitempty"`
	Function    string          `json:"function,omitempty"`
	Line        int64           `json:"lineno,omitempty"`
	Column      int64           `json:"colno,omitempty"`
	InApp       *bool           `json:"in_app,omitempty"`
	PreContext  []string        `json:"pre_context,omitempty"`
	ContextLine *string         `json:"context_line,omitempty"`
	PostContext []string        `json:"post_context,omitempty"`
	Vars        json.RawMessage `json:"vars,omitempty"`
}

type request struct {
	Method   string          `json:"method,omitempty"`
	URL      string          `json:"url,omitempty"`
	Query    json.RawMessage `json:"query_string,omitempty"`
	Fragment string          `json:"fragment,omitempty"`
	Data     json.RawMessage `json:"data,omitempty"`
	Headers  json.RawMessage `json:"headers,omitempty"`
	Cookies  json.RawMessage `json:"cookies,omitempty"`
	Env      json.RawMessage `json:"env,omitempty"`
}

// event makes the SDK's event of the API's. What the API alone has, such as Sentry's own
// title, is left out, so that it groups with the events that the SDK will send.
func (a apiEvent) event(of Issue) (Event, error) {
	p := payload{
		EventID: a.id(of), Timestamp: moment(a.DateCreated, of.LastSeen), Platform: first(a.Platform, of.Platform),
		Level: string(of.Level), Culprit: first(a.Culprit, of.Culprit), Dist: string(a.Dist), Release: a.release(),
		User: object(a.User), Contexts: object(a.Contexts), Extra: object(a.Extra), Modules: object(a.Modules), SDK: object(a.SDK),
	}
	p.takeTags(a.Tags)
	for _, e := range a.Entries {
		p.takeEntry(e)
	}
	if p.Exception == nil && p.LogEntry == nil && p.Stacktrace == nil {
		p.LogEntry = &logEntry{Formatted: first(a.Message, a.Title, of.Title)}
	}
	return p.encode(a.DateReceived.Time)
}

// Placeholder is an event that stands for an issue whose own are gone there.
func (i Issue) Placeholder() (Event, error) {
	p := payload{EventID: apiEvent{}.id(i), Timestamp: moment(i.LastSeen), Platform: string(i.Platform), Level: string(i.Level),
		Culprit: string(i.Culprit), LogEntry: &logEntry{Formatted: first(i.Title, "An issue without a title")}}
	return p.encode(i.LastSeen.Time)
}

func (p payload) encode(received time.Time) (Event, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return Event{}, fmt.Errorf("event %s: %w", p.EventID, err)
	}
	return Event{ID: p.EventID, Received: received, Payload: text}, nil
}

// id returns the SDK's id, or one that is made of the issue's and always the same.
func (a apiEvent) id(of Issue) string {
	for _, id := range []Text{a.EventID, a.ID} {
		if b, err := hex.DecodeString(string(id)); err == nil && len(b) == 16 {
			return string(id)
		}
	}
	sum := sha256.Sum256([]byte("issue " + of.ID + " " + of.ShortID))
	return hex.EncodeToString(sum[:16])
}

// release returns the version; it is a string, or an object that has one.
func (a apiEvent) release() string {
	var version Text
	if json.Unmarshal(a.Release, &version) == nil && version != "" {
		return string(version)
	}
	var named struct {
		Version Text `json:"version"`
	}
	_ = json.Unmarshal(a.Release, &named) // what it is not is empty
	return string(named.Version)
}

// takeTags takes the tags, of which the server made some of what are fields of events.
func (p *payload) takeTags(tags []tag) {
	fields := map[Text]*string{"level": &p.Level, "environment": &p.Environment, "release": &p.Release, "dist": &p.Dist,
		"transaction": &p.Transaction, "server_name": &p.ServerName, "logger": &p.Logger}
	for _, t := range tags {
		switch field, known := fields[t.Key]; {
		case known && t.Value != "":
			*field = string(t.Value)
		case t.Key == "user" || t.Key == "handled" || t.Key == "mechanism" || t.Key == "url":
			// made of what else is in the event
		case t.Key != "" && t.Value != "":
			p.Tags = append(p.Tags, [2]string{string(t.Key), string(t.Value)})
		}
	}
}

func first(texts ...Text) string {
	for _, t := range texts {
		if t != "" {
			return string(t)
		}
	}
	return ""
}

func moment(times ...Time) string {
	for _, t := range times {
		if !t.IsZero() {
			return t.UTC().Format(time.RFC3339Nano)
		}
	}
	return ""
}

// object returns JSON that is an object or a list with something in it, or else nothing.
func object(raw json.RawMessage) json.RawMessage {
	if len(raw) > 2 && (raw[0] == '{' || raw[0] == '[') {
		return raw
	}
	return nil
}
