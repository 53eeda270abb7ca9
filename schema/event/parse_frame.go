package event

// stacktrace reads {"frames":[…]}, or the list alone; nil if it has no frames.
func (r *reader) stacktrace() *Stacktrace {
	all := ends[Frame]{first: firstFrames, last: lastFrames}
	item := func() {
		if r.kind() != '{' {
			r.skip()
			return
		}
		f := all.next()
		r.object(func(name []byte) { r.frameField(f, name) })
	}
	switch r.kind() {
	case '{':
		r.object(func(name []byte) {
			if string(name) == "frames" {
				r.list(item)
			} else {
				r.skip()
			}
		})
	case '[':
		r.list(item)
	default:
		r.skip()
	}
	frames, omitted := all.list()
	if len(frames) == 0 {
		return nil
	}
	return &Stacktrace{Frames: frames, Omitted: omitted}
}

// template reads the legacy interface of a failed template: one frame.
func (r *reader) template() *Frame {
	var f Frame
	known := false
	r.object(func(name []byte) { known = r.frameField(&f, name) || known })
	if !known {
		return nil
	}
	return &f
}

// frameField reads one member of a frame and reports whether it is one that a
// frame has.
func (r *reader) frameField(f *Frame, name []byte) bool {
	switch string(name) {
	case "function":
		f.Function = r.line(maxSymbol)
	case "raw_function":
		f.RawFunction = r.line(maxSymbol)
	case "module":
		f.Module = r.line(maxSymbol)
	case "package":
		f.Package = r.line(maxSymbol)
	case "filename":
		f.Filename = r.line(maxSymbol)
	case "abs_path":
		f.AbsPath = r.line(maxURL)
	case "lineno":
		f.Line = r.position()
	case "colno":
		f.Column = r.position()
	case "in_app":
		f.InApp = r.boolean()
	case "instruction_addr":
		f.Address = r.line(maxShort)
	default:
		if !r.full {
			r.skip()
			return false
		}
		return r.frameSource(f, name)
	}
	return true
}

// frameSource reads the members of a frame that only pages show.
func (r *reader) frameSource(f *Frame, name []byte) bool {
	switch string(name) {
	case "pre_context":
		f.PreContext = r.sourceLines()
	case "context_line":
		f.ContextLine = r.text(maxLine)
	case "post_context":
		f.PostContext = r.sourceLines()
	case "vars":
		f.Vars = r.fields(maxVars, maxVarJSON)
	default:
		r.skip()
		return false
	}
	return true
}

// sourceLines reads lines of source. A null among them is an empty line, so that
// the others keep their distance.
func (r *reader) sourceLines() []string {
	var lines []string
	r.list(func() {
		if line := r.text(maxLine); len(lines) < maxContextLines {
			lines = append(lines, line)
		}
	})
	return lines
}
