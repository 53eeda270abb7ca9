package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/mail"
	"sundew/digester/outbound"
	"sundew/digester/password"
	"sundew/digester/provider"
	"sundew/digester/replicate"
	"sundew/digester/retention"
	"sundew/digester/store"
	"sundew/functions/ingest/edge"
	"sundew/schema/quota"
)

// Config is everything that can be configured. The names of the environment
// variables are in the README's table.
type Config struct {
	Program   string         // this program's own file, which runs people's SQL in a process each; empty: this process does
	Data      string         // SUNDEW_DATA: directory of the database and the queue; "./data"
	Listen    string         // SUNDEW_LISTEN: address of intake and dashboard; "127.0.0.1:8000"
	URL       string         // SUNDEW_URL: how browsers and SDKs reach Listen from outside; derived from Listen
	KeyRate   float64        // SUNDEW_KEY_RATE: events a second that one key may send; 0: no limit
	Spike     int64          // SUNDEW_SPIKE: events a minute of one issue that are all stored, where a project says nothing else; 0: any number; 300
	ProxyHops int            // SUNDEW_PROXY_HOPS: trusted reverse proxies in front, for client addresses; 0
	MaxEvent  int64          // SUNDEW_MAX_EVENT_BYTES: of one event, decoded; 1 MiB
	MaxBody   int64          // SUNDEW_MAX_BODY_BYTES: of a request as sent; 20 MiB
	MaxFile   int64          // SUNDEW_MAX_ATTACHMENT_BYTES: of one attachment; 5 MiB
	LogLevel  zerolog.Level  // SUNDEW_LOG_LEVEL: debug, info, warn, error; info
	Regions   []RegionConfig // SUNDEW_QUEUES and SUNDEW_BUCKETS: where the edge runs elsewhere; none

	OwnerEmail    string // SUNDEW_OWNER_EMAIL: who owns the installation, made if there is no owner; none
	OwnerPassword string // SUNDEW_OWNER_PASSWORD: their password

	AttachmentBytes int64            // SUNDEW_ATTACHMENT_BYTES: of a project's attachments, of which the oldest go first; 1 GiB
	Retention       retention.Policy // SUNDEW_RETENTION_DAYS and SUNDEW_RETENTION_EVENTS: of projects that say nothing themselves; 90 days, 100,000 events
	ArtifactDays    int64            // SUNDEW_ARTIFACT_DAYS: after which uploads of build tools go that nothing used; 90; 0: never
	ArtifactBytes   int64            // SUNDEW_ARTIFACT_BYTES: of all of them, of which the least used of the largest project go first; 5 GiB
	UploadRequest   int64            // SUNDEW_UPLOAD_REQUEST: of a request with such uploads; 8 MiB
	MapMemory       int64            // SUNDEW_SOURCEMAP_BYTES: of source maps in memory, of which those not used for the longest go first; 64 MiB
	LateDays        int64            // SUNDEW_SOURCEMAP_DAYS: how long ago an issue was seen at most whose events are read again when source maps arrive; 30
	SMTP            mail.Server      // SUNDEW_SMTP: the server that takes mail; none: there are links to hand over instead
	MailFrom        string           // SUNDEW_MAIL_FROM: whom mail is from; needed with SMTP

	Networks outbound.Networks // SUNDEW_ALLOW_NETWORKS: of ours that channels may call beside the internet; none

	Provider provider.Config // SUNDEW_OIDC_…: who else signs people in; none
	OpsToken string          // SUNDEW_OPS_TOKEN: opens /metrics and /ledger.json to programs on other machines; none

	Traces      string // OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, or OTEL_EXPORTER_OTLP_ENDPOINT: whom to send spans; nobody
	ImportToken string // SENTRY_AUTH_TOKEN: with which import asks another server; none

	DiskFree int64        // SUNDEW_DISK_FREE: bytes that have to be free where Data is, or /health/ready says no; 512 MiB
	Copies   []CopyConfig // SUNDEW_COPIES: dashboards elsewhere that are asked how far behind they are; none

	Database string             // SUNDEW_DB: the file, with "file:" before it; sundew.db in Data
	Server   store.RemoteConfig // SUNDEW_DB and SUNDEW_DB_TOKEN: the libSQL server in place of a file; none
	Replica  store.RemoteConfig // SUNDEW_REPLICA and SUNDEW_REPLICA_TOKEN: the libSQL server that a dashboard process reads; none

	Backup      replicate.Target // SUNDEW_BACKUP: where the database is copied to as it is written; none
	BackupDir   string           // SUNDEW_BACKUP_DIR: where backups are made into by the clock; none
	BackupEvery time.Duration    // SUNDEW_BACKUP_EVERY: how far they are apart; a day
	BackupKeep  int              // SUNDEW_BACKUP_KEEP: how many are kept; 7

	Follow  replicate.Target // SUNDEW_FOLLOW: the backup that a dashboard process follows; none
	Primary *url.URL         // SUNDEW_PRIMARY_URL: where a dashboard process hands what it cannot do itself; none
}

