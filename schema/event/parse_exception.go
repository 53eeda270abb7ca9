package event

// values reads the three shapes of a list of interfaces: {"values":[…]}, a list,
// or one of them alone. item is called for each element and consumes it; field is
// called for the members of one that stands alone.
func (r *reader) values(item func(), field func(name []byte)) {
	if r.kind() != '{' {
		r.list(item)
		return
	}
	r.object(func(name []byte) {
		if string(name) == "values" {
			r.list(item)
		} else {
			field(name)
		}
	})
}

// exceptions reads the chain of causes.
func (r *reader) exceptions() []Exception {
	all := ends[Exception]{first: firstExceptions, last: lastExceptions}
	var alone Exception
	var standsAlone bool
	r.values(func() {
		if r.kind() != '{' {
			r.skip()
			return
		}
		var x Exception
		r.object(func(name []byte) { r.exceptionField(&x, name) })
		*all.next() = x
	}, func(name []byte) {
		standsAlone = r.exceptionField(&alone, name) || standsAlone
	})
	if standsAlone && all.seen == 0 {
		return []Exception{alone}
	}
	list, _ := all.list()
	return list
}

// exceptionField reads one member of an exception and reports whether it is one
// that an exception has.
func (r *reader) exceptionField(x *Exception, name []byte) bool {
	switch string(name) {
	case "type":
		x.Type = r.line(maxType)
	case "value":
		x.Value = r.text(maxText)
	case "module":
		x.Module = r.line(maxSymbol)
	case "thread_id":
		x.ThreadID = r.line(maxID)
	case "mechanism":
		x.Mechanism = r.mechanism()
	case "stacktrace":
		keepPointer(&x.Stacktrace, r.stacktrace())
	case "raw_stacktrace":
		// The same before the client resolved it: better than none.
		if raw := r.stacktrace(); x.Stacktrace == nil {
			x.Stacktrace = raw
		}
	default:
		r.skip()
		return false
	}
	return true
}

func (r *reader) mechanism() Mechanism {
	var m Mechanism
	if r.kind() == '"' {
		m.Type = r.line(maxName)
		return m
	}
	r.object(func(name []byte) {
		switch string(name) {
		case "type":
			m.Type = r.line(maxName)
		case "description":
			m.Description = r.text(maxText)
		case "help_link":
			m.HelpLink = r.line(maxURL)
		case "handled":
			m.Handled = r.boolean()
		case "synthetic":
			b := r.boolean()
			m.Synthetic = b != nil && *b
		case "exception_id":
			m.ExceptionID = r.optionalNumber()
		case "parent_id":
			m.ParentID = r.optionalNumber()
		case "is_exception_group":
			b := r.boolean()
			m.IsGroup = b != nil && *b
		case "source":
			m.Source = r.line(maxName)
		case "data":
			if r.full {
				m.Data = r.raw(maxJSON)
			} else {
				r.skip()
			}
		default:
			r.skip()
		}
	})
	return m
}

func (r *reader) optionalNumber() *int {
	if n, ok := r.number(); ok {
		return &n
	}
	return nil
}

// threads reads at most maxThreads threads; the crashed and the current one are
// always among them.
func (r *reader) threads() []Thread {
	var threads []Thread
	add := func(t Thread) {
		if len(threads) < maxThreads {
			threads = append(threads, t)
		} else if t.Crashed || t.Current {
			threads[maxThreads-1] = t
		}
	}
	var alone Thread
	var standsAlone bool
	r.values(func() {
		if r.kind() != '{' {
			r.skip()
			return
		}
		var t Thread
		r.object(func(name []byte) { r.threadField(&t, name) })
		add(t)
	}, func(name []byte) {
		standsAlone = r.threadField(&alone, name) || standsAlone
	})
	if standsAlone && len(threads) == 0 {
		add(alone)
	}
	return threads
}

// threadField reads one member of a thread and reports whether it is one that a
// thread has.
func (r *reader) threadField(t *Thread, name []byte) bool {
	switch string(name) {
	case "id":
		t.ID = r.line(maxID)
	case "name":
		t.Name = r.line(maxName)
	case "state":
		t.State = r.line(maxShort)
	case "crashed":
		b := r.boolean()
		t.Crashed = b != nil && *b
	case "current":
		b := r.boolean()
		t.Current = b != nil && *b
	case "stacktrace":
		keepPointer(&t.Stacktrace, r.stacktrace())
	case "raw_stacktrace":
		if raw := r.stacktrace(); t.Stacktrace == nil {
			t.Stacktrace = raw
		}
	default:
		r.skip()
		return false
	}
	return true
}
