package event

// Feedback is what a person wrote about an application, mostly about an event.
type Feedback struct {
	Name    string
	Email   string
	Message string // may have several lines
	URL     string // of the page that it was written on
	About   ID     // the event; zero: none
}

// maxFeedback bounds what a person may write, in characters.
const maxFeedback = 4096

// ParseFeedback reads the payload of a feedback item: an event with a context of that
// name. Who wrote it is the event's user if the context does not say. Errors are
// those of Parse.
func ParseFeedback(payload []byte) (Feedback, error) {
	return repaired(payload, func(payload []byte) (Feedback, error) {
		r := newReader(payload)
		var f Feedback
		var user User
		var page string
		r.document(func(name []byte) {
			switch string(name) {
			case "contexts":
				r.object(func(name []byte) {
					if string(name) == "feedback" {
						r.object(func(name []byte) { r.feedbackField(&f, name) })
					} else {
						r.skip()
					}
				})
			case "user":
				user = r.user()
			case "request":
				page = r.request().URL
			default:
				r.skip()
			}
		})
		if f.Name == "" {
			f.Name = user.Name
		}
		if f.Email == "" {
			f.Email = user.Email
		}
		if f.URL == "" {
			f.URL = page
		}
		return f, r.err
	})
}

// ParseUserReport reads the payload of a user_report item, which is feedback in its
// old form. Errors are those of Parse.
func ParseUserReport(payload []byte) (Feedback, error) {
	return repaired(payload, func(payload []byte) (Feedback, error) {
		r := newReader(payload)
		var f Feedback
		r.document(func(name []byte) { r.feedbackField(&f, name) })
		return f, r.err
	})
}

// feedbackField reads a member of either form.
func (r *reader) feedbackField(f *Feedback, name []byte) {
	switch string(name) {
	case "name":
		f.Name = r.line(maxName)
	case "contact_email", "email":
		f.Email = r.line(maxName)
	case "message", "comments":
		f.Message = r.text(maxFeedback)
	case "url":
		f.URL = r.line(maxURL)
	case "associated_event_id", "event_id":
		f.About, _ = ParseID(r.line(maxID))
	default:
		r.skip()
	}
}