// configFromEnv reads the environment and reports everything that is wrong with
// it at once.
func configFromEnv(getenv func(string) string) (Config, error) {
	cfg := Config{Data: "data", Listen: "127.0.0.1:8000", LogLevel: zerolog.InfoLevel, DiskFree: 512 << 20, BackupEvery: 24 * time.Hour, BackupKeep: 7,
		Spike: quota.DefaultSpike, Networks: outbound.PublicOnly(), Retention: retention.Policy{Days: retention.DefaultDays, Events: retention.DefaultEvents}}
	var problems []error
	read := func(name string, set func(string) error) {
		if v := strings.TrimSpace(getenv(name)); v != "" {
			if err := set(v); err != nil {
				problems = append(problems, fmt.Errorf("  %s=%q: %w", name, v, err))
			}
		}
	}
	read("SUNDEW_DATA", func(v string) error { cfg.Data = v; return nil })
	read("SUNDEW_LISTEN", func(v string) error {
		cfg.Listen = v
		if _, _, err := net.SplitHostPort(v); err != nil {
			return errors.New("want host:port, for example 127.0.0.1:8000")
		}
		return nil
	})
	read("SUNDEW_URL", func(v string) error {
		if _, err := parseAddress(v); err != nil {
			return err
		}
		cfg.URL = strings.TrimRight(v, "/")
		return nil
	})
	cfg.readFloods(read)
	read("SUNDEW_PROXY_HOPS", func(v string) (err error) {
		cfg.ProxyHops, err = strconv.Atoi(v)
		if err != nil || cfg.ProxyHops < 0 || cfg.ProxyHops > 10 {
			return errors.New("want the number of reverse proxies in front, 0 to 10")
		}
		return nil
	})
	readDatabases(read, &cfg)
	read("SUNDEW_OWNER_EMAIL", func(v string) (err error) {
		cfg.OwnerEmail, err = store.CleanEmail(v)
		return err
	})
	// Not quoted where it is wrong.
	if cfg.OwnerPassword = getenv("SUNDEW_OWNER_PASSWORD"); (cfg.OwnerPassword == "") != (cfg.OwnerEmail == "") {
		problems = append(problems, errors.New("  SUNDEW_OWNER_EMAIL and SUNDEW_OWNER_PASSWORD: one needs the other"))
	} else if err := password.Check(cfg.OwnerPassword); cfg.OwnerPassword != "" && err != nil {
		problems = append(problems, fmt.Errorf("  SUNDEW_OWNER_PASSWORD: %w", err))
	}
	problems = append(problems, readProvider(read, getenv, &cfg)...)
	problems = append(problems, readOperation(read, getenv, &cfg)...)
	problems = append(problems, cfg.readMail(getenv)...)
	read("SUNDEW_ALLOW_NETWORKS", cfg.allowNetworks)
	target := func(dst *replicate.Target) func(string) error {
		return func(v string) (err error) {
			*dst, err = replicate.ParseTarget(v)
			return err
		}
	}
	read("SUNDEW_BACKUP", target(&cfg.Backup))
	read("SUNDEW_FOLLOW", target(&cfg.Follow))
	read("SUNDEW_PRIMARY_URL", func(v string) (err error) {
		cfg.Primary, err = parseAddress(v)
		return err
	})
	bytes := func(dst *int64, highest int64) func(string) error {
		return func(v string) (err error) {
			*dst, err = strconv.ParseInt(v, 10, 64)
			if err != nil || *dst < 1024 || *dst > highest {
				return fmt.Errorf("want a number of bytes between 1024 and %d", highest)
			}
			return nil
		}
	}
	read("SUNDEW_MAX_EVENT_BYTES", bytes(&cfg.MaxEvent, 1<<30))
	read("SUNDEW_MAX_BODY_BYTES", bytes(&cfg.MaxBody, 1<<30))
	read("SUNDEW_MAX_ATTACHMENT_BYTES", bytes(&cfg.MaxFile, edge.MaxAttachment))
	read("SUNDEW_ATTACHMENT_BYTES", bytes(&cfg.AttachmentBytes, 1<<40))
	readRetention(read, &cfg.Retention)
	readUploads(read, &cfg)
	readMaps(read, &cfg)
	read("SUNDEW_LOG_LEVEL", func(v string) (err error) {
		if cfg.LogLevel, err = zerolog.ParseLevel(strings.ToLower(v)); err != nil {
			return errors.New("want debug, info, warn or error")
		}
		return nil
	})
	read("SUNDEW_QUEUES", func(v string) (err error) {
		cfg.Regions, err = parseQueues(v)
		return err
	})
	read("SUNDEW_BUCKETS", func(v string) error { return addBuckets(cfg.Regions, v) })
	if cfg.Server.URL != "" && !cfg.Backup.IsZero() {
		problems = append(problems, errors.New("  SUNDEW_BACKUP: copies a file, and SUNDEW_DB is a server, which has backups of its own"))
	}
	if cfg.Server.URL != "" && cfg.BackupDir != "" {
		problems = append(problems, errors.New("  SUNDEW_BACKUP_DIR: is for a file, and SUNDEW_DB is a server, which has backups of its own"))
	}
	return cfg, errors.Join(problems...)
}

