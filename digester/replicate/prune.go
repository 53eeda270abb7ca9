package replicate

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/superfly/ltx"
)

const (
	// freshFor is how long the smallest files stay after they were put together:
	// followers read them one by one.
	freshFor = time.Minute

	// pruneEvery is how often they are looked at.
	pruneEvery = 5 * time.Second
)

// pruner removes the smallest files, at the target and beside the database, once
// they are part of larger ones. Litestream's own way lists two levels of the
// target for it, each second.
type pruner struct {
	listed bool
	last   time.Time
	files  []*ltx.FileInfo // ascending
}

// prune is told the newest file at the target and when it was made.
func (p *pruner) prune(ctx context.Context, b *Backup, newest ltx.TXID, now time.Time) error {
	if !p.listed {
		files, err := list(ctx, b.client, 0, 0)
		if err != nil {
			return err
		}
		p.files, p.listed = files, true
	}
	last := ltx.TXID(0)
	if n := len(p.files); n > 0 {
		last = p.files[n-1].MaxTXID
	}
	for id := max(last+1, 1); id <= newest; id++ {
		if last == 0 {
			id, last = newest, newest // the first that this process sent
		}
		p.files = append(p.files, &ltx.FileInfo{MinTXID: id, MaxTXID: id, CreatedAt: now})
	}
	if now.Sub(p.last) < pruneEvery {
		return nil
	}
	p.last = now
	larger, err := b.db.MaxLTXFileInfo(ctx, 1)
	if err != nil {
		return err
	}
	n := 0
	for n < len(p.files)-1 && p.files[n].MaxTXID <= larger.MaxTXID && now.Sub(p.files[n].CreatedAt) > freshFor {
		n++
	}
	if n == 0 {
		return nil
	}
	if err := b.client.DeleteLTXFiles(ctx, p.files[:n]); err != nil {
		return err
	}
	var errs []error
	for _, f := range p.files[:n] {
		if err := os.Remove(b.db.LTXPath(0, f.MinTXID, f.MaxTXID)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	p.files = p.files[n:]
	return errors.Join(errs...)
}
