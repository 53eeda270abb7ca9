package api

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"sundew/digester/access"
	"sundew/digester/artifact"
	"sundew/digester/store"
)

// Bounds of what tools ask to be assembled.
const (
	maxUploadText     = 250
	maxUploadProjects = 20
	maxDebugFiles     = 1000
)

// assembleRoutes are about uploads whose chunks are there.
func (a *API) assembleRoutes() {
	const waits = "Ask again, about once a second, until the state is ok or error. Chunks that are missing have to be uploaded first."
	raw[AssembleBundle, Assembly](a, http.MethodPost, "/organizations/{org}/artifactbundle/assemble/", useReleases, ofSomeProject,
		Doc{Tag: "Uploads", Summary: "Make an artifact bundle of chunks", Text: waits}, a.assembleBundle)
	raw[AssembleBundle, Assembly](a, http.MethodPost, "/organizations/{org}/releases/{version}/assemble/", useReleases, ofSomeProject,
		Doc{Tag: "Uploads", Summary: "Make a release's bundle of chunks, as tools of before 2023 do", Text: waits}, a.assembleRelease)
	raw[map[string]AssembleFile, map[string]FileAssembly](a, http.MethodPost, "/projects/{org}/{project}/files/difs/assemble/", useReleases, ofProject(access.Member),
		Doc{Tag: "Uploads", Summary: "Make debug files of chunks", Text: waits}, a.assembleFiles)
}

// AssembleBundle asks for a bundle.
type AssembleBundle struct {
	Checksum string   `json:"checksum"`
	Chunks   []string `json:"chunks"`
	Projects []string `json:"projects"`
	Version  string   `json:"version"`
	Dist     string   `json:"dist"`
}

// Assembly says how far an upload has come.
type Assembly struct {
	State   string       `json:"state"`
	Missing List[string] `json:"missingChunks"`
	Detail  string       `json:"detail,omitempty"`
}

// The states of an assembly.
const (
	stateNotFound   = "not_found"
	stateCreated    = "created"
	stateAssembling = "assembling"
	stateOK         = "ok"
	stateError      = "error"
)

func (a *API) assembleBundle(w http.ResponseWriter, r *request) error {
	in, err := decode[AssembleBundle](w, r)
	if err != nil {
		return err
	}
	if len(in.Projects) == 0 || len(in.Projects) > maxUploadProjects {
		return bad(fmt.Sprintf("One project has to be named, or up to %d", maxUploadProjects))
	}
	var projects []store.Project
	if err := a.cfg.Replica.Read(r.Context(), func(rx *store.Rx) error {
		projects = nil
		for _, name := range in.Projects {
			p, err := projectNamed(rx, name)
			if err == nil {
				err = enough(r.person.In(p.ID), access.Member)
			}
			if errors.Is(err, store.ErrNotFound) {
				return bad(fmt.Sprintf("There is no project %.80q, or the token does not see it", name))
			}
			if err != nil {
				return err
			}
			projects = append(projects, p)
		}
		return nil
	}); err != nil {
		return err
	}
	return a.assemble(w, r, in, projects)
}

// assembleRelease is assembleBundle of a request that names no projects: those that have
// the release.
func (a *API) assembleRelease(w http.ResponseWriter, r *request) error {
	in, err := decode[AssembleBundle](w, r)
	if err != nil {
		return err
	}
	in.Version = r.PathValue("version")
	var projects []store.Project
	if err := a.cfg.Replica.Read(r.Context(), func(rx *store.Rx) error {
		projects = nil
		all, err := visible(rx, r)
		if err != nil {
			return err
		}
		for _, p := range all {
			if r.person.In(p.ID) < access.Member {
				continue
			}
			if _, err := rx.Release(p.ID, in.Version); errors.Is(err, store.ErrNotFound) {
				continue
			} else if err != nil {
				return err
			}
			projects = append(projects, p)
		}
		return nil
	}); err != nil {
		return err
	}
	if len(projects) == 0 {
		return &Problem{http.StatusNotFound, fmt.Sprintf("There is no release %.80q yet: make it first", in.Version)}
	}
	return a.assemble(w, r, in, projects)
}

// assemble asks for a bundle for some projects and answers how far it is.
func (a *API) assemble(w http.ResponseWriter, r *request, in AssembleBundle, projects []store.Project) error {
	if err := a.checkUpload(in.Checksum, in.Chunks, in.Version, in.Dist); err != nil {
		return err
	}
	var uploads []store.Upload
	for _, p := range projects {
		uploads = append(uploads, store.Upload{Project: p.ID, Kind: store.BundleArtifacts, Checksum: in.Checksum, Release: in.Version, Dist: in.Dist, Chunks: in.Chunks})
	}
	got, err := a.begin(r, uploads)
	if err != nil {
		return err
	}
	r.send(w, combined(got))
	return nil
}

// checkUpload says what is wrong with what is to be assembled.
func (a *API) checkUpload(checksum string, chunks []string, texts ...string) error {
	if !isSHA1(checksum) {
		return bad("checksum has to be a sha1 in lower-case hex")
	}
	if len(chunks) == 0 {
		return bad("chunks has to name at least one chunk")
	}
	for _, sum := range chunks {
		if !isSHA1(sum) {
			return bad(fmt.Sprintf("%.80q is not the sha1 of a chunk", sum))
		}
	}
	if int64(len(chunks)-1)*store.ChunkSize > a.maxUpload() {
		return bad(fmt.Sprintf("The upload is too large: at most %d bytes are taken", a.maxUpload()))
	}
	for _, text := range texts {
		if len(text) > maxUploadText || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
			return bad(fmt.Sprintf("A name is too long or has control characters: at most %d characters are taken", maxUploadText))
		}
	}
	return nil
}

