package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/rs/zerolog"

	"sundew/digester/store"
	"sundew/functions/lambdahttp"
)

// Config is everything that can be configured. template.yaml sets it.
type Config struct {
	Replica  store.RemoteConfig // SUNDEW_REPLICA: the nearest libSQL replica, required; SUNDEW_REPLICA_TOKEN: what it asks for
	URL      string             // SUNDEW_URL: what SDKs report to, for the guides, and the path in front of the pages; SUNDEW_PRIMARY_URL
	Primary  *url.URL           // SUNDEW_PRIMARY_URL: the dashboard that forms are handed to; nil: pages can only be read
	LogLevel zerolog.Level      // AWS_LAMBDA_LOG_LEVEL: TRACE, DEBUG, INFO, WARN, ERROR, FATAL; INFO
}

// configFromEnv reads the environment and reports everything that is wrong with it
// at once. It quotes no values: addresses may have secrets in them.
func configFromEnv(getenv func(string) string) (Config, error) {
	cfg := Config{LogLevel: zerolog.InfoLevel}
	var problems []error
	read := func(name string, set func(string) error) {
		if v := strings.TrimSpace(getenv(name)); v != "" {
			if err := set(v); err != nil {
				problems = append(problems, fmt.Errorf("  %s: %w", name, err))
			}
		}
	}
	read("SUNDEW_REPLICA", func(v string) (err error) {
		cfg.Replica, err = store.ParseRemote(v)
		return err
	})
	read("SUNDEW_REPLICA_TOKEN", func(v string) error { cfg.Replica.Token = v; return nil })
	read("SUNDEW_URL", func(v string) error {
		cfg.URL = strings.TrimRight(v, "/")
		_, err := pageAddress(v)
		return err
	})
	read("SUNDEW_PRIMARY_URL", func(v string) (err error) {
		cfg.Primary, err = pageAddress(v)
		return err
	})
	read("AWS_LAMBDA_LOG_LEVEL", func(v string) (err error) {
		cfg.LogLevel, err = lambdahttp.ParseLogLevel(v)
		return err
	})
	if getenv("SUNDEW_REPLICA") == "" {
		problems = append(problems, errors.New("  SUNDEW_REPLICA is missing: the address of a libSQL replica"))
	}
	if cfg.URL == "" && cfg.Primary != nil {
		cfg.URL = strings.TrimRight(cfg.Primary.String(), "/")
	}
	if cfg.URL == "" {
		problems = append(problems, errors.New("  one of SUNDEW_URL and SUNDEW_PRIMARY_URL is needed"))
	}
	return cfg, errors.Join(problems...)
}

// pageAddress reads the address of a dashboard.
func pageAddress(v string) (*url.URL, error) {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("want an http or https address, for example https://errors.example.com")
	}
	return u, nil
}
