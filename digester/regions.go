package main

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"sundew/digester/deadletter"
	"sundew/digester/digest"
	"sundew/digester/loop"
	"sundew/digester/queue/sqs"
	"sundew/digester/vitals"
)

// statsEvery is how often a region's queue is asked how long it is. SQS charges
// for every question, and answers with what was true a minute ago.
const statsEvery = time.Minute

// region is a queue elsewhere with its own digester, so that one that is away
// disturbs no other. All digest into the one database.
type region struct {
	name     string
	log      zerolog.Logger
	queue    *sqs.Queue
	digester *digest.Digester
	keys     *keyTarget // nil if no keys are published

	mu       sync.Mutex // guards all below
	stats    sqs.Stats
	statsAt  time.Time // zero before the first answer
	statsErr error     // of the last question
}

// openRegions opens what is configured; none of it is asked whether it is there.
func (s *service) openRegions(ctx context.Context) error {
	s.publisher = &keyPublisher{read: s.quotas.publish(readKeys(s.replica)), log: s.log}
	for _, cfg := range s.cfg.Regions {
		log := s.log.With().Str("region", cfg.Name).Logger()
		r := &region{name: cfg.Name, log: log}
		var err error
		if r.queue, err = sqs.Open(ctx, sqs.Config{Region: cfg.Name, URL: cfg.Queue, Log: log}); err != nil {
			return err
		}
		digesting := s.digesting(cfg.Name, r.queue, log)
		digesting.Wait = 20 * time.Second // as long as SQS can
		if r.digester, err = digest.New(digesting); err != nil {
			return err
		}
		if cfg.Bucket != "" {
			bucket, err := sqs.OpenBucket(ctx, cfg.Name, cfg.Bucket, nil)
			if err != nil {
				return err
			}
			r.keys = newKeyTarget(bucket, log)
			s.publisher.targets = append(s.publisher.targets, r.keys)
		}
		s.regions = append(s.regions, r)
	}
	return nil
}

// deadQueues are all queues whose dead letters can be shown and put back.
func (s *service) deadQueues() deadletter.Queues {
	queues := deadletter.Queues{{Name: localQueue, Letters: s.queue, LastError: s.digester.LastError}}
	for _, r := range s.regions {
		queues = append(queues, deadletter.Queue{Name: r.name, Letters: r.queue, LastError: r.digester.LastError})
	}
	return queues
}

// run digests until ctx is done. It returns an error only when the process has to
// end.
func (r *region) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.digester.Run(ctx) })
	group.Go(func() error {
		r.watch(ctx)
		return nil
	})
	return group.Wait()
}

// watch keeps the stats fresh until ctx is done.
func (r *region) watch(ctx context.Context) {
	look := func() {
		stats, err := r.queue.Stats(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			r.log.Warn().Err(err).Msg("the queue could not be asked how long it is")
		}
		r.note(stats, err)
	}
	look()
	loop.Every(ctx, statsEvery, look)
}

func (r *region) note(stats sqs.Stats, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.statsErr = err; err == nil {
		r.stats, r.statsAt = stats, time.Now()
	}
}

// regionReadiness is what /health/ready says of a region. The numbers are SQS's,
// about right and up to some minutes old.
type regionReadiness struct {
	Region      string  `json:"region"`
	Digester    string  `json:"digester"`                   // "ok", or why nothing is received or digested
	Idle        float64 `json:"digester_idle_seconds"`      // since the queue last answered the digester
	Waiting     int64   `json:"waiting"`                    // messages
	InFlight    int64   `json:"in_flight"`                  // received, not yet deleted
	DeadLetters int64   `json:"dead_letters"`               //
	QueueAge    float64 `json:"queue_age_seconds"`          // of the oldest message of the last receive, while there are any
	Stats       string  `json:"stats"`                      // "ok", or why the numbers are old
	Keys        string  `json:"keys,omitempty"`             // "ok", or why the keys were not published; empty: they need not be
	KeysAge     float64 `json:"keys_age_seconds,omitempty"` // of those that are published
}

