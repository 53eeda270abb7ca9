package main

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/rs/zerolog"

	"sundew/digester/replicate"
	"sundew/digester/store"
	"sundew/infra/sqld"
)

// lookEvery is how often a reader looks at a libSQL replica: half of it is part of
// the lag.
const lookEvery = 5 * time.Millisecond

// pair is a primary and its copy.
type pair struct {
	primary *primary
	copy    *copyOf
	ends    []func() error // what has to end, in the order in which it began
}

func (p *pair) onEnd(f func() error) { p.ends = append(p.ends, f) }

func (p *pair) stop() error {
	var errs []error
	for i := range p.ends {
		errs = append(errs, p.ends[len(p.ends)-1-i]())
	}
	return errors.Join(errs...)
}

func quiet() zerolog.Logger { return zerolog.New(os.Stderr).Level(zerolog.ErrorLevel) }

// background runs fn until the pair ends.
func (p *pair) background(ctx context.Context, fn func(context.Context)) {
	ctx, cancel := context.WithCancel(ctx)
	var ended sync.WaitGroup
	ended.Go(func() { fn(ctx) })
	p.onEnd(func() error {
		cancel()
		ended.Wait()
		return nil
	})
}

// openFiles opens a file with its backup and a follower of that.
func openFiles(ctx context.Context, o options, dir string) (p *pair, err error) {
	p = &pair{}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.stop())
		}
	}()
	address := "file://" + dir + "/backup?"
	if o.s3 {
		if address, err = p.startS3(); err != nil {
			return p, err
		}
	}
	target, err := replicate.ParseTarget(address + "every=" + o.every.String())
	if err != nil {
		return p, err
	}
	path := filepath.Join(dir, "sundew.db")
	backup, err := replicate.NewBackup(replicate.BackupConfig{Path: path, Target: target, Log: quiet()})
	if err != nil {
		return p, err
	}
	db, err := store.Open(ctx, store.Config{Path: path, Checkpoint: backup.Checkpoint})
	if err != nil {
		return p, err
	}
	p.onEnd(func() error {
		ctx := context.WithoutCancel(ctx)
		return errors.Join(db.Close(ctx), backup.Close(ctx))
	})
	if err := backup.Start(ctx); err != nil {
		return p, err
	}
	p.background(ctx, backup.Run)
	if p.primary, err = newPrimary(ctx, db); err != nil {
		return p, err
	}
	return p, p.follow(ctx, filepath.Join(dir, "copy.db"), target)
}

// startS3 starts S3 in memory and returns where the backup goes in it.
func (p *pair) startS3() (address string, err error) {
	backend := s3mem.New()
	if err := backend.CreateBucket("backups"); err != nil {
		return "", err
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	p.onEnd(func() error { server.Close(); return nil })
	return "s3://backups/sundew?region=us-east-1&endpoint=" + server.URL + "&",
		errors.Join(os.Setenv("AWS_ACCESS_KEY_ID", "key"), os.Setenv("AWS_SECRET_ACCESS_KEY", "secret"), os.Unsetenv("AWS_CA_BUNDLE"))
}

// follow opens a copy that follows a backup.
func (p *pair) follow(ctx context.Context, path string, target replicate.Target) error {
	follower, err := replicate.NewFollower(replicate.FollowerConfig{Path: path, Target: target, Log: quiet()})
	if err != nil {
		return err
	}
	p.onEnd(follower.Close)
	if err := follower.Prepare(ctx); err != nil {
		return err
	}
	c := &copyOf{moved: make(chan struct{})}
	if c.replica, err = store.OpenReplica(ctx, path); err != nil {
		return err
	}
	p.onEnd(c.replica.Close)
	p.copy = c
	p.background(ctx, func(ctx context.Context) {
		if err := follower.Run(ctx, c.replica.Exclusively, func() { c.look(ctx) }); err != nil {
			fmt.Fprintln(os.Stderr, "replicas: the follower ended:", err)
		}
	})
	return nil
}

// openServers starts two libSQL servers, a primary and a replica.
func openServers(ctx context.Context, _ options, dir string) (p *pair, err error) {
	p = &pair{}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.stop())
		}
	}()
	start := func(name string, cfg sqld.Config) (*sqld.Server, error) {
		cfg.Dir = filepath.Join(dir, name)
		if err := os.Mkdir(cfg.Dir, 0o700); err != nil {
			return nil, err
		}
		s, err := sqld.Start(ctx, cfg)
		if err == nil {
			p.onEnd(s.Kill)
		}
		return s, err
	}
	server, err := start("primary", sqld.Config{Strong: true})
	if err != nil {
		return p, err
	}
	db, err := store.OpenRemote(ctx, store.RemoteConfig{URL: server.URL(), Namespace: sqld.Namespace}, store.Config{})
	if err != nil {
		return p, err
	}
	p.onEnd(func() error { return db.Close(context.WithoutCancel(ctx)) })
	if p.primary, err = newPrimary(ctx, db); err != nil {
		return p, err
	}
	replica, err := start("replica", sqld.Config{Primary: server.GRPC})
	if err != nil {
		return p, err
	}
	c := &copyOf{moved: make(chan struct{})}
	if c.replica, err = store.OpenRemoteReplica(ctx, store.RemoteConfig{URL: replica.URL(), Namespace: sqld.Namespace}); err != nil {
		return p, err
	}
	p.onEnd(c.replica.Close)
	p.copy = c
	p.background(ctx, func(ctx context.Context) {
		every := time.NewTicker(lookEvery)
		defer every.Stop()
		for ctx.Err() == nil {
			c.look(ctx)
			<-every.C
		}
	})
	return p, nil
}