// readRetention reads how long events are kept.
func readRetention(read func(string, func(string) error), policy *retention.Policy) {
	read("SUNDEW_RETENTION_DAYS", func(v string) (err error) {
		policy.Days, err = strconv.ParseInt(v, 10, 64)
		if err != nil || policy.Days < 0 || policy.Days > retention.MaxDays {
			return fmt.Errorf("want a number of days from 1 to %d; 0 means for ever", retention.MaxDays)
		}
		return nil
	})
	read("SUNDEW_RETENTION_EVENTS", func(v string) (err error) {
		policy.Events, err = strconv.ParseInt(v, 10, 64)
		if err != nil || policy.Events != 0 && (policy.Events < retention.MinEvents || policy.Events > retention.MaxEvents) {
			return fmt.Errorf("want a number of events of each project from %d to %d; 0 means all", retention.MinEvents, retention.MaxEvents)
		}
		return nil
	})
}

// readMaps reads what is done with source maps.
func readMaps(read func(string, func(string) error), cfg *Config) {
	read("SUNDEW_SOURCEMAP_BYTES", func(v string) (err error) {
		if cfg.MapMemory, err = strconv.ParseInt(v, 10, 64); err != nil || cfg.MapMemory < 1<<20 || cfg.MapMemory > 1<<40 {
			return errors.New("want a number of bytes, 1048576 or more")
		}
		return nil
	})
	read("SUNDEW_SOURCEMAP_DAYS", func(v string) (err error) {
		if cfg.LateDays, err = strconv.ParseInt(v, 10, 64); err != nil || cfg.LateDays < 1 || cfg.LateDays > 3650 {
			return errors.New("want a number of days, 1 or more")
		}
		return nil
	})
}