func (r *region) readiness(now time.Time) regionReadiness {
	h := r.digester.Health()
	answer := regionReadiness{Region: r.name, Digester: words(h.Problem)}
	if !h.LastReceive.IsZero() {
		answer.Idle = now.Sub(h.LastReceive).Seconds()
	}
	if r.keys != nil {
		publishedAt, problem := r.keys.state()
		answer.Keys = words(problem)
		if publishedAt.IsZero() && problem == nil {
			answer.Keys = "not published yet"
		} else if !publishedAt.IsZero() {
			answer.KeysAge = now.Sub(publishedAt).Seconds()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	answer.Waiting, answer.InFlight, answer.DeadLetters, answer.Stats = r.stats.Waiting, r.stats.InFlight, r.stats.Dead, words(r.statsErr)
	if r.statsAt.IsZero() && r.statsErr == nil {
		answer.Stats = "not asked yet"
	}
	if !r.stats.Oldest.IsZero() {
		answer.QueueAge = max(0, now.Sub(r.stats.Oldest).Seconds())
	}
	return answer
}

// vitals returns what of the region can be wrong.
func (r *region) vitals(now time.Time) vitals.Remote {
	a := r.readiness(now)
	return vitals.Remote{Name: r.name, Failing: trouble(r.digester.Health().Problem), Waiting: a.Waiting, InFlight: a.InFlight,
		DeadLetters: a.DeadLetters, Oldest: time.Duration(a.QueueAge * float64(time.Second))}
}

func words(problem error) string {
	if problem == nil {
		return "ok"
	}
	return problem.Error()
}

// regionsCollector shows the regions to Prometheus.
type regionsCollector struct{ s *service }

var (
	descRegionUp       = prometheus.NewDesc("sundew_queue_up", "1 while a region's queue answers and is digested.", []string{"queue"}, nil)
	descRegionMessages = prometheus.NewDesc("sundew_queue_messages", "Messages of a region's queue as SQS counts them, by state (waiting, in_flight, dead).", []string{"queue", "state"}, nil)
	descRegionAge      = prometheus.NewDesc("sundew_queue_oldest_message_age_seconds", "Age of the oldest message last received from a region's queue, while it has any.", []string{"queue"}, nil)
	descRegionIdle     = prometheus.NewDesc("sundew_queue_idle_seconds", "Since a region's queue last answered.", []string{"queue"}, nil)
	descRegionBatches  = prometheus.NewDesc("sundew_queue_batches_total", "Batches digested from a region's queue since the process started.", []string{"queue"}, nil)
	descRegionKeys     = prometheus.NewDesc("sundew_keys_age_seconds", "Age of the keys that are published in a region.", []string{"queue"}, nil)
)

// Describe sends nothing: which label values there are depends on the
// configuration.
func (c *regionsCollector) Describe(chan<- *prometheus.Desc) {}

// Collect asks nobody: it shows what is known.
func (c *regionsCollector) Collect(ch chan<- prometheus.Metric) {
	now := time.Now()
	for _, r := range c.s.regions {
		a := r.readiness(now)
		gauge := func(d *prometheus.Desc, v float64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{r.name}, labels...)...)
		}
		up := 0.0
		if a.Digester == "ok" {
			up = 1
		}
		gauge(descRegionUp, up)
		gauge(descRegionMessages, float64(a.Waiting), "waiting")
		gauge(descRegionMessages, float64(a.InFlight), "in_flight")
		gauge(descRegionMessages, float64(a.DeadLetters), "dead")
		gauge(descRegionAge, a.QueueAge)
		gauge(descRegionIdle, a.Idle)
		if r.keys != nil {
			gauge(descRegionKeys, a.KeysAge)
		}
		ch <- prometheus.MustNewConstMetric(descRegionBatches, prometheus.CounterValue, float64(r.digester.Health().Batches), r.name)
	}
}
