package scrub

// Book has the scrubbers of all projects at one moment. It does not change, so any
// number of goroutines may use it. A nil Book has that of every project that has set
// nothing.
type Book struct {
	settings  map[int64]Settings
	scrubbers map[int64]*Scrubber
	usual     *Scrubber
}

// NewBook returns a book of the projects' settings, by their numbers. What the last one,
// which may be nil, has of the same settings is taken over. A setting that cannot be
// used, as a newer program may have written it, is left out alone.
func NewBook(settings map[int64]Settings, last *Book) *Book {
	b := &Book{settings: settings, scrubbers: make(map[int64]*Scrubber, len(settings))}
	if last != nil {
		b.usual = last.usual
	} else {
		b.usual = Default()
	}
	for project, set := range settings {
		if last != nil {
			if known := last.scrubbers[project]; known != nil && last.settings[project].Equal(set) {
				b.scrubbers[project] = known
				continue
			}
		}
		b.scrubbers[project] = compile(set)
	}
	return b
}

// Of returns a project's scrubber.
func (b *Book) Of(project int64) *Scrubber {
	if s := b.scrubbers[project]; s != nil {
		return s
	}
	return b.usual
}
