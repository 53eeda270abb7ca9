package dashboard

import (
	"maps"
	"net/http"

	"sundew/digester/access"
	"sundew/digester/store/storetest"
)

// doors are all routes of the dashboard. A route that is missing here fails the test.
func doors() map[string]door {
	all := accountDoors()
	maps.Copy(all, peopleDoors())
	maps.Copy(all, projectDoors())
	maps.Copy(all, settingsDoors())
	maps.Copy(all, retentionDoors())
	maps.Copy(all, alertDoors())
	maps.Copy(all, actDoors())
	return all
}

// accountDoors are about who somebody is.
func accountDoors() map[string]door {
	const ok, found, unfit, missing = http.StatusOK, http.StatusSeeOther, http.StatusUnprocessableEntity, http.StatusNotFound
	return map[string]door{
		"GET /sign-in":                                     {path: "/sign-in", want: but(everybody(found), ok, nobody)},
		"POST /sign-in":                                    {path: "/sign-in", form: "email=nobody@example.com&password=x", want: everybody(unfit)},
		"POST /sign-out":                                   {path: "/sign-out", want: everybody(found)},
		"GET /setup/{secret}":                              {path: "/setup/x", want: everybody(missing)},
		"POST /setup/{secret}":                             {path: "/setup/x", want: everybody(missing)},
		"GET /forgot":                                      {path: "/forgot", want: everybody(ok)},
		"POST /forgot":                                     {path: "/forgot", form: "email=x", want: everybody(ok)},
		"GET /password/{secret}":                           {path: "/password/x", want: everybody(missing)},
		"POST /password/{secret}":                          {path: "/password/x", want: everybody(missing)},
		"GET /invitations/{secret}":                        {path: "/invitations/x", want: everybody(missing)},
		"POST /invitations/{secret}":                       {path: "/invitations/x", want: everybody(missing)},
		"GET /account":                                     {path: "/account", want: members(ok)},
		"POST /account/name":                               {path: "/account/name", form: "name=Ada", want: members(found)},
		"POST /account/email":                              {path: "/account/email", form: "email=new@example.com&password=x", want: members(unfit)},
		"POST /account/password":                           {path: "/account/password", form: "password=x&new-password=correct+horse+battery", want: members(unfit)},
		"GET /sign-in/second":                              {path: "/sign-in/second", want: everybody(found)},
		"POST /sign-in/second":                             {path: "/sign-in/second", form: "code=1", want: everybody(http.StatusUnauthorized)},
		"POST /sign-in/passkey":                            {path: "/sign-in/passkey", want: everybody(unfit)},
		"POST /sign-in/passkey/options":                    {path: "/sign-in/passkey/options", want: everybody(ok)},
		"GET /account/security":                            {path: "/account/security", want: members(ok)},
		"GET /account/security/authenticator":              {path: "/account/security/authenticator", want: members(found)},
		"GET /account/security/authenticator/code.png":     {path: "/account/security/authenticator/code.png", want: members(missing)},
		"POST /account/security/authenticator":             {path: "/account/security/authenticator", want: members(found)},
		"POST /account/security/authenticator/confirm":     {path: "/account/security/authenticator/confirm", form: "code=1", want: members(found)},
		"POST /account/security/authenticator/remove":      {path: "/account/security/authenticator/remove", want: members(found)},
		"POST /account/security/codes":                     {path: "/account/security/codes", want: members(found)},
		"POST /account/security/passkeys":                  {path: "/account/security/passkeys", form: "name=x", want: members(unfit)},
		"POST /account/security/passkeys/options":          {path: "/account/security/passkeys/options", want: members(ok)},
		"POST /account/security/passkeys/{passkey}/remove": {path: "/account/security/passkeys/1/remove", want: members(missing)},
		"GET /account/tokens":                              {path: "/account/tokens", want: members(ok)},
		"POST /account/tokens":                             {path: "/account/tokens", form: "name=x&scope=event:read", want: members(ok)},
		"POST /account/tokens/{token}/revoke":              {path: "/account/tokens/1/revoke", want: members(missing)},
		"GET /account/sessions":                            {path: "/account/sessions", want: members(ok)},
		"POST /account/sessions/{id}/end":                  {path: "/account/sessions/1/end", want: members(found)},
		"POST /account/sessions/end-others":                {path: "/account/sessions/end-others", want: members(found)},
	}
}

