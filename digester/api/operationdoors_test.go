package api

import (
	"maps"
	"net/http"

	"sundew/digester/store"
)

// operationDoors are about the installation, people's data and what is quiet.
func operationDoors() map[string]door {
	const no, accepted, missing, created, gone, badly = http.StatusForbidden, http.StatusAccepted, http.StatusNotFound, http.StatusCreated, http.StatusNoContent, http.StatusBadRequest
	const at, in, org, orgAt = "/projects/acme/web-shop/", "/projects/{org}/{project}/", "/organizations/{org}/", "/organizations/acme/"
	doors := map[string]door{
		"GET " + in + "ledger/": {path: at + "ledger/"},
		"GET " + in + "quiet/":  {path: at + "quiet/", viewer: no},
		"POST " + in + "quiet/": {path: at + "quiet/"},

		"GET " + org + "sql/queries/":              {path: orgAt + "sql/queries/", other: missing},
		"POST " + org + "sql/queries/":             {path: orgAt + "sql/queries/", body: `{"name":"Mine","query":"SELECT 1"}`, want: created, viewer: created, other: missing},
		"GET " + org + "sql/queries/{query}/":      {path: orgAt + "sql/queries/1/", other: missing},
		"DELETE " + org + "sql/queries/{query}/":   {path: orgAt + "sql/queries/1/", want: gone, member: no, other: missing},
		"POST " + org + "sql/queries/{query}/run/": {path: orgAt + "sql/queries/1/run/", viewer: http.StatusOK, other: missing},
	}
	admins := map[string]door{
		"GET " + org + "system/":              {path: orgAt + "system/", other: no},
		"GET " + org + "ledger/":              {path: orgAt + "ledger/", other: no},
		"GET " + org + "mail/":                {path: orgAt + "mail/", other: no},
		"POST " + org + "mail/{mail}/retry/":  {path: orgAt + "mail/9/retry/", want: missing, other: no},
		"GET " + org + "dead-letters/":        {path: orgAt + "dead-letters/", other: no},
		"GET " + org + "dead-letters/letter/": {path: orgAt + "dead-letters/letter/?queue=local&id=1", other: no},
		"POST " + org + "dead-letters/retry/": {path: orgAt + "dead-letters/retry/", body: `{"queue":"local","all":true}`, other: no},
	}
	for prefix, path := range map[string]string{in: at, org: orgAt} {
		one, oneAt := prefix+"person/{request}/", path+"person/1/"
		if prefix == org {
			oneAt = path + "person/2/"
		}
		admins["GET "+prefix+"person/"] = door{path: path + "person/", other: missing}
		admins["POST "+prefix+"person/"] = door{path: path + "person/", body: `{"kind":"id","value":"7"}`, want: created, other: missing}
		admins["GET "+one] = door{path: oneAt, other: missing}
		admins["GET "+one+"export/"] = door{path: oneAt + "export/", want: missing, other: missing}
		admins["POST "+one+"remove/"] = door{path: oneAt + "remove/", want: badly, other: missing}
		admins["POST "+one+"withdraw/"] = door{path: oneAt + "withdraw/", other: missing}
	}
	maps.Copy(doors, only(admins, no))
	return doors
}

// furnishOperation makes a request about a person in the first project and one in all,
// and a saved query of everybody.
func (r *rig) furnishOperation() {
	for _, path := range []string{"/projects/x/web-shop/person/", "/organizations/x/person/"} {
		r.must(http.StatusCreated, "POST", path, `{"kind":"email","value":"Ann@example.com"}`)
	}
	r.must(http.StatusCreated, "POST", "/organizations/x/sql/queries/", `{"name":"Issues","query":"SELECT short_id FROM issues ORDER BY 1","everybody":true}`)
}

// read runs a read transaction.
func (r *rig) mustRead(look func(rx *store.Rx) error) {
	r.t.Helper()
	if err := r.replica.Read(r.t.Context(), look); err != nil {
		r.t.Fatal(err)
	}
}
