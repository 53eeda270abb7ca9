package shelf

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"runtime/debug"
	"strings"

	"sundew/digester/artifact"
	"sundew/digester/store"
)

const (
	// batchFiles and batchBytes bound what one transaction adds to an upload: each file
	// is some statements, and on a libSQL server each of them is a round trip.
	batchFiles = 25
	batchBytes = 2 << 20

	// inlineMap is behind the name of a script whose map is in it, in that of the map.
	inlineMap = ".inline.map"

	// maxDetail bounds what is said about an upload.
	maxDetail = 1000
)

// brokenError says, for whoever uploaded it, why an upload cannot be assembled.
type brokenError struct{ words string }

func (e *brokenError) Error() string { return e.words }

func broken(format string, args ...any) error {
	return &brokenError{words: fmt.Sprintf(format, args...)}
}

// assemble stores the files of an upload. It is visible when it is published with what
// is returned. Errors that are the upload's are a brokenError, and so is a panic: an
// upload comes from outside, and would be tried again by the next process.
func (s *Shelf) assemble(ctx context.Context, b store.Bundle, chunks []string) (done store.Assembled, err error) {
	defer func() {
		if r := recover(); r != nil {
			s.cfg.Log.Error().Any("panic", r).Bytes("stack", debug.Stack()).Int64("upload", b.ID).Msg("assembling an upload failed")
			err = broken("it cannot be read")
		}
	}()
	f, size, err := s.spool(ctx, b, chunks)
	if err != nil {
		return store.Assembled{}, err
	}
	defer f.Close() // what was written is read again by nobody
	if err := s.forgetAttempt(ctx, b.ID); err != nil {
		return store.Assembled{}, err
	}
	job := &job{Shelf: s, bundle: b.ID}
	switch b.Kind {
	case store.BundleDebugFile:
		done, err = job.debugFile(ctx, b, f, size)
	case store.BundleReleaseFile:
		err = job.releaseFile(ctx, b, f, size)
	default:
		done, err = job.artifacts(ctx, f, size)
	}
	if err == nil {
		err = job.flush(ctx)
	}
	switch {
	case errors.Is(err, artifact.ErrBundle):
		return done, broken("%s", err)
	case errors.Is(err, store.ErrNoRoom):
		return done, broken("%s; an admin can raise SUNDEW_ARTIFACT_BYTES", err)
	}
	return done, err
}

// spool puts an upload's chunks together in a temporary file that has no name any more,
// where the system has such files, so that none is left if the process dies.
func (s *Shelf) spool(ctx context.Context, b store.Bundle, chunks []string) (f *os.File, size int64, err error) {
	f, err = os.CreateTemp(s.cfg.Dir, "sundew-upload-*")
	if err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if err := os.Remove(f.Name()); err != nil {
		return nil, 0, err
	}
	whole := sha1.New()
	for _, sum := range chunks {
		var content []byte
		err := s.cfg.Replica.Read(ctx, func(rx *store.Rx) (err error) {
			content, err = rx.Chunk(sum)
			return err
		})
		if errors.Is(err, store.ErrNotFound) {
			return nil, 0, broken("the chunk %s is gone; upload it again", sum)
		}
		if err != nil {
			return nil, 0, err
		}
		if size += int64(len(content)); size > store.MaxUpload {
			return nil, 0, broken("it has more than %d bytes", store.MaxUpload)
		}
		whole.Write(content)
		if _, err := f.Write(content); err != nil {
			return nil, 0, err
		}
	}
	if got := hex.EncodeToString(whole.Sum(nil)); got != b.Checksum {
		return nil, 0, broken("its checksum is %s and should be %s", got, b.Checksum)
	}
	return f, size, nil
}

