package sentryapi

import "encoding/json"

// apiValue is an exception or a thread of the API.
type apiValue struct {
	Type       Text            `json:"type"`
	Value      Text            `json:"value"`
	Module     Text            `json:"module"`
	Mechanism  json.RawMessage `json:"mechanism"`
	ThreadID   json.RawMessage `json:"threadId"`
	ID         json.RawMessage `json:"id"`
	Name       Text            `json:"name"`
	Crashed    bool            `json:"crashed"`
	Current    bool            `json:"current"`
	Stacktrace *apiStacktrace  `json:"stacktrace"`
}

type apiStacktrace struct {
	Frames []apiFrame `json:"frames"`
}

type apiFrame struct {
	Filename Text              `json:"filename"`
	AbsPath  Text              `json:"absPath"`
	Module   Text              `json:"module"`
	Package  Text              `json:"package"`
	Function Text              `json:"function"`
	Line     Number            `json:"lineNo"`
	Column   Number            `json:"colNo"`
	InApp    *bool             `json:"inApp"`
	Context  []json.RawMessage `json:"context"` // [number, text] each
	Vars     json.RawMessage   `json:"vars"`
}

// takeEntry takes one part of an event; those that are not known are left out.
func (p *payload) takeEntry(e apiEntry) {
	switch e.Type {
	case "exception":
		p.Exception = valuesOf(e.Data)
	case "threads":
		p.Threads = valuesOf(e.Data)
	case "stacktrace":
		var s *apiStacktrace
		if json.Unmarshal(e.Data, &s) == nil {
			p.Stacktrace = s.sdk()
		}
	case "message":
		var m struct {
			Formatted Text            `json:"formatted"`
			Message   Text            `json:"message"`
			Params    json.RawMessage `json:"params"`
		}
		if json.Unmarshal(e.Data, &m) == nil {
			p.LogEntry = &logEntry{Formatted: string(m.Formatted), Message: string(m.Message), Params: object(m.Params)}
		}
	case "breadcrumbs":
		p.Breadcrumbs = object(e.Data)
	case "request":
		p.Request = requestOf(e.Data)
	}
}

func valuesOf(data json.RawMessage) *values {
	var got struct {
		Values []*apiValue `json:"values"`
	}
	if json.Unmarshal(data, &got) != nil {
		return nil
	}
	all := &values{}
	for _, v := range got.Values {
		if v == nil {
			continue
		}
		all.Values = append(all.Values, value{
			Type: string(v.Type), Value: string(v.Value), Module: string(v.Module), Mechanism: object(v.Mechanism),
			ThreadID: v.ThreadID, ID: v.ID, Name: string(v.Name), Crashed: v.Crashed, Current: v.Current, Stacktrace: v.Stacktrace.sdk(),
		})
	}
	if len(all.Values) == 0 {
		return nil
	}
	return all
}

func (s *apiStacktrace) sdk() *stacktrace {
	if s == nil || len(s.Frames) == 0 {
		return nil
	}
	out := &stacktrace{}
	for _, f := range s.Frames {
		out.Frames = append(out.Frames, f.sdk())
	}
	return out
}

// sdk takes the lines around the frame's apart again.
func (f apiFrame) sdk() frame {
	out := frame{
		Filename: string(f.Filename), AbsPath: string(f.AbsPath), Module: string(f.Module), Package: string(f.Package),
		Function: string(f.Function), Line: int64(f.Line), Column: int64(f.Column), InApp: f.InApp, Vars: object(f.Vars),
	}
	for _, raw := range f.Context {
		var pair []json.RawMessage
		if json.Unmarshal(raw, &pair) != nil || len(pair) != 2 {
			continue
		}
		var number Number
		var text Text
		_, _ = json.Unmarshal(pair[0], &number), json.Unmarshal(pair[1], &text) // these never fail
		switch line := string(text); {
		case number == f.Line:
			out.ContextLine = &line
		case number < f.Line:
			out.PreContext = append(out.PreContext, line)
		default:
			out.PostContext = append(out.PostContext, line)
		}
	}
	return out
}

func requestOf(data json.RawMessage) *request {
	var got struct {
		Method   Text            `json:"method"`
		URL      Text            `json:"url"`
		Query    json.RawMessage `json:"query"`
		Fragment Text            `json:"fragment"`
		Data     json.RawMessage `json:"data"`
		Headers  json.RawMessage `json:"headers"`
		Cookies  json.RawMessage `json:"cookies"`
		Env      json.RawMessage `json:"env"`
	}
	if json.Unmarshal(data, &got) != nil {
		return nil
	}
	r := &request{Method: string(got.Method), URL: string(got.URL), Fragment: string(got.Fragment),
		Query: object(got.Query), Headers: object(got.Headers), Cookies: object(got.Cookies), Env: object(got.Env)}
	if string(got.Data) != "null" {
		r.Data = got.Data
	}
	return r
}
