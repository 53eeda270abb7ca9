package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"sundew/digester/api"
	"sundew/digester/artifact/shelf"
	"sundew/digester/courier"
	"sundew/digester/dashboard"
	"sundew/digester/digest"
	"sundew/digester/ledger"
	"sundew/digester/mail"
	"sundew/digester/mcp"
	"sundew/digester/outbound"
	"sundew/digester/password"
	"sundew/digester/provider"
	"sundew/digester/queue/local"
	"sundew/digester/release"
	"sundew/digester/replicate"
	"sundew/digester/search/indexer"
	"sundew/digester/store"
	"sundew/digester/symbolicate/late"
	"sundew/digester/symbolicate/scripts"
	"sundew/functions/ingest/edge"
	"sundew/schema/wire"
)

const (
	// countsEvery is how often the edge's counts of what it did not queue are
	// sent. A process that is killed loses those of so long, never an event.
	countsEvery = time.Second

	// drainFor is how long requests under way may take to end at shutdown.
	drainFor = 10 * time.Second

	// passwordsAtOnce is how many passwords are checked at once, with 64 MiB each.
	passwordsAtOnce = 2

	// localQueue is what this process's own queue is called.
	localQueue = "local"

	// firstProject is made when there is none, so that there is a DSN to print.
	firstProject = "My project"
)

// service is everything that runs in one process.
type service struct {
	cfg       Config
	role      role
	log       zerolog.Logger
	db        *store.DB
	replica   *store.Replica
	queue     *local.Queue
	keys      *keySnapshot
	rules     *ruleBook
	scripts   *scripts.Cache // nil until open
	quotas    *quotaBook
	edge      *edge.Handler
	intake    http.Handler     // edge, watched
	digester  *digest.Digester // of the local queue
	regions   []*region
	publisher *keyPublisher
	dashboard *dashboard.Dashboard
	api       *api.API
	agents    *mcp.Server
	postman   *mail.Postman // nil: nobody takes mail
	courier   *courier.Courier
	outbound  *outbound.Client
	listener  net.Listener
	timings   *prometheus.HistogramVec
	removals  *prometheus.CounterVec
	requests  *prometheus.HistogramVec
	backup    *replicate.Backup // nil: there is none
	passwords *password.Hasher  // nil until open: those of recommended cost
	copies    *copyWatch
	clock     *backupClock
	shelf     *shelf.Shelf
	tracing   *tracing // nil: nobody is sent traces
	decided   rate     // of messages
	started   time.Time
	diskFree  func(path string) (free, total int64, err error) // nil until open: the operating system's answer
	url       string

	opened  atomic.Pointer[http.Handler] // nil until the database can be used
	waiting atomic.Pointer[string]       // why it cannot; nil: it is being prepared
}

// serve runs everything until ctx is done, then stops in the order in which
// nothing is lost: intake first, the digester after its batch, the database last.
func serve(ctx context.Context, cfg Config, args []string, stdout, stderr io.Writer) (err error) {
	role, err := parseRole(args, stderr)
	if err != nil {
		return err
	}
	if role == roleDashboard {
		return serveCopy(ctx, cfg, stdout, newLog(stderr, cfg.LogLevel))
	}
	s := &service{cfg: cfg, role: role, log: newLog(stderr, cfg.LogLevel)}
	defer func() { err = errors.Join(err, s.close(context.WithoutCancel(ctx))) }()
	if err := s.openIntake(ctx); err != nil {
		return err
	}
	return s.run(ctx, stdout)
}

// greeting makes what a new installation needs and says where to find it.
func (s *service) greeting(ctx context.Context) (string, error) {
	dsn, err := s.firstDSN(ctx)
	if err != nil {
		return "", err
	}
	setup, err := s.firstOwner(ctx)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("Sundew is ready. Dashboard: %s/  DSN: %s\n", s.url, dsn)
	if setup != "" {
		text += fmt.Sprintf("Nobody owns this installation yet. Make yourself its owner (the link works once): %s\n", setup)
	}
	return text, nil
}

// newLog writes lines for people to a terminal and JSON to everything else.
func newLog(stderr io.Writer, level zerolog.Level) zerolog.Logger {
	out := stderr
	if f, ok := stderr.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			out = zerolog.ConsoleWriter{Out: f, TimeFormat: time.TimeOnly}
		}
	}
	return zerolog.New(out).Level(level).With().Timestamp().Logger()
}

