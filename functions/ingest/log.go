package main

import (
	"io"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// setLogFieldNames makes log lines what Lambda's JSON format knows, so that its
// filters work. The names are variables of zerolog's package: this is the only place
// that sets them, and only main calls it.
func setLogFieldNames() {
	zerolog.TimestampFieldName = "timestamp"
	zerolog.TimeFieldFormat = "2006-01-02T15:04:05.000Z07:00"
	zerolog.TimestampFunc = func() time.Time { return time.Now().UTC() }
	zerolog.LevelFieldMarshalFunc = func(l zerolog.Level) string { return strings.ToUpper(l.String()) }
}

// newLog returns the log of the process.
func newLog(out io.Writer, level zerolog.Level) zerolog.Logger {
	return zerolog.New(out).Level(level).With().Timestamp().Logger()
}