func (s *Shelf) forgetAttempt(ctx context.Context, bundle int64) error {
	for more := true; more; {
		if err := s.cfg.DB.Write(ctx, "forget an attempt", func(tx *store.Tx) (err error) {
			more, err = tx.ForgetAttempt(bundle)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// job is the assembly of one upload.
type job struct {
	*Shelf
	bundle  int64
	added   int
	pending []store.NewFile
	bytes   int
}

// add adds a file to the upload; not at once.
func (j *job) add(ctx context.Context, f store.NewFile) error {
	j.pending = append(j.pending, f)
	j.bytes += len(f.Part.Body)
	if len(j.pending) < batchFiles && j.bytes < batchBytes {
		return nil
	}
	return j.flush(ctx)
}

// flush writes what was added.
func (j *job) flush(ctx context.Context) error {
	if len(j.pending) == 0 {
		return nil
	}
	err := j.withRoom(ctx, int64(j.bytes), func() error { return j.cfg.DB.AddBundleFiles(ctx, j.bundle, j.added, j.pending) })
	j.added += len(j.pending)
	j.pending, j.bytes = nil, 0
	return err
}

// withRoom stores something of a size, and where there is no room for it removes what the
// largest project uses least and tries again: first as if it could be packed well.
func (j *job) withRoom(ctx context.Context, size int64, do func() error) error {
	err := do()
	for _, need := range []int64{size / 4, size} {
		if !errors.Is(err, store.ErrNoRoom) || need > j.cfg.Policy.Bytes {
			return err
		}
		policy := j.cfg.Policy
		policy.Bytes -= need
		if err := j.tidy(ctx, policy); err != nil {
			return err
		}
		err = do()
	}
	return err
}

// store returns a file with its content stored, or ready to be.
func (j *job) store(ctx context.Context, f store.ArtifactFile, content []byte) (store.NewFile, error) {
	f.Size = int64(len(content))
	n := store.NewFile{ArtifactFile: f, Sum: sha256.Sum256(content)}
	if len(content) <= store.ChunkSize {
		n.Part = j.cfg.DB.NewPart(content)
		return n, nil
	}
	err := j.withRoom(ctx, f.Size, func() (err error) {
		n.ID, err = j.cfg.DB.StoreArtifact(ctx, n.Sum, f.Size, bytes.NewReader(content))
		return err
	})
	return n, err
}

// artifacts takes a bundle of scripts and maps apart.
func (j *job) artifacts(ctx context.Context, f io.ReaderAt, size int64) (store.Assembled, error) {
	b, err := artifact.Open(f, size, j.cfg.Limits)
	if err != nil {
		return store.Assembled{}, err
	}
	for _, file := range b.Files {
		content, err := file.Content()
		if errors.Is(err, artifact.ErrBundle) {
			b.Left++
			b.Skipped = append(b.Skipped, artifact.Skip{Path: file.Path, Reason: "it is damaged"})
			continue
		}
		if err != nil {
			return store.Assembled{}, err
		}
		if err := j.script(ctx, file, content); err != nil {
			return store.Assembled{}, err
		}
	}
	detail := leftOut(b)
	if b.Left > 0 && j.added+len(j.pending) == 0 {
		return store.Assembled{}, broken("none of its files can be used. %s", detail)
	}
	return store.Assembled{Dist: b.Dist, DebugID: b.DebugID, Detail: detail}, nil
}

// script adds a file of a bundle, and the map that is in it.
func (j *job) script(ctx context.Context, file artifact.File, content []byte) error {
	f, inline := describe(file, content)
	n, err := j.store(ctx, f, content)
	if err == nil {
		err = j.add(ctx, n)
	}
	if inline == nil || err != nil {
		return err
	}
	m, err := j.store(ctx, store.ArtifactFile{Path: f.Path + inlineMap, URL: f.SourceMap, Type: artifact.TypeSourceMap, DebugID: f.DebugID}, inline)
	if err != nil {
		return err
	}
	return j.add(ctx, m)
}

// describe says of a file what a look-up needs to know: what the manifest does not say
// is taken from the file itself. It also returns the source map that is in it, nil if
// there is none.
func describe(file artifact.File, content []byte) (f store.ArtifactFile, inline []byte) {
	f = store.ArtifactFile{Path: file.Path, URL: file.URL, Type: file.Type, DebugID: file.DebugID}
	switch file.Type {
	case artifact.TypeMinified, artifact.TypeRAMBundle:
		said := artifact.ReadComments(content)
		if f.DebugID == "" {
			f.DebugID = said.DebugID
		}
		if f.SourceMap = artifact.Resolve(f.URL, file.SourceMap); f.SourceMap != "" {
			return f, nil
		}
		if said.Inline != nil && f.URL != "" {
			f.SourceMap = f.URL + inlineMap
			return f, said.Inline
		}
		f.SourceMap = artifact.Resolve(f.URL, said.SourceMap)
	case artifact.TypeSourceMap:
		if f.DebugID == "" {
			f.DebugID = artifact.MapDebugID(content)
		}
	}
	return f, nil
}

// releaseFile stores a file of a release that was uploaded alone. What it is its name
// says.
func (j *job) releaseFile(ctx context.Context, b store.Bundle, f io.ReaderAt, size int64) error {
	if size > j.cfg.Limits.File {
		return broken("it has %d bytes, at most %d are taken", size, j.cfg.Limits.File)
	}
	content := make([]byte, size)
	if _, err := f.ReadAt(content, 0); err != nil && err != io.EOF {
		return err
	}
	file := artifact.File{Path: path.Base(b.Name), URL: artifact.CleanURL(b.Name), Type: artifact.TypeMinified, SourceMap: b.MapReference}
	if strings.HasSuffix(file.URL, ".map") {
		file.Type = artifact.TypeSourceMap
	}
	return j.script(ctx, file, content)
}

// leftOut says what of a bundle was left out, and why.
func leftOut(b *artifact.Bundle) string {
	if b.Left == 0 {
		return ""
	}
	var text strings.Builder
	fmt.Fprintf(&text, "Left out %d of its files:", b.Left)
	for _, skip := range b.Skipped {
		line := fmt.Sprintf(" %s (%s).", skip.Path, skip.Reason)
		if text.Len()+len(line) > maxDetail {
			text.WriteString(" And more.")
			break
		}
		text.WriteString(line)
	}
	return text.String()
}

// debugFile stores a debug file as a whole. Nothing reads it yet.
func (j *job) debugFile(ctx context.Context, b store.Bundle, f io.ReaderAt, size int64) (store.Assembled, error) {
	whole := func() io.Reader { return io.NewSectionReader(f, 0, size) }
	hash := sha256.New()
	if _, err := io.Copy(hash, whole()); err != nil {
		return store.Assembled{}, err
	}
	head := make([]byte, min(size, 64))
	if _, err := io.ReadFull(whole(), head); err != nil {
		return store.Assembled{}, err
	}
	is := artifact.ReadDebugFile(b.Name, head)
	debugID := b.DebugID
	if debugID == "" {
		debugID = is.DebugID
	}
	n := store.NewFile{ArtifactFile: store.ArtifactFile{Path: path.Base(b.Name), Type: artifact.TypeDebugFile, DebugID: debugID, Size: size}, Sum: [sha256.Size]byte(hash.Sum(nil))}
	if size == 0 {
		return store.Assembled{}, broken("it is empty")
	}
	if err := j.withRoom(ctx, size, func() (err error) {
		n.ID, err = j.cfg.DB.StoreArtifact(ctx, n.Sum, size, whole())
		return err
	}); err != nil {
		return store.Assembled{}, err
	}
	return store.Assembled{DebugID: debugID, Symbols: is.Symbols, CPU: is.CPU}, j.add(ctx, n)
}
