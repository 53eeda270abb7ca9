package api

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"mime/multipart"
	"net/http"
	"strings"

	"sundew/digester/access"
	"sundew/digester/artifact"
	"sundew/digester/store"
)

const (
	// maxReleaseFile bounds a file of a release, which comes in one request.
	maxReleaseFile = 64 << 20

	// maxField bounds the other fields of its form.
	maxField = 4 << 10
)

// releaseFileRoutes are about the files of a release as tools of before 2019 upload them,
// each alone.
func (a *API) releaseFileRoutes() {
	const tag, at = "Uploads", "/projects/{org}/{project}/releases/{version}/files/"
	read(a, at, readReleases, ofProject(access.Viewer), Doc{Tag: tag, Summary: "The files of a release that were uploaded alone"}, a.releaseFiles)
	raw[None, ReleaseFile](a, http.MethodPost, at, useReleases, ofProject(access.Member), Doc{Tag: tag, Summary: "Upload one file of a release", Status: http.StatusCreated,
		Text: "A multipart form: file, name (its URL), dist, and header, e.g. Sourcemap:app.js.map."}, a.uploadReleaseFile)
}

// ReleaseFile is a file of a release.
type ReleaseFile struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Dist        *string           `json:"dist"`
	Headers     map[string]string `json:"headers"`
	Size        int64             `json:"size"`
	SHA1        string            `json:"sha1"`
	DateCreated Time              `json:"dateCreated"`
}

func releaseFileOf(b store.Bundle, size int64) ReleaseFile {
	f := ReleaseFile{ID: number(b.ID), Name: b.Name, Headers: make(map[string]string), Size: size, SHA1: b.Checksum, DateCreated: Time{b.CreatedAt}}
	if b.Dist != "" {
		f.Dist = &b.Dist
	}
	if b.MapReference != "" {
		f.Headers["Sourcemap"] = b.MapReference
	}
	return f
}

func (a *API) releaseFiles(rx *store.Rx, r *request) (List[ReleaseFile], error) {
	all, err := rx.ReleaseFiles(r.project.ID, r.PathValue("version"))
	if err != nil {
		return nil, err
	}
	views := make(List[ReleaseFile], len(all))
	for i, b := range all {
		views[i] = releaseFileOf(b, b.Size)
	}
	return paged(r, views, bundlesAtOnce, bundlesAtOnce)
}

// uploadReleaseFile cuts the file into chunks as it comes, so that it is never in memory
// as a whole, and asks for it to be assembled of them.
func (a *API) uploadReleaseFile(w http.ResponseWriter, r *request) error {
	if a.cfg.DB == nil {
		return errReadOnly
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxReleaseFile+1<<20)
	parts, err := r.MultipartReader()
	if err != nil {
		return bad("A file is uploaded as multipart/form-data")
	}
	f := releaseForm{upload: store.Upload{Project: r.project.ID, Kind: store.BundleReleaseFile, Release: r.PathValue("version")}, whole: sha1.New()}
	for n := 0; n < chunksAtOnce; n++ {
		part, err := parts.NextPart()
		if err == io.EOF { // not what wraps it: that is a form that was cut off
			break
		}
		if err == nil {
			err = f.take(r, part)
		}
		if err != nil {
			return wrapRoom(wrapForm(err))
		}
	}
	u, err := f.done()
	if err != nil {
		return err
	}
	if err := a.checkUpload(u.Checksum, u.Chunks, u.Release, u.Dist); err != nil {
		return err
	}
	got, err := a.begin(r, []store.Upload{u})
	if err != nil {
		return err
	}
	if got[0].bundle.ID == 0 {
		return bad("The file did not arrive as a whole")
	}
	r.send(w, releaseFileOf(got[0].bundle, f.size))
	return nil
}

// wrapForm tells a form that broke off from what went wrong here.
func wrapForm(err error) error {
	var problem *Problem
	if errors.As(err, &problem) || store.KindOf(err) != store.KindOther || errors.Is(err, store.ErrNoRoom) {
		return err
	}
	return wrapBody(err)
}

// releaseForm is a form with a file of a release.
type releaseForm struct {
	upload store.Upload
	file   string // what the form calls the file
	whole  hash.Hash
	size   int64
}

// take reads a field, and stores the file as chunks.
func (f *releaseForm) take(r *request, part *multipart.Part) error {
	defer part.Close() // reads what is left of it
	if part.FormName() == "file" {
		f.file = part.FileName()
		return f.store(r, part)
	}
	text, err := io.ReadAll(io.LimitReader(part, maxField))
	if err != nil {
		return err
	}
	switch part.FormName() {
	case "name":
		f.upload.Name = string(text)
	case "dist":
		f.upload.Dist = string(text)
	case "header":
		name, value, _ := strings.Cut(string(text), ":")
		if strings.EqualFold(strings.TrimSpace(name), "sourcemap") || strings.EqualFold(strings.TrimSpace(name), "x-sourcemap") {
			f.upload.MapReference = strings.TrimSpace(value)
		}
	}
	return nil
}

func (f *releaseForm) store(r *request, file io.Reader) error {
	for {
		chunk := make([]byte, store.ChunkSize)
		n, err := io.ReadFull(file, chunk)
		if n > 0 {
			f.whole.Write(chunk[:n])
			f.size += int64(n)
			sum := sha1.Sum(chunk[:n])
			f.upload.Chunks = append(f.upload.Chunks, hex.EncodeToString(sum[:]))
			if err := r.api.cfg.DB.StoreChunk(r.Context(), hex.EncodeToString(sum[:]), chunk[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) && n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// done returns the upload when the form was read.
func (f *releaseForm) done() (store.Upload, error) {
	u := f.upload
	if u.Name == "" {
		u.Name = f.file
	}
	u.Name, u.Checksum = artifact.CleanURL(u.Name), hex.EncodeToString(f.whole.Sum(nil))
	if f.size == 0 {
		return u, bad("The form has no file, or an empty one")
	}
	if u.Name == "" || len(u.Name) > 8*maxUploadText || len(u.MapReference) > 8*maxUploadText || strings.ContainsFunc(u.Name+u.MapReference, func(r rune) bool { return r < ' ' }) {
		return u, bad("The file needs a name: its URL")
	}
	return u, nil
}