// peopleDoors are about teams and users.
func peopleDoors() map[string]door {
	const ok, found = http.StatusOK, http.StatusSeeOther
	admin, adminForm := installation(access.Admin, ok), installation(access.Admin, found)
	return map[string]door{
		"POST /users/{id}/second-factor/reset":               {path: "/users/{colleague}/second-factor/reset", want: adminForm},
		"GET /teams":                                         {path: "/teams", want: members(ok)},
		"POST /teams":                                        {path: "/teams", form: "name=New", want: adminForm},
		"GET /teams/{id}/issues":                             {path: "/teams/1/issues", want: team(access.Viewer, ok)},
		"GET /teams/{id}":                                    {path: "/teams/1", want: team(access.Viewer, ok)},
		"POST /teams/{id}/rename":                            {path: "/teams/1/rename", form: "name=New", want: team(access.Admin, found)},
		"POST /teams/{id}/delete":                            {path: "/teams/1/delete", want: team(access.Owner, http.StatusConflict)},
		"POST /teams/{id}/leave":                             {path: "/teams/1/leave", want: team(access.Viewer, found)},
		"POST /teams/{id}/members":                           {path: "/teams/1/members", form: "email=guest@example.com&role=viewer", want: team(access.Admin, found)},
		"POST /teams/{id}/members/{user}":                    {path: "/teams/1/members/{colleague}", form: "role=viewer", want: team(access.Admin, found)},
		"GET /teams/{id}/invite":                             {path: "/teams/1/invite", want: team(access.Admin, ok)},
		"POST /teams/{id}/invite":                            {path: "/teams/1/invite", form: "role=viewer", want: team(access.Admin, ok)},
		"POST /teams/{id}/invitations/{invitation}/withdraw": {path: "/teams/1/invitations/{invitation}/withdraw", want: team(access.Admin, found), once: true},
		"GET /limits":                                        {path: "/limits", want: admin},
		"POST /limits":                                       {path: "/limits", form: "events-hour=100", want: adminForm},
		"GET /users":                                         {path: "/users", want: admin},
		"GET /users/{id}":                                    {path: "/users/{colleague}", want: admin},
		"POST /users/{id}/role":                              {path: "/users/{colleague}/role", form: "role=admin", want: adminForm},
		"POST /users/{id}/disable":                           {path: "/users/{colleague}/disable", want: adminForm},
		"POST /users/{id}/enable":                            {path: "/users/{colleague}/enable", want: adminForm},
		"POST /users/{id}/sign-out":                          {path: "/users/{colleague}/sign-out", want: adminForm},
		"POST /users/{id}/password":                          {path: "/users/{colleague}/password", want: admin},
		"GET /users/invite":                                  {path: "/users/invite", want: admin},
		"POST /users/invite":                                 {path: "/users/invite", form: "rank=none&team=1&role=viewer", want: admin},
		"POST /users/invitations/{invitation}/withdraw":      {path: "/users/invitations/{invitation}/withdraw", want: adminForm, once: true},
		"GET /audit":                                         {path: "/audit", want: admin},
		"GET /mail":                                          {path: "/mail", want: admin},
		"POST /mail/{id}/retry":                              {path: "/mail/1/retry", want: adminForm, once: true},
	}
}