// readOperation reads what watching the program needs.
func readOperation(read func(string, func(string) error), getenv func(string) string, cfg *Config) (problems []error) {
	read("SUNDEW_DISK_FREE", func(v string) (err error) {
		cfg.DiskFree, err = strconv.ParseInt(v, 10, 64)
		if err != nil || cfg.DiskFree < 0 {
			return errors.New("want a number of bytes; 0 means that any will do")
		}
		return nil
	})
	read("SUNDEW_BACKUP_DIR", func(v string) error { cfg.BackupDir = v; return nil })
	read("SUNDEW_BACKUP_EVERY", func(v string) (err error) {
		if cfg.BackupEvery, err = time.ParseDuration(v); err != nil || cfg.BackupEvery < time.Minute {
			return errors.New("want a duration of a minute or more, for example 24h")
		}
		return nil
	})
	read("SUNDEW_BACKUP_KEEP", func(v string) (err error) {
		if cfg.BackupKeep, err = strconv.Atoi(v); err != nil || cfg.BackupKeep < 1 {
			return errors.New("want how many backups to keep, 1 or more")
		}
		return nil
	})
	read("SUNDEW_COPIES", func(v string) (err error) {
		cfg.Copies, err = parseCopies(v)
		return err
	})
	read("OTEL_EXPORTER_OTLP_ENDPOINT", func(v string) error {
		u, err := parseAddress(v)
		if err == nil {
			cfg.Traces = u.JoinPath("v1", "traces").String()
		}
		return err
	})
	read("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", func(v string) error {
		_, err := parseAddress(v)
		cfg.Traces = v
		return err
	})
	cfg.ImportToken = strings.TrimSpace(getenv("SENTRY_AUTH_TOKEN"))
	// Not quoted where it is wrong, like the password.
	if cfg.OpsToken = getenv("SUNDEW_OPS_TOKEN"); cfg.OpsToken != "" && len(cfg.OpsToken) < minOpsToken {
		problems = append(problems, fmt.Errorf("  SUNDEW_OPS_TOKEN: it needs at least %d characters", minOpsToken))
	}
	return problems
}

// readFloods reads what holds back floods.
func (c *Config) readFloods(read func(name string, set func(string) error)) {
	read("SUNDEW_KEY_RATE", func(v string) (err error) {
		c.KeyRate, err = strconv.ParseFloat(v, 64)
		if err != nil || !(c.KeyRate >= 0 && c.KeyRate <= 1e9) {
			return errors.New("want events a second, for example 100; 0 means no limit")
		}
		return nil
	})
	read("SUNDEW_SPIKE", func(v string) (err error) {
		c.Spike, err = strconv.ParseInt(v, 10, 64)
		if err != nil || c.Spike < 0 || c.Spike > quota.MaxLimit {
			return errors.New("want events a minute of one issue, for example 300; 0 stores all")
		}
		return nil
	})
}

// readMail reads what mail needs. The server's address has a password and is not
// quoted.
func (c *Config) readMail(getenv func(string) string) (problems []error) {
	server, from := strings.TrimSpace(getenv("SUNDEW_SMTP")), strings.TrimSpace(getenv("SUNDEW_MAIL_FROM"))
	if (server == "") != (from == "") {
		problems = append(problems, errors.New("  SUNDEW_SMTP and SUNDEW_MAIL_FROM: one needs the other"))
	}
	var err error
	if server != "" {
		if c.SMTP, err = mail.ParseServer(server); err != nil {
			problems = append(problems, fmt.Errorf("  SUNDEW_SMTP: %w", err))
		}
	}
	if from != "" {
		if c.MailFrom, err = mail.ParseFrom(from); err != nil {
			problems = append(problems, fmt.Errorf("  SUNDEW_MAIL_FROM=%q: %w", from, err))
		}
	}
	return problems
}

func (c *Config) allowNetworks(v string) (err error) {
	c.Networks, err = outbound.Parse(v)
	return err
}

func parseAddress(v string) (*url.URL, error) {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("want an http or https address, for example https://errors.example.com")
	}
	return u, nil
}

// databasePath returns the file that the digester writes.
func (c Config) databasePath() string {
	if c.Database != "" {
		return c.Database
	}
	return filepath.Join(c.Data, "sundew.db")
}

func (c Config) queuePath() string { return filepath.Join(c.Data, "queue.db") }
func (c Config) copyPath() string  { return filepath.Join(c.Data, "copy.db") }

// publicURL returns how to reach what listens at addr.
func (c Config) publicURL(addr string) string {
	if c.URL != "" {
		return c.URL
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "http://" + addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// reportURL returns what DSNs name on the pages of a process without intake, which
// itself is reached at own: what SUNDEW_URL says, else the primary. One with a path
// would also put that in front of links, so then SUNDEW_URL has to say it.
func (c Config) reportURL(own string) string {
	if c.URL == "" && c.Primary != nil && strings.Trim(c.Primary.Path, "/") == "" {
		return strings.TrimRight(c.Primary.String(), "/")
	}
	return own
}
