package artifact

import (
	"archive/zip"
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrBundle is wrapped by errors that say, for whoever uploaded it, why a bundle cannot
// be read.
var ErrBundle = errors.New("the bundle cannot be read")

// Limits bound what a bundle may make a reader do.
type Limits struct {
	Files    int   // how many
	File     int64 // bytes of one, unpacked
	Total    int64 // bytes of all, unpacked
	Manifest int64 // bytes of the manifest, unpacked
	Ratio    int64 // how many times larger a file may be than it is packed, beyond a megabyte
}

// DefaultLimits returns limits that builds do not meet.
func DefaultLimits() Limits {
	return Limits{Files: 20_000, File: 128 << 20, Total: 1 << 30, Manifest: 16 << 20, Ratio: 200}
}

const (
	// directoryBytes bounds what is read to find the files of an archive: its own
	// number of files is not to be believed.
	directoryBytes = 16 << 20

	// smallFile is what may be packed as tightly as it likes.
	smallFile = 1 << 20

	// maxText bounds paths, URLs and names.
	maxText = 2048

	// maxSkipped bounds how many reasons are kept.
	maxSkipped = 20

	manifestName = "manifest.json"
	magic        = "SYSB"
	headerLen    = 8
)

// Bundle is what an upload holds.
type Bundle struct {
	Release string // empty: it names none
	Dist    string
	DebugID string // of the bundle, clean
	Project string
	Files   []File // by path
	Skipped []Skip // what was left out, by path, at most some
	Left    int    // how many files were left out
}

// Skip is a file that was left out.
type Skip struct{ Path, Reason string }

// File is a file of a bundle.
type File struct {
	Path      string
	URL       string // clean; empty: none
	Type      Type
	DebugID   string // clean; empty: none
	SourceMap string // as the manifest refers to the file's map, mostly relative to URL
	Size      int64

	entry *zip.File
}

// manifest is the part of manifest.json that is read.
type manifest struct {
	Files   map[string]manifestFile `json:"files"`
	DebugID text                    `json:"debug_id"`
	Project text                    `json:"project"`
	Release text                    `json:"release"`
	Dist    text                    `json:"dist"`
}

type manifestFile struct {
	Type    text            `json:"type"`
	URL     text            `json:"url"`
	Headers map[string]text `json:"headers"`
}

// text is a string; anything else in its place is none.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) != nil {
		s = ""
	}
	*t = text(s)
	return nil
}

// Open reads the manifest of a bundle of size bytes and finds its files. The bundle is
// read again by File.Open, so r has to stay. Errors wrap ErrBundle, or are r's.
func Open(r io.ReaderAt, size int64, limits Limits) (*Bundle, error) {
	skip, err := headerOf(r, size)
	if err != nil {
		return nil, err
	}
	budget := &budget{of: io.NewSectionReader(r, skip, size-skip), left: directoryBytes}
	archive, err := zip.NewReader(budget, size-skip)
	if errors.Is(err, errBudget) {
		return nil, fmt.Errorf("%w: its directory is too large", ErrBundle)
	}
	if errors.Is(err, zip.ErrFormat) || errors.Is(err, zip.ErrAlgorithm) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("%w: it is no zip archive, or a damaged one", ErrBundle)
	}
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, err
	}
	budget.left = -1
	if len(archive.File) > limits.Files {
		return nil, fmt.Errorf("%w: it has %d files, at most %d are taken", ErrBundle, len(archive.File), limits.Files)
	}
	entries, b := entriesOf(archive)
	m, err := readManifest(entries[manifestName], limits)
	if err != nil {
		return nil, err
	}
	delete(entries, manifestName)
	if len(m.Files) > limits.Files {
		return nil, fmt.Errorf("%w: its manifest names %d files, at most %d are taken", ErrBundle, len(m.Files), limits.Files)
	}
	b.Release, b.Dist, b.DebugID, b.Project = clip(m.Release), clip(m.Dist), CleanDebugID(string(m.DebugID)), clip(m.Project)
	return b, b.collect(m, entries, limits)
}

