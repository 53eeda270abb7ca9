package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"sundew/digester/digest"
	"sundew/digester/release"
	"sundew/digester/store"
)

const (
	// maxTraced is how many messages of a batch its span names; a batch has 256 at most.
	maxTraced = 256

	// tracesWithin bounds how long sending the last spans may hold up the end.
	tracesWithin = 3 * time.Second
)

// tracing sends spans to whoever the standard variables of OpenTelemetry name. Spans
// have names, numbers and ids; never what an event says, an address or a key. The other
// packages do not know of it: they tell what took how long, and spans are made of that.
type tracing struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	log      zerolog.Logger
}

// openTracing returns nil if nobody is to be sent anything.
func openTracing(ctx context.Context, endpoint string, log zerolog.Logger) (*tracing, error) {
	if endpoint == "" {
		return nil, nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint))
	if err != nil {
		return nil, fmt.Errorf("traces to %s: %w", endpoint, err)
	}
	about, err := resource.New(ctx, resource.WithAttributes(
		attribute.String("service.name", "sundew"), attribute.String("service.version", release.Version())), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	// The library tells of a receiver that is away in no other way.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn().Err(err).Msg("traces could not be sent") }))
	limits := sdktrace.NewSpanLimits()
	limits.EventCountLimit = maxTraced
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about), sdktrace.WithRawSpanLimits(limits))
	return &tracing{provider: provider, tracer: provider.Tracer("sundew"), log: log}, nil
}

// close sends what is left. That nobody takes it is no failure of the process.
func (t *tracing) close(ctx context.Context) {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, tracesWithin)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		t.log.Warn().Err(err).Msg("the last traces could not be sent")
	}
}

// requests makes a span of each request of a handler. What a client says about traces
// of its own is not taken over: clients are anybody.
func (t *tracing) requests(part string, next http.Handler) http.Handler {
	if t == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, span := t.tracer.Start(r.Context(), part, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
			attribute.String("http.request.method", method(r.Method)), attribute.Int64("http.request.body.size", max(0, r.ContentLength))))
		defer span.End()
		r, out := r.WithContext(ctx), &answered{ResponseWriter: w}
		next.ServeHTTP(out, r)
		route := routeOf(part, r)
		span.SetName(part + " " + route)
		span.SetAttributes(attribute.String("http.route", route), attribute.Int("http.response.status_code", out.status))
		if out.status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, http.StatusText(out.status))
		}
	})
}

// method is a known one, because anybody can send any.
func method(name string) string {
	switch name {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch:
		return name
	}
	return "other"
}

// routeOf is the pattern of a request's address: addresses have ids and secrets in them.
func routeOf(part string, r *http.Request) string {
	if part != partIntake {
		_, pattern, _ := strings.Cut(r.Pattern, " ")
		return pattern
	}
	for _, end := range []string{"envelope", "store", "security", "minidump"} {
		if strings.HasSuffix(strings.TrimRight(r.URL.Path, "/"), "/"+end) {
			return "/api/{project}/" + end + "/"
		}
	}
	return "/api/{project}/"
}

// batch makes a span of a batch, with one below it for each of its stages.
func (t *tracing) batch(queue string) func(digest.Report) {
	if t == nil {
		return nil
	}
	return func(r digest.Report) {
		ctx, span := t.tracer.Start(context.Background(), "digest batch", trace.WithTimestamp(r.Received), trace.WithSpanKind(trace.SpanKindConsumer),
			trace.WithAttributes(attribute.String("queue", queue), attribute.Int("messages", len(r.Messages)),
				attribute.Int64("stored", r.Tally.Stored), attribute.Int64("duplicate", r.Tally.Duplicate), attribute.Int64("dropped", r.Tally.Dropped),
				attribute.Int64("redelivered", r.Tally.Redelivered), attribute.Int64("left", r.Tally.Left)))
		for _, m := range r.Messages {
			span.AddEvent(m.Outcome, trace.WithTimestamp(r.Decided), trace.WithAttributes(
				attribute.Int64("project", int64(m.Project)), attribute.String("event_id", m.EventID.String())))
		}
		durable := r.Durable
		if durable.IsZero() {
			durable = r.Decided
		}
		t.past(ctx, "prepare", r.Received, r.Prepared)
		t.past(ctx, "commit", r.Begun, r.Decided)
		t.past(ctx, "barrier", r.Decided, durable)
		t.past(ctx, "delete", durable, r.Done)
		if r.Tally.Left > 0 {
			span.SetStatus(codes.Error, "messages are left in the queue")
		}
		span.End(trace.WithTimestamp(r.Done))
	}
}

// past is a span of what is over.
func (t *tracing) past(ctx context.Context, name string, began, ended time.Time, attributes ...attribute.KeyValue) {
	_, span := t.tracer.Start(ctx, name, trace.WithTimestamp(began), trace.WithAttributes(attributes...))
	span.End(trace.WithTimestamp(ended))
}

// write makes a span of a write, but for those of a digest and its barrier, which the
// batch has.
func (t *tracing) write(stage store.Stage, why string, took time.Duration) {
	if t == nil || stage == store.StageWait || why == "digest" || why == "batch barrier" {
		return
	}
	now := time.Now()
	name := string(stage)
	if stage == store.StageTransaction {
		name = "write " + why
	}
	t.past(context.Background(), name, now.Add(-took), now)
}

// read makes a span of a read transaction below the request that it is for; of other
// reads it makes none.
func (t *tracing) read(ctx context.Context, r store.ReadReport) {
	if !trace.SpanFromContext(ctx).SpanContext().IsValid() {
		return
	}
	t.past(ctx, "read", r.Began, r.Began.Add(r.Took), attribute.Int("queries", r.Queries), attribute.Bool("failed", r.Failed))
}
