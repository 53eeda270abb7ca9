package lambdahttp

import (
	"errors"
	"io"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// SetLogFieldNames makes log lines what Lambda's JSON format knows, so that its
// filters work. The names are variables of zerolog's package: this is the only place
// that sets them, and only mains call it.
func SetLogFieldNames() {
	zerolog.TimestampFieldName = "timestamp"
	zerolog.TimeFieldFormat = "2006-01-02T15:04:05.000Z07:00"
	zerolog.TimestampFunc = func() time.Time { return time.Now().UTC() }
	zerolog.LevelFieldMarshalFunc = func(l zerolog.Level) string { return strings.ToUpper(l.String()) }
}

// NewLog returns the log of a process.
func NewLog(out io.Writer, level zerolog.Level) zerolog.Logger {
	return zerolog.New(out).Level(level).With().Timestamp().Logger()
}

// ParseLogLevel reads what Lambda puts into AWS_LAMBDA_LOG_LEVEL.
func ParseLogLevel(v string) (zerolog.Level, error) {
	level, err := zerolog.ParseLevel(strings.ToLower(v))
	if err != nil {
		return zerolog.InfoLevel, errors.New("want TRACE, DEBUG, INFO, WARN, ERROR or FATAL")
	}
	return level, nil
}