// projectDoors are about projects, and what is in them.
func projectDoors() map[string]door {
	const ok, found, missing = http.StatusOK, http.StatusSeeOther, http.StatusNotFound
	admin, adminForm := installation(access.Admin, ok), installation(access.Admin, found)
	statements := http.StatusOK // SQL runs
	if storetest.OnServer {
		statements = http.StatusUnprocessableEntity
	}
	return map[string]door{
		"GET /static/{file}":                        {path: "/static/none.css", want: everybody(missing)},
		"GET /projects/{id}/tokens":                 {path: "/projects/1/tokens", want: team(access.Admin, ok)},
		"POST /projects/{id}/tokens":                {path: "/projects/1/tokens", form: "name=x&scope=event:read", want: team(access.Admin, ok)},
		"POST /projects/{id}/tokens/{token}/revoke": {path: "/projects/1/tokens/1/revoke", want: team(access.Admin, missing)},
		"GET /{$}": {path: "/", want: members(ok)},
		"POST /projects": {path: "/projects", form: "name=New&team=1", want: func(p persona) int {
			switch {
			case p.name == nobody:
				return http.StatusUnauthorized
			case max(p.team, p.rank) < access.Admin:
				return http.StatusForbidden
			}
			return found
		}},
		"GET /projects/{id}/setup":                    {path: "/projects/1/setup", want: team(access.Viewer, ok)},
		"GET /projects/{id}":                          {path: "/projects/1", want: team(access.Viewer, found)},
		"GET /projects/{id}/issues":                   {path: "/projects/1/issues", want: team(access.Viewer, ok)},
		"GET /projects/{id}/feedback":                 {path: "/projects/1/feedback", want: team(access.Viewer, ok)},
		"GET /projects/{id}/attachments/{attachment}": {path: "/projects/1/attachments/1", want: team(access.Viewer, ok)},
		"GET /issues/{id}/events/{number}/markdown":   {path: "/issues/1/events/1/markdown", want: team(access.Viewer, ok)},
		"GET /projects/{id}/audit":                    {path: "/projects/1/audit", want: team(access.Admin, ok)},
		"GET /projects/{id}/quiet":                    {path: "/projects/1/quiet", want: team(access.Member, ok)},
		"POST /projects/{id}/quiet":                   {path: "/projects/1/quiet", form: "before=1", want: team(access.Member, found)},
		"GET /issues":                                 {path: "/issues", want: members(ok)},
		"GET /sql":                                    {path: "/sql?q=SELECT+1", want: members(http.StatusOK)},
		"POST /sql":                                   {path: "/sql", form: "q=SELECT+count(*)+FROM+issues", want: members(statements)},
		"POST /sql/queries":                           {path: "/sql/queries", form: "q=SELECT+1&name=Mine&share=1", want: team(access.Member, found)},
		"POST /sql/queries/{id}/delete":               {path: "/sql/queries/1/delete", want: team(access.Member, found), once: true},
		"POST /searches":                              {path: "/searches", form: "project=1&shared=1&name=Mine&query=is:unresolved", want: team(access.Member, found)},
		"POST /searches/{id}/delete":                  {path: "/searches/1/delete", want: team(access.Member, found), once: true},
		"GET /issues/{id}":                            {path: "/issues/1", want: team(access.Viewer, ok)},
		"GET /issues/{id}/events":                     {path: "/issues/1/events", want: team(access.Viewer, ok)},
		"GET /issues/{id}/events/{number}":            {path: "/issues/1/events/1", want: team(access.Viewer, ok)},
		"GET /issues/{id}/events/{number}/json":       {path: "/issues/1/events/1/json", want: team(access.Viewer, ok)},
		"GET /events":                                 {path: "/events?id={event}", want: team(access.Viewer, found)},
		"GET /events/{event}":                         {path: "/events/{event}", want: team(access.Viewer, found)},
		"GET /ledger":                                 {path: "/ledger?project=1", want: team(access.Viewer, ok)},
		"GET /system/database":                        {path: "/system/database", want: installation(access.Owner, http.StatusOK)},
		"POST /system/database":                       {path: "/system/database", want: installation(access.Owner, http.StatusOK)},
		"GET /system":                                 {path: "/system", want: admin},
		"GET /dead-letters":                           {path: "/dead-letters", want: admin},
		"GET /dead-letters/letter":                    {path: "/dead-letters/letter?queue=local&id=x", want: installation(access.Admin, missing)},
		"POST /dead-letters/retry":                    {path: "/dead-letters/retry", form: "queue=local&id=x", want: adminForm},
	}
}

// actDoors are about what people do with issues.
func actDoors() map[string]door {
	const ok, found, unfit, missing = http.StatusOK, http.StatusSeeOther, http.StatusUnprocessableEntity, http.StatusNotFound
	return map[string]door{
		"GET /s/{short}": {path: "/s/web-shop-1", want: team(access.Viewer, found)},
		"GET /shortcuts": {path: "/shortcuts", want: everybody(ok)},
		"GET /docs/api":  {path: "/docs/api", want: everybody(ok)},
		"GET /organizations/{org}/issues/{short}":      {path: "/organizations/acme/issues/1", want: team(access.Viewer, found)},
		"POST /issues/bulk":                            {path: "/issues/bulk", form: "do=resolve&issue=1", want: team(access.Member, found), once: true},
		"POST /issues/{id}/resolve":                    {path: "/issues/1/resolve", want: team(access.Member, found), once: true},
		"POST /issues/{id}/reopen":                     {path: "/issues/1/reopen", want: team(access.Member, found)},
		"POST /issues/{id}/mute":                       {path: "/issues/1/mute", form: "do=mute:1h", want: team(access.Member, found)},
		"POST /issues/{id}/assign":                     {path: "/issues/1/assign", form: "do=assign:me", want: team(access.Member, found)},
		"POST /issues/{id}/delete":                     {path: "/issues/1/delete", want: team(access.Admin, found), once: true},
		"POST /issues/{id}/restore":                    {path: "/issues/1/restore", want: team(access.Admin, unfit)},
		"GET /issues/{id}/merge":                       {path: "/issues/1/merge", want: team(access.Member, ok)},
		"POST /issues/{id}/merge":                      {path: "/issues/1/merge", form: "short=web-shop-9", want: team(access.Member, unfit)},
		"POST /issues/{id}/unmerge":                    {path: "/issues/1/unmerge", want: team(access.Member, unfit)},
		"POST /issues/{id}/comments":                   {path: "/issues/1/comments", form: "text=Hello", want: team(access.Member, found)},
		"POST /issues/{id}/comments/{comment}":         {path: "/issues/1/comments/99", form: "text=Hello", want: team(access.Member, missing)},
		"POST /issues/{id}/comments/{comment}/restore": {path: "/issues/1/comments/99/restore", want: team(access.Member, unfit)},
		"POST /issues/{id}/comments/{comment}/delete":  {path: "/issues/1/comments/99/delete", want: team(access.Member, missing)},
	}
}