// openIntake opens what takes events: the queue, and nothing that it could wait for.
// What was opened before an error is closed by close.
func (s *service) openIntake(ctx context.Context) (err error) {
	s.started, s.copies = time.Now(), newCopyWatch(s.cfg.Copies, time.Now)
	s.clock = &backupClock{cfg: s.cfg, now: time.Now, disk: diskFree, log: s.log}
	if s.diskFree == nil {
		s.diskFree = diskFree
	}
	s.requests = newRequests()
	if s.tracing, err = openTracing(ctx, s.cfg.Traces, s.log); err != nil {
		return err
	}
	if err := os.MkdirAll(s.cfg.Data, 0o700); err != nil {
		return fmt.Errorf("making the data directory: %w", err)
	}
	// The queue first: its lock is what keeps a second process out.
	if s.queue, err = local.Open(ctx, local.Config{Path: s.cfg.queuePath(), Log: s.log}); err != nil {
		if errors.Is(err, local.ErrInUse) {
			return fmt.Errorf("another digester is running on %q; stop it, or set SUNDEW_DATA to another directory: %w", s.cfg.Data, err)
		}
		return err
	}
	if s.listener, err = net.Listen("tcp", s.cfg.Listen); err != nil {
		return fmt.Errorf("listening on %s (set SUNDEW_LISTEN to use another address): %w", s.cfg.Listen, err)
	}
	s.url = s.cfg.publicURL(s.listener.Addr().String())
	s.keys = &keySnapshot{log: s.log}
	limits := edge.DefaultLimits()
	if s.cfg.MaxEvent > 0 {
		limits.Event = int(s.cfg.MaxEvent)
	}
	if s.cfg.MaxBody > 0 {
		limits.Body = s.cfg.MaxBody
	}
	if s.cfg.MaxFile > 0 {
		limits.Attachment = int(s.cfg.MaxFile)
	}
	s.quotas = newQuotaBook(s.cfg.Spike, s.queue.Accepted, s.log)
	s.edge, err = edge.New(edge.Config{
		Keys: s.keys, Quotas: s.quotas.accepted, Scrubber: s.keys.scrubber, Sender: s.queue, Codec: wire.NewCodec(), Limits: limits,
		KeyRate: s.cfg.KeyRate, ProxyHops: s.cfg.ProxyHops, Log: s.log,
	})
	s.intake = timed(s.requests, partIntake, s.tracing.requests(partIntake, s.edge))
	return err
}

// open opens and wires all the rest. What was opened before an error is closed by
// close.
func (s *service) open(ctx context.Context) (err error) {
	s.timings, s.removals = newTimings(), newRemovals()
	if err := s.awaitDatabase(ctx); err != nil {
		return err
	}
	askBy(s.replica, s.cfg.Program)
	if s.tracing != nil {
		s.replica.ObserveReads(s.tracing.read)
	}
	if err := s.quotas.open(ctx, s.db, s.replica); err != nil {
		return fmt.Errorf("reading the quotas: %w", err)
	}
	s.keys.use(s.replica)
	s.rules = &ruleBook{replica: s.replica, log: s.log}
	if err := s.rules.refresh(ctx); err != nil { // without them events would go to other issues
		return fmt.Errorf("reading the rules of projects: %w", err)
	}
	s.scripts = scripts.New(scripts.Config{From: s.replica, Bytes: int(s.cfg.MapMemory)})
	if s.digester, err = digest.New(s.digesting(localQueue, s.queue, s.log)); err != nil {
		return err
	}
	if err = s.openRegions(ctx); err != nil {
		return err
	}
	if s.passwords == nil {
		s.passwords = password.NewHasher(passwordsAtOnce, password.Recommended())
	}
	s.openMail()
	s.openCourier()
	snapshot, err := openSnapshots(s.cfg)
	if err != nil {
		return err
	}
	s.dashboard, err = dashboard.New(dashboard.Config{
		Snapshot:  snapshot,
		Provider:  s.provider(),
		Mail:      s.callPostman(),
		Courier:   s.courier.Call,
		CheckURL:  s.outbound.Check,
		Passwords: s.passwords,
		Address:   func(r *http.Request) string { return edge.ClientAddress(r, s.cfg.ProxyHops) },
		Replica:   s.replica, DB: s.db, PublicURL: s.url, Now: time.Now, Log: s.log, Version: release.Version(),
		Ledger: s.books, Vitals: s.vitals,
		Dead: s.deadQueues(), Retention: s.cfg.Retention, Scripts: s.scripts,
	})
	if err != nil {
		return err
	}
	return s.openPrograms()
}

// books balances the ledger as it is now.
func (s *service) books(ctx context.Context) (*ledger.Books, error) {
	return readBooks(ctx, s.replica, s.queue, time.Now())
}

// digesting says how a queue is digested.
func (s *service) digesting(name string, queue digest.Queue, log zerolog.Logger) digest.Config {
	return digest.Config{
		Queue: queue, Store: s.db, Log: log, Rules: s.rules.of, Scrubber: s.rules.scrubber, Quotas: s.quotas, Active: s.keys.active, Report: s.tracing.batch(name),
		Scripts: s.scripts,
	}
}

// provider returns who else signs people in, nil if nobody.
func (s *service) provider() dashboard.Provider {
	if s.cfg.Provider.Issuer == "" {
		return nil
	}
	cfg := s.cfg.Provider
	cfg.Redirect = dashboard.ProviderCallback(s.url)
	return provider.New(cfg)
}

// openAll opens all but intake and returns what there is to say about it.
func (s *service) openAll(ctx context.Context) (greeting string, err error) {
	if err := s.open(ctx); err != nil {
		return "", err
	}
	return s.greeting(ctx)
}

