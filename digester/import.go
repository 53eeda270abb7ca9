package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/rs/zerolog"

	"sundew/digester/dashboard"
	"sundew/digester/sentryapi"
	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// importRate is how many requests a second are made if nothing else is said.
const importRate = 5

// importOptions is what the command line says.
type importOptions struct {
	api      sentryapi.Config
	projects []string        // slugs there; none: all
	into     event.ProjectID // 0: projects are made
	dryRun   bool
}

// importing handles `import`.
func importing(ctx context.Context, cfg Config, args []string, stdout, stderr io.Writer) (err error) {
	opts, err := parseImport(cfg, args, stderr)
	if err != nil {
		return err
	}
	i := &importer{
		client: sentryapi.New(opts.api), opts: opts, out: stdout, codec: wire.NewCodec(), seq: make(map[event.ProjectID]uint64),
		source: strings.TrimRight(opts.api.URL.Host+opts.api.URL.Path, "/") + " " + opts.api.Org,
		dsn: func(p store.Project) string {
			return dashboard.DSN(cfg.publicURL(cfg.Listen), p.Keys[0], p.ID)
		},
	}
	if opts.dryRun {
		if i.replica, err = openDatabaseForReading(ctx, cfg); err != nil {
			return err
		}
	} else {
		if i.db, err = cfg.openPrimary(ctx, store.Config{}); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, i.db.Close(context.WithoutCancel(ctx))) }()
		if i.replica, err = i.db.OpenReplica(ctx); err != nil {
			return err
		}
	}
	defer i.replica.Close()
	if _, err := rand.Read(i.instance[:]); err != nil {
		return err
	}
	rules := &ruleBook{replica: i.replica, log: zerolog.Nop()}
	if err := rules.refresh(ctx); err != nil {
		return fmt.Errorf("reading the rules of projects: %w", err)
	}
	i.rules = rules
	return i.run(ctx)
}

func parseImport(cfg Config, args []string, stderr io.Writer) (importOptions, error) {
	var opts importOptions
	flags := flag.NewFlagSet("import", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {}
	address := flags.String("url", "https://sentry.io", "")
	token := flags.String("token", cfg.ImportToken, "")
	org := flags.String("org", "", "")
	rate := flags.Float64("rate", importRate, "")
	into := flags.Int64("into", 0, "")
	dryRun := flags.Bool("dry-run", false, "")
	flags.Func("project", "", func(slug string) error {
		opts.projects = append(opts.projects, slug)
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return opts, fmt.Errorf("%w: %w", errUsage, err)
	}
	u, err := parseAddress(*address)
	switch {
	case flags.NArg() > 0:
		return opts, fmt.Errorf("%w: import takes flags only", errUsage)
	case err != nil:
		return opts, fmt.Errorf("%w: --url %q: %w", errUsage, *address, err)
	case *org == "":
		return opts, fmt.Errorf("%w: import needs --org, the organization's short name", errUsage)
	case *token == "":
		return opts, fmt.Errorf("%w: import needs a token with org:read, project:read, team:read and event:read, in SENTRY_AUTH_TOKEN or --token", errUsage)
	case !(*rate > 0 && *rate <= 1000):
		return opts, fmt.Errorf("%w: --rate: want requests a second, more than 0", errUsage)
	case *into != 0 && len(opts.projects) != 1:
		return opts, fmt.Errorf("%w: --into takes one --project", errUsage)
	}
	opts.api = sentryapi.Config{URL: u, Token: *token, Org: *org, Rate: *rate}
	opts.into, opts.dryRun = event.ProjectID(*into), *dryRun
	return opts, nil
}
