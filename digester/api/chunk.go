package api

import (
	"compress/gzip"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"

	"sundew/digester/access"
	"sundew/digester/store"
)

const (
	// uploadRequest is the default of Config.UploadRequest.
	uploadRequest = 8 << 20

	// chunkFrame is what a chunk takes in a request beside its content.
	chunkFrame = 1 << 10

	// chunksAtOnce bounds the chunks of a request, and uploadsAtOnce the requests that a
	// tool is asked to send at once.
	chunksAtOnce  = 64
	uploadsAtOnce = 4

	// uploadWait is for how many seconds a tool is asked to wait for an upload.
	uploadWait = 300
)

// chunkRoutes are about the pieces in which tools upload.
func (a *API) chunkRoutes() {
	read(a, "/organizations/{org}/chunk-upload/", useReleases, ofSomeProject, Doc{Tag: "Uploads", Summary: "How to upload: where to, and in pieces of what size"}, a.chunkOptions)
	raw[None, None](a, http.MethodPost, "/organizations/{org}/chunk-upload/", useReleases, ofSomeProject,
		Doc{Tag: "Uploads", Summary: "Upload chunks", Text: "A multipart form with a part for each chunk: file, or file_gzip, whose file name is the sha1 of the plain chunk."}, a.uploadChunks)
}

// ofSomeProject lets in whoever works in a project at all.
func ofSomeProject(_ *store.Rx, r *request) error {
	best := r.person.Role
	if best < access.Admin {
		best = access.None
	}
	for _, role := range r.person.Projects {
		best = max(best, role)
	}
	if best < access.Member {
		return errForbidden
	}
	return nil
}

// ChunkOptions is what tools ask before they upload.
type ChunkOptions struct {
	URL              string       `json:"url"`
	ChunkSize        int64        `json:"chunkSize"`
	ChunksPerRequest int64        `json:"chunksPerRequest"`
	MaxFileSize      int64        `json:"maxFileSize"`
	MaxWait          int64        `json:"maxWait"`
	MaxRequestSize   int64        `json:"maxRequestSize"`
	Concurrency      int64        `json:"concurrency"`
	HashAlgorithm    string       `json:"hashAlgorithm"`
	Compression      List[string] `json:"compression"`
	Accept           List[string] `json:"accept"`
}

func (a *API) chunkOptions(_ *store.Rx, r *request) (ChunkOptions, error) {
	most := a.cfg.UploadRequest
	return ChunkOptions{
		URL:       a.origin(r) + Root + "/organizations/" + r.org() + "/chunk-upload/",
		ChunkSize: store.ChunkSize, ChunksPerRequest: min(max(1, most/(store.ChunkSize+chunkFrame)), chunksAtOnce),
		MaxFileSize: a.maxUpload(), MaxWait: uploadWait, MaxRequestSize: max(most, store.ChunkSize), Concurrency: uploadsAtOnce,
		HashAlgorithm: "sha1", Compression: List[string]{"gzip"},
		// Tools of before 2024 do only what is listed.
		Accept: List[string]{"debug_files", "release_files", "pdbs", "portablepdbs", "artifact_bundles", "artifact_bundles_v2", "sources", "bcsymbolmaps", "il2cpp", "proguard", "dartsymbolmap"},
	}, nil
}

// maxUpload is how many bytes an upload may have.
func (a *API) maxUpload() int64 {
	if a.cfg.ArtifactBytes > 0 {
		return min(a.cfg.ArtifactBytes, store.MaxUpload)
	}
	return store.MaxUpload
}

// uploadChunks stores the chunks of a request. One that is not what it says is refused,
// and the others are stored nevertheless.
func (a *API) uploadChunks(w http.ResponseWriter, r *request) error {
	if a.cfg.DB == nil {
		return errReadOnly
	}
	most := max(a.cfg.UploadRequest, store.MaxChunk)
	r.Body = http.MaxBytesReader(w, r.Body, most+most/16+chunksAtOnce*chunkFrame)
	parts, err := r.MultipartReader()
	if err != nil {
		return bad("Chunks are uploaded as multipart/form-data")
	}
	var refused []string
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if err == io.EOF && n > 0 { // not what wraps it: that is a form that was cut off
			break
		}
		if err != nil {
			return wrapBody(err)
		}
		if n >= 2*chunksAtOnce {
			return bad("The request has too many parts")
		}
		why, err := a.storeChunk(r.Context(), part)
		if err != nil {
			return err
		}
		if why != "" {
			refused = append(refused, why)
		}
	}
	if len(refused) > 0 {
		return bad(strings.Join(refused, "; "))
	}
	r.send(w, None{})
	return nil
}

// storeChunk stores a part of a form, or says why not.
func (a *API) storeChunk(ctx context.Context, part *multipart.Part) (refused string, err error) {
	defer part.Close() // reads what is left of it
	sum := strings.ToLower(part.FileName())
	packed := part.FormName() == "file_gzip"
	if !packed && part.FormName() != "file" {
		return "", nil // tools may say more than is read
	}
	if !isSHA1(sum) {
		return fmt.Sprintf("%.80q is not the sha1 of a chunk", sum), nil
	}
	content := io.Reader(part)
	if packed {
		if content, err = gzip.NewReader(part); err != nil {
			return tellChunk(sum, err)
		}
	}
	plain, err := io.ReadAll(io.LimitReader(content, store.MaxChunk+1))
	if err != nil {
		return tellChunk(sum, err)
	}
	if len(plain) > store.MaxChunk {
		return fmt.Sprintf("The chunk %s has more than %d bytes", sum, store.MaxChunk), nil
	}
	if got := sha1.Sum(plain); hex.EncodeToString(got[:]) != sum {
		return fmt.Sprintf("The chunk %s has another sha1: %x", sum, got), nil
	}
	err = a.cfg.DB.StoreChunk(ctx, sum, plain)
	return "", wrapRoom(err)
}

// tellChunk tells a chunk that cannot be unpacked from a request that broke off.
func tellChunk(sum string, err error) (string, error) {
	var large *http.MaxBytesError
	if errors.As(err, &large) || errors.Is(err, context.Canceled) {
		return "", err
	}
	return fmt.Sprintf("The chunk %s cannot be read: it is damaged or was cut off", sum), nil
}

// wrapRoom tells whoever uploads that there is no room.
func wrapRoom(err error) error {
	if errors.Is(err, store.ErrNoRoom) {
		return &Problem{http.StatusRequestEntityTooLarge, err.Error()}
	}
	return err
}

// isSHA1 reports whether a text is a sha1 in lower-case hex.
func isSHA1(text string) bool {
	raw, err := hex.DecodeString(text)
	return err == nil && len(raw) == sha1.Size && text == strings.ToLower(text)
}
