package main

import (
	"errors"
	"strings"
)

// minOpsToken is how long what opens the numbers to other machines must be.
const minOpsToken = 16

// readProvider reads who else signs people in.
func readProvider(read func(name string, set func(string) error), getenv func(string) string, cfg *Config) (problems []error) {
	p := &cfg.Provider
	read("SUNDEW_OIDC_ISSUER", func(v string) error {
		p.Issuer = v // as it is: the provider must call itself the same, to the last slash
		_, err := parseAddress(v)
		return err
	})
	read("SUNDEW_OIDC_CLIENT_ID", func(v string) error { p.ClientID = v; return nil })
	read("SUNDEW_OIDC_NAME", func(v string) error { p.Name = v; return nil })
	read("SUNDEW_OIDC_DOMAINS", func(v string) error {
		for domain := range strings.SplitSeq(v, ",") {
			domain = strings.ToLower(strings.TrimSpace(domain))
			if domain == "" || strings.ContainsAny(domain, "@ /") {
				return errors.New("want domains of mail addresses with commas between, for example example.com,example.org")
			}
			p.Domains = append(p.Domains, domain)
		}
		return nil
	})
	p.Secret = strings.TrimSpace(getenv("SUNDEW_OIDC_CLIENT_SECRET"))
	if p.Name == "" {
		p.Name = "single sign-on"
	}
	if given := p.Issuer != ""; given != (p.ClientID != "") || !given && (p.Secret != "" || len(p.Domains) > 0) {
		problems = append(problems, errors.New("  SUNDEW_OIDC_ISSUER and SUNDEW_OIDC_CLIENT_ID: each needs the other, and the rest of SUNDEW_OIDC_… both"))
	}
	return problems
}
