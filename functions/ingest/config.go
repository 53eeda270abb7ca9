package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/rs/zerolog"

	"sundew/functions/lambdahttp"
	"sundew/schema/wire"
)

// Config is everything that can be configured. infra/template.yaml sets it.
type Config struct {
	Queue     string        // SUNDEW_QUEUE_URL: of the region's SQS queue; required
	Bucket    string        // SUNDEW_BUCKET: of the region, for large messages and the keys; required
	KeysURL   string        // SUNDEW_KEYS_URL: the nearest libSQL replica; empty: keys from Bucket alone
	KeysToken string        // SUNDEW_KEYS_TOKEN: what the replica asks for
	KeyRate   float64       // SUNDEW_KEY_RATE: events a second that one key may send to one environment; 0: no limit
	MaxEvent  int           // SUNDEW_MAX_EVENT_BYTES: of one event, decoded; 0: 1 MiB
	Region    string        // SUNDEW_REGION_NAME: what events are marked with; AWS_REGION
	LogLevel  zerolog.Level // AWS_LAMBDA_LOG_LEVEL: TRACE, DEBUG, INFO, WARN, ERROR, FATAL; INFO
}

// configFromEnv reads the environment and reports everything that is wrong with
// it at once. It quotes no values: addresses may have secrets in them.
func configFromEnv(getenv func(string) string) (Config, error) {
	cfg := Config{LogLevel: zerolog.InfoLevel, Region: getenv("AWS_REGION")}
	var problems []error
	problem := func(name string, err error) {
		if err != nil {
			problems = append(problems, fmt.Errorf("  %s: %w", name, err))
		}
	}
	read := func(name string, set func(string) error) {
		if v := strings.TrimSpace(getenv(name)); v != "" {
			problem(name, set(v))
		}
	}
	required := func(name string, set func(string) error) {
		problem(name, set(strings.TrimSpace(getenv(name))))
	}
	required("SUNDEW_QUEUE_URL", func(v string) error {
		cfg.Queue = v
		return checkURL(v, "want the queue's address, for example https://sqs.eu-central-1.amazonaws.com/123456789012/sundew", "https", "http")
	})
	required("SUNDEW_BUCKET", func(v string) error {
		if cfg.Bucket = v; v == "" || strings.Contains(v, "/") {
			return errors.New("want a bucket's name")
		}
		return nil
	})
	read("SUNDEW_KEYS_URL", func(v string) error {
		cfg.KeysURL = v
		return checkURL(v, "want a replica's address without a token, for example libsql://keys.example.com", "libsql", "https", "http")
	})
	read("SUNDEW_KEYS_TOKEN", func(v string) error { cfg.KeysToken = v; return nil })
	read("SUNDEW_KEY_RATE", func(v string) (err error) {
		cfg.KeyRate, err = strconv.ParseFloat(v, 64)
		if err != nil || !(cfg.KeyRate >= 0 && cfg.KeyRate <= 1e9) {
			return errors.New("want events a second, for example 100; 0 means no limit")
		}
		return nil
	})
	read("SUNDEW_MAX_EVENT_BYTES", func(v string) (err error) {
		cfg.MaxEvent, err = strconv.Atoi(v)
		if err != nil || cfg.MaxEvent < 1024 || cfg.MaxEvent > wire.MaxBody {
			return fmt.Errorf("want a number of bytes between 1024 and %d", wire.MaxBody)
		}
		return nil
	})
	read("SUNDEW_REGION_NAME", func(v string) error { cfg.Region = v; return nil })
	read("AWS_LAMBDA_LOG_LEVEL", func(v string) (err error) {
		cfg.LogLevel, err = lambdahttp.ParseLogLevel(v)
		return err
	})
	return cfg, errors.Join(problems...)
}

// checkURL returns an error that says what is wanted unless v is an address of one of
// the schemes and nothing more.
func checkURL(v, want string, schemes ...string) error {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New(want)
	}
	for _, scheme := range schemes {
		if u.Scheme == scheme {
			return nil
		}
	}
	return errors.New(want)
}
