package replicate

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/benbjohnson/litestream"
	"github.com/superfly/ltx"
)

// Where things are in the first page of a database; sqlite.org/fileformat2.html.
const (
	offsetJournal = 18 // two bytes: 2 is WAL mode, 1 is not
	offsetChanges = 24 // four bytes; readers look there whether their cached pages are old
)

// lockWait bounds how long a reader of another process, a shell, delays a step.
const lockWait = 10 * time.Second

func newReader(f *os.File) io.Reader {
	return bufio.NewReaderSize(io.NewSectionReader(f, 0, 1<<62), 256<<10)
}

// apply writes the pages of the verified file in spool. Nobody of this process reads; those of
// others are waited for.
func (f *Follower) apply(ctx context.Context) error {
	unlock, err := lockDatabase(ctx, f.file, lockWait)
	if err != nil {
		return err
	}
	defer unlock()
	dec := ltx.NewDecoder(newReader(f.spool))
	if err := dec.DecodeHeader(); err != nil {
		return err
	}
	size := int64(dec.Header().PageSize)
	page := make([]byte, size)
	for {
		var hdr ltx.PageHeader
		err := dec.DecodePage(&hdr, page)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if _, err := f.file.WriteAt(page, int64(hdr.Pgno-1)*size); err != nil {
			return err
		}
	}
	if err := f.file.Truncate(int64(dec.Header().Commit) * size); err != nil {
		return err
	}
	return f.stamp()
}

// stamp makes the first page say that the file is not in WAL mode, which it can
// be read in without other files, and that it has changed. A transaction in WAL
// mode does not say so by itself, and a reader would go on with its cached pages.
func (f *Follower) stamp() error {
	if _, err := f.file.WriteAt([]byte{1, 1}, offsetJournal); err != nil {
		return err
	}
	f.changes++
	_, err := f.file.WriteAt(binary.BigEndian.AppendUint32(nil, f.changes), offsetChanges)
	return err
}

// settle notes how far the copy has come, after that is on disk.
func (f *Follower) settle() error {
	f.settled = time.Now()
	if err := f.file.Sync(); err != nil {
		return fmt.Errorf("the copy: %w", err)
	}
	return litestream.WriteTXIDFile(f.cfg.Path, f.at)
}