// firstDSN returns the first project's DSN, and makes the project if there is
// none.
func (s *service) firstDSN(ctx context.Context) (string, error) {
	var p store.Project
	err := s.db.Write(ctx, "first project", func(tx *store.Tx) error {
		projects, err := tx.ProjectsByID()
		if err != nil {
			return err
		}
		for _, known := range projects {
			if len(known.Keys) > 0 {
				p = known
				return nil
			}
		}
		p, err = tx.CreateProject(firstProject)
		return err
	})
	if err != nil {
		return "", err
	}
	if err := s.keys.refresh(ctx, time.Now()); err != nil {
		return "", fmt.Errorf("reading the keys: %w", err)
	}
	return dashboard.DSN(s.url, p.Keys[0], p.ID), nil
}

// newServer returns a server with the limits that every role has.
func newServer(handler http.Handler, unused *unusedConns) *http.Server {
	server := &http.Server{
		ConnState:         unused.track,
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       2 * time.Minute, // a phone may take its time with 20 MiB
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	server.RegisterOnShutdown(unused.close)
	return server
}

// run takes events until ctx is done or one of the parts fails, and does all the rest
// as soon as the database can be used.
func (s *service) run(ctx context.Context, stdout io.Writer) error {
	var unused unusedConns
	server := newServer(http.HandlerFunc(s.serveHTTP), &unused)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serving: %w", err)
		}
		return nil
	})
	group.Go(func() error { return s.sendCounts(ctx) })
	group.Go(func() error {
		greeting, err := s.openAll(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		s.work(ctx, group)
		handler := s.handler()
		s.opened.Store(&handler)
		_, err = io.WriteString(stdout, greeting)
		return err
	})
	group.Go(func() error {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
		defer cancel()
		return errors.Join(server.Shutdown(drain), s.edge.FlushCounts(drain))
	})
	return group.Wait()
}

// work starts what needs the database.
func (s *service) work(ctx context.Context, group *errgroup.Group) {
	group.Go(func() error {
		s.keys.keepFresh(ctx)
		return nil
	})
	group.Go(func() error {
		s.rules.keepFresh(ctx)
		return nil
	})
	group.Go(func() error {
		s.quotas.run(ctx)
		return nil
	})
	group.Go(func() error { return s.digester.Run(ctx) })
	group.Go(func() error {
		chores{db: s.db, replica: s.replica, now: time.Now, log: s.log}.run(ctx)
		return nil
	})
	group.Go(func() error {
		releaseClock{db: s.db, replica: s.replica, log: s.log}.run(ctx)
		return nil
	})
	group.Go(func() error {
		s.newTeller().Run(ctx)
		return nil
	})
	for _, r := range s.regions {
		group.Go(func() error { return r.run(ctx) })
	}
	group.Go(func() error {
		s.publisher.run(ctx)
		return nil
	})
	group.Go(func() error {
		s.dashboard.Run(ctx)
		return nil
	})
	if s.postman != nil {
		group.Go(func() error {
			s.postman.Run(ctx)
			return nil
		})
	}
	group.Go(func() error {
		s.courier.Run(ctx)
		return nil
	})
	group.Go(func() error {
		s.watchRates(ctx)
		return nil
	})
	group.Go(func() error {
		s.copies.run(ctx)
		return nil
	})
	group.Go(func() error {
		s.clock.run(ctx)
		return nil
	})
	group.Go(func() error {
		s.evictAttachments(ctx)
		return nil
	})
	group.Go(func() error {
		s.keepWithin(ctx)
		return nil
	})
	group.Go(func() error {
		s.shelf.Run(ctx)
		return nil
	})
	group.Go(func() error {
		s.erasePeople(ctx)
		return nil
	})
	group.Go(func() error {
		s.dashboard.KeepUses(ctx)
		return nil
	})
	group.Go(func() error { return s.runBackup(ctx) })
	group.Go(func() error {
		late.New(late.Config{
			Replica: s.replica, DB: s.db, Scripts: s.scripts, Rules: s.rules.of, Since: time.Duration(s.cfg.LateDays) * 24 * time.Hour, Log: s.log,
		}).Run(ctx)
		return nil
	})
	group.Go(func() error {
		indexer.Run(ctx, indexer.Config{Replica: s.replica, DB: s.db, Log: s.log})
		return nil
	})
}

// sendCounts sends the edge's counts until ctx is done. It returns an error if
// the queue stopped for good: only a restart helps then.
func (s *service) sendCounts(ctx context.Context) error {
	ticker := time.NewTicker(countsEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := s.edge.FlushCounts(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn().Err(err).Msg("the edge's counts could not be sent; they are kept")
			}
			if err := s.queue.Err(); err != nil {
				return err
			}
		}
	}
}

// close closes what open opened.
func (s *service) close(ctx context.Context) error {
	var errs []error
	if s.listener != nil {
		if err := s.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if s.queue != nil {
		errs = append(errs, s.queue.Close(ctx))
	}
	errs = append(errs, s.closeDatabase(ctx))
	s.tracing.close(ctx)
	return errors.Join(errs...)
}