// begun is what became of asking for an upload.
type begun struct {
	bundle  store.Bundle
	missing []string
	fresh   bool // it was not asked for before
}

// begin asks for uploads to be assembled, and for those that are known already looks how
// far they are. Most requests only look.
func (a *API) begin(r *request, uploads []store.Upload) ([]begun, error) {
	all := make([]begun, len(uploads))
	known := true
	err := a.cfg.Replica.Read(r.Context(), func(rx *store.Rx) (err error) {
		known = true
		for i, u := range uploads {
			if all[i].bundle, err = rx.FindUpload(u, a.cfg.Now()); errors.Is(err, store.ErrNotFound) {
				known, err = false, nil
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || known {
		return all, err
	}
	if a.cfg.DB == nil {
		return nil, errReadOnly
	}
	err = a.cfg.DB.Write(r.Context(), "ask for an upload", func(tx *store.Tx) (err error) {
		for i, u := range uploads {
			_, err := tx.FindUpload(u, tx.Now())
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			all[i] = begun{fresh: err != nil}
			if all[i].bundle, all[i].missing, err = tx.BeginUpload(u); err != nil {
				return err
			}
			if all[i].fresh && all[i].bundle.ID != 0 {
				if err := r.audit(tx, store.AuditEntry{Action: "artifact.upload", Project: u.Project, Subject: uploadSubject(u)}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err == nil && a.cfg.Assemble != nil {
		a.cfg.Assemble()
	}
	return all, err
}

// uploadSubject is what the audit log calls an upload.
func uploadSubject(u store.Upload) string {
	switch {
	case u.Name != "":
		return u.Name
	case u.Release != "":
		return u.Release
	}
	return u.Checksum
}

// combined says how far several uploads are of which a tool sees one.
func combined(all []begun) Assembly {
	answer := Assembly{State: stateOK}
	rank := map[string]int{stateOK: 0, stateCreated: 1, stateAssembling: 2, stateError: 3, stateNotFound: 4}
	for _, one := range all {
		if next := one.assembly(); rank[next.State] > rank[answer.State] {
			answer = next
		}
	}
	return answer
}

func (b begun) assembly() Assembly {
	switch {
	case b.bundle.ID == 0:
		return Assembly{State: stateNotFound, Missing: b.missing}
	case b.bundle.State == store.BundleReady:
		return Assembly{State: stateOK, Detail: b.bundle.Detail}
	case b.bundle.State == store.BundleFailed:
		return Assembly{State: stateError, Detail: b.bundle.Detail}
	case b.fresh:
		return Assembly{State: stateCreated}
	}
	return Assembly{State: stateAssembling}
}

// AssembleFile asks for a debug file.
type AssembleFile struct {
	Name    string   `json:"name"`
	DebugID string   `json:"debug_id"`
	Chunks  []string `json:"chunks"`
}

// FileAssembly says how far a debug file has come.
type FileAssembly struct {
	Assembly
	File *DebugFile `json:"dif,omitempty"`
}

func (a *API) assembleFiles(w http.ResponseWriter, r *request) error {
	in, err := decode[map[string]AssembleFile](w, r)
	if err != nil {
		return err
	}
	if len(in) > maxDebugFiles {
		return bad(fmt.Sprintf("At most %d debug files can be asked for at once", maxDebugFiles))
	}
	var uploads []store.Upload
	for _, sum := range slices.Sorted(maps.Keys(in)) {
		file := in[sum]
		if err := a.checkUpload(sum, file.Chunks, file.Name); err != nil {
			return err
		}
		uploads = append(uploads, store.Upload{Project: r.project.ID, Kind: store.BundleDebugFile, Checksum: sum, Name: file.Name,
			DebugID: artifact.CleanDebugID(file.DebugID), Chunks: file.Chunks})
	}
	got, err := a.begin(r, uploads)
	if err != nil {
		return err
	}
	answer := make(map[string]FileAssembly, len(got))
	for i, one := range got {
		file := FileAssembly{Assembly: one.assembly()}
		if file.State == stateOK {
			file.File = new(debugFileOf(one.bundle))
		}
		answer[uploads[i].Checksum] = file
	}
	r.send(w, answer)
	return nil
}

// DebugFile is a debug file that is stored.
type DebugFile struct {
	ID          string            `json:"id"`
	UUID        string            `json:"uuid"`
	DebugID     string            `json:"debugId"`
	CodeID      *string           `json:"codeId"`
	CPU         string            `json:"cpuName"`
	ObjectName  string            `json:"objectName"`
	SymbolType  string            `json:"symbolType"`
	Headers     map[string]string `json:"headers"`
	Size        int64             `json:"size"`
	SHA1        string            `json:"sha1"`
	DateCreated Time              `json:"dateCreated"`
	Data        DebugFileData     `json:"data"`
}

// DebugFileData is what a debug file is good for.
type DebugFileData struct {
	Type     string       `json:"type"`
	Features List[string] `json:"features"`
}

func debugFileOf(b store.Bundle) DebugFile {
	id := artifact.FormatDebugID(b.DebugID)
	return DebugFile{
		ID: fmt.Sprint(b.ID), UUID: id, DebugID: id, CPU: b.CPU, ObjectName: b.Name, SymbolType: b.Symbols, Headers: map[string]string{"Content-Type": "application/octet-stream"},
		Size: b.Size, SHA1: b.Checksum, DateCreated: Time{b.CreatedAt}, Data: DebugFileData{Type: "dbg", Features: List[string]{"debug"}},
	}
}
