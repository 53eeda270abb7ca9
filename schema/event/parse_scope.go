package event

import (
	"math"
	"slices"
	"strings"
)

// user reads who was affected: an object, or an id alone.
func (r *reader) user() User {
	var u User
	switch r.kind() {
	case '"', '0':
		u.ID = r.line(maxID)
		return u
	}
	r.object(func(name []byte) {
		switch string(name) {
		case "id":
			u.ID = r.line(maxID)
		case "email":
			u.Email = r.line(maxName)
		case "username":
			u.Username = r.line(maxName)
		case "name":
			u.Name = r.line(maxName)
		case "ip_address":
			u.IP = r.line(maxShort)
		default:
			key := oneLine(cut(name, maxKey))
			if len(u.Data) == maxFields {
				r.skip()
			} else if value := r.raw(maxJSON); value != nil {
				u.Data = append(u.Data, Field{Key: key, Value: value})
			}
		}
	})
	return u
}

// request reads the HTTP request. Skim wants its address, method and browser.
func (r *reader) request() Request {
	var q Request
	r.object(func(name []byte) {
		switch string(name) {
		case "url":
			q.URL = r.line(maxURL)
		case "method":
			q.Method = r.line(maxShort)
		case "headers":
			headers := r.headers()
			q.UserAgent = header(headers, userAgent)
			if r.full {
				q.Headers = headers[:min(len(headers), maxPairs)]
			}
		default:
			if r.full {
				r.requestDetail(&q, name)
			} else {
				r.skip()
			}
		}
	})
	return q
}

const userAgent = "user-agent"

// headers reads all headers, in Skim only the one it wants.
func (r *reader) headers() []Pair {
	if r.full || r.kind() != '{' {
		return r.pairs(math.MaxInt)
	}
	var agent []Pair
	r.object(func(name []byte) {
		if !strings.EqualFold(oneLine(string(name)), userAgent) {
			r.skip()
		} else if value, ok := r.pairValue(); ok {
			agent = append(agent, Pair{Key: userAgent, Value: value})
		}
	})
	return agent
}

// header returns the last header of that name, whatever its case.
func header(headers []Pair, name string) (value string) {
	for _, h := range headers {
		if strings.EqualFold(h.Key, name) {
			value = h.Value
		}
	}
	return value
}

func (r *reader) requestDetail(q *Request, name []byte) {
	switch string(name) {
	case "query_string":
		q.Query = r.query()
	case "fragment":
		q.Fragment = r.line(maxURL)
	case "cookies":
		q.Cookies = r.cookies()
	case "env":
		q.Env = r.pairs(maxPairs)
	case "data":
		q.Data = r.raw(maxBody)
	default:
		r.skip()
	}
}

// contexts reads the named contexts; one that is not an object has one field.
// Those that tags are made of are read however many there are.
func (r *reader) contexts() []Context {
	var contexts []Context
	r.object(func(name []byte) {
		c := Context{Name: oneLine(cut(name, maxKey))}
		if !tagging(c.Name) && (!r.full || len(contexts) >= maxContexts) {
			r.skip()
			return
		}
		for _, f := range r.fields(maxFields, maxJSON) {
			if f.Key == "type" && f.Value[0] == '"' {
				c.Type = oneLine(f.Value.Text())
			} else {
				c.Fields = append(c.Fields, f)
			}
		}
		if c.Type == "" && len(c.Fields) == 0 {
			return
		}
		if c.Type == "" {
			c.Type = c.Name
		}
		contexts = slices.DeleteFunc(contexts, func(earlier Context) bool { return earlier.Name == c.Name })
		contexts = append(contexts, c)
	})
	return contexts
}

// tagging reports whether DerivedTags looks at the context of that name.
func tagging(name string) bool {
	switch name {
	case "browser", "client_os", "os", "runtime", "device":
		return true
	}
	return false
}

// breadcrumbs reads the last maxBreadcrumbs of them.
func (r *reader) breadcrumbs() []Breadcrumb {
	all := ends[Breadcrumb]{last: maxBreadcrumbs}
	var alone Breadcrumb
	var standsAlone bool
	r.values(func() {
		if r.kind() != '{' {
			r.skip()
			return
		}
		b := all.next()
		r.object(func(name []byte) { r.breadcrumbField(b, name) })
	}, func(name []byte) {
		standsAlone = r.breadcrumbField(&alone, name) || standsAlone
	})
	if standsAlone && all.seen == 0 {
		return []Breadcrumb{alone}
	}
	list, _ := all.list()
	return list
}

// breadcrumbField reads one member of a breadcrumb and reports whether it is one
// that a breadcrumb has.
func (r *reader) breadcrumbField(b *Breadcrumb, name []byte) bool {
	switch string(name) {
	case "timestamp":
		b.Timestamp = r.timestamp()
	case "type":
		b.Type = r.line(maxName)
	case "category":
		b.Category = r.line(maxName)
	case "level":
		b.Level = r.level()
	case "message":
		b.Message = r.text(maxURL)
	case "data":
		b.Data = r.fields(maxFields, maxJSON)
	default:
		r.skip()
		return false
	}
	return true
}

// images reads the entries of debug_meta.
func (r *reader) images() []DebugImage {
	var images []DebugImage
	r.object(func(name []byte) {
		if string(name) != "images" {
			r.skip()
			return
		}
		r.list(func() {
			if r.kind() != '{' || len(images) == maxImages {
				r.skip()
				return
			}
			if image := r.image(); r.full || image.Type == "sourcemap" {
				images = append(images, image)
			}
		})
	})
	return images
}

func (r *reader) image() DebugImage {
	var image DebugImage
	r.object(func(name []byte) {
		switch string(name) {
		case "type":
			image.Type = r.line(maxShort)
		case "code_file", "name":
			if file := r.line(maxURL); file != "" {
				image.CodeFile = file
			}
		case "debug_id", "uuid":
			if id := r.line(maxID); id != "" {
				image.DebugID = id
			}
		case "image_addr":
			image.Address = r.line(maxShort)
		default:
			r.skip()
		}
	})
	return image
}