// headerOf returns how many bytes come before the archive.
func headerOf(r io.ReaderAt, size int64) (int64, error) {
	head := make([]byte, headerLen)
	if size < headerLen {
		return 0, fmt.Errorf("%w: it has %d bytes", ErrBundle, size)
	}
	if _, err := r.ReadAt(head, 0); err != nil {
		return 0, err
	}
	if string(head[:len(magic)]) != magic {
		return 0, nil
	}
	if v := binary.LittleEndian.Uint32(head[len(magic):]); v < 1 || v > 2 {
		return 0, fmt.Errorf("%w: version %d of bundles is not known here", ErrBundle, v)
	}
	return headerLen, nil
}

// errBudget says that more was read than there was a budget for.
var errBudget = errors.New("too much to read")

// budget lets through a number of bytes; with a negative number, all.
type budget struct {
	of   io.ReaderAt
	left int64
}

func (b *budget) ReadAt(p []byte, off int64) (int, error) {
	if b.left >= 0 {
		if b.left -= int64(len(p)); b.left < 0 {
			b.left = 0
			return 0, errBudget
		}
	}
	return b.of.ReadAt(p, off)
}

// entriesOf returns the archive's files by name, of two with the same the first, and the
// bundle with what was left out.
func entriesOf(archive *zip.Reader) (map[string]*zip.File, *Bundle) {
	b := new(Bundle)
	entries := make(map[string]*zip.File, len(archive.File))
	for _, f := range archive.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		if _, twice := entries[f.Name]; twice {
			b.skip(f.Name, "another file of the archive has the same name")
			continue
		}
		entries[f.Name] = f
	}
	return entries, b
}

func readManifest(entry *zip.File, limits Limits) (*manifest, error) {
	if entry == nil {
		return nil, fmt.Errorf("%w: it has no %s", ErrBundle, manifestName)
	}
	if size := entry.UncompressedSize64; size > uint64(limits.Manifest) {
		return nil, fmt.Errorf("%w: its manifest is too large, at most %d bytes are read", ErrBundle, limits.Manifest)
	}
	f := File{Path: manifestName, Size: int64(entry.UncompressedSize64), entry: entry}
	content, err := f.Content()
	if err != nil {
		return nil, err
	}
	m := new(manifest)
	if err := json.Unmarshal(content, m); err != nil {
		return nil, fmt.Errorf("%w: its manifest is not the JSON that it should be", ErrBundle)
	}
	return m, nil
}

// collect finds the files that the manifest names.
func (b *Bundle) collect(m *manifest, entries map[string]*zip.File, limits Limits) error {
	var total int64
	for name, said := range m.Files {
		f, reason := fileOf(name, said, entries[name], limits)
		delete(entries, name)
		if reason != "" {
			b.skip(name, reason)
			continue
		}
		if total += f.Size; total > limits.Total {
			return fmt.Errorf("%w: its files have more than %d bytes together", ErrBundle, limits.Total)
		}
		b.Files = append(b.Files, f)
	}
	for name := range entries {
		b.skip(name, "the manifest does not name it")
	}
	slices.SortFunc(b.Files, func(x, y File) int { return cmp.Compare(x.Path, y.Path) })
	slices.SortFunc(b.Skipped, func(x, y Skip) int {
		return cmp.Or(cmp.Compare(x.Path, y.Path), cmp.Compare(x.Reason, y.Reason))
	})
	b.Skipped = b.Skipped[:min(len(b.Skipped), maxSkipped)]
	return nil
}

func (b *Bundle) skip(path, reason string) {
	b.Left++
	b.Skipped = append(b.Skipped, Skip{Path: clip(text(path)), Reason: reason})
}

