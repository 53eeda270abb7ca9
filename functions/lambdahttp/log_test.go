package lambdahttp

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// TestLogFields checks the names that Lambda's JSON format wants. It alone sets them
// in the tests, so it is not parallel to any.
func TestLogFields(t *testing.T) {
	name, format, now, level := zerolog.TimestampFieldName, zerolog.TimeFieldFormat, zerolog.TimestampFunc, zerolog.LevelFieldMarshalFunc
	t.Cleanup(func() {
		zerolog.TimestampFieldName, zerolog.TimeFieldFormat, zerolog.TimestampFunc, zerolog.LevelFieldMarshalFunc = name, format, now, level
	})
	SetLogFieldNames()
	var out bytes.Buffer
	log := NewLog(&out, zerolog.InfoLevel)
	log.Debug().Msg("unheard")
	log.Warn().Msg("heard")
	var line struct {
		Timestamp      time.Time
		Level, Message string
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line.Level != "WARN" || line.Message != "heard" || time.Since(line.Timestamp) > time.Minute {
		t.Errorf("%s: %v", &out, err)
	}
	if !strings.HasSuffix(strings.Split(out.String(), `"timestamp":"`)[1][:24], "Z") {
		t.Errorf("not UTC: %s", &out)
	}
}