// fileOf returns a file of the manifest, or why it is left out.
func fileOf(name string, said manifestFile, entry *zip.File, limits Limits) (f File, reason string) {
	if entry == nil {
		return f, "it is in the manifest and not in the archive"
	}
	f = File{Path: name, URL: CleanURL(string(said.URL)), Type: Type(said.Type), entry: entry}
	switch {
	case !printable(name) || !isRelative(name):
		return f, "its name is no plain path"
	case !printable(f.URL):
		return f, "its URL is too long or has control characters"
	case !slices.Contains([]Type{TypeMinified, TypeSourceMap, TypeSource, TypeRAMBundle}, f.Type):
		return f, "its type is not known here"
	case entry.UncompressedSize64 > uint64(limits.File):
		return f, fmt.Sprintf("it has %d bytes, at most %d are taken", entry.UncompressedSize64, limits.File)
	case entry.UncompressedSize64 > smallFile && entry.UncompressedSize64/uint64(limits.Ratio) > entry.CompressedSize64:
		return f, "it is packed more tightly than any source is"
	case entry.Method != zip.Store && entry.Method != zip.Deflate || entry.Flags&1 != 0:
		return f, "it is packed in a way that is not known here"
	}
	f.Size = int64(entry.UncompressedSize64)
	keys := make([]string, 0, len(said.Headers))
	for k := range said.Headers {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		value := string(said.Headers[k])
		switch strings.ToLower(k) {
		case "debug-id":
			f.DebugID = CleanDebugID(value)
		case "sourcemap", "x-sourcemap":
			if printable(value) {
				f.SourceMap = value
			}
		}
	}
	return f, ""
}

// printable reports whether a text is short, valid and without control characters.
func printable(s string) bool {
	return len(s) <= maxText && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// isRelative reports whether a name stays below where it is.
func isRelative(name string) bool {
	return name != "" && !strings.ContainsAny(name, `\`) && !path.IsAbs(name) && path.Clean(name) != ".." && !strings.HasPrefix(path.Clean(name), "../") &&
		!slices.Contains(strings.Split(name, "/"), "..")
}

// clip makes a text of the manifest short and printable.
func clip(t text) string {
	s := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(t), "\uFFFD"))
	for len(s) > maxText/8 {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}

// Open returns the file's content. Reading fails, with an error that wraps ErrBundle,
// where it is not as long as the archive says, or damaged.
func (f *File) Open() (io.ReadCloser, error) {
	rc, err := f.entry.Open()
	if err != nil {
		return nil, f.broken(err)
	}
	return &content{of: rc, file: f, left: f.Size}, nil
}

// Content returns the file's content as a whole.
func (f *File) Content() ([]byte, error) {
	rc, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer rc.Close() // it was only read
	var b bytes.Buffer
	b.Grow(int(f.Size) + bytes.MinRead)
	if _, err := b.ReadFrom(rc); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// broken tells what is wrong with the archive from what is wrong with where it is.
func (f *File) broken(err error) error {
	var corrupt flate.CorruptInputError
	if !errors.As(err, &corrupt) && !errors.Is(err, zip.ErrFormat) && !errors.Is(err, zip.ErrChecksum) && !errors.Is(err, zip.ErrAlgorithm) &&
		!errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return fmt.Errorf("%w: %s is damaged (%w)", ErrBundle, clip(text(f.Path)), err)
}

// content is a file being read.
type content struct {
	of   io.ReadCloser
	file *File
	left int64
}

func (c *content) Read(p []byte) (int, error) {
	n, err := c.of.Read(p)
	c.left -= int64(n)
	switch {
	case c.left < 0:
		return 0, fmt.Errorf("%w: %s is longer than the archive says", ErrBundle, clip(text(c.file.Path)))
	case err == io.EOF && c.left > 0:
		return n, fmt.Errorf("%w: %s is shorter than the archive says", ErrBundle, clip(text(c.file.Path)))
	case err != nil && err != io.EOF:
		return n, c.file.broken(err)
	}
	return n, err
}

func (c *content) Close() error { return c.of.Close() }
