package dashboard

import (
	"html/template"
	"net/url"
	"strconv"
)

// second leads to the page that asks for the second factor, and from there to next.
func (l links) second(next string) string {
	return l.base + "/sign-in/second?" + url.Values{"next": {next}}.Encode()
}

func (l links) secondForm() string     { return l.base + "/sign-in/second" }
func (l links) passkeySignIn() string  { return l.base + "/sign-in/passkey" }
func (l links) passkeyOptions() string { return l.passkeySignIn() + "/options" }

// provider leads to whoever vouches for people, and from there back to us.
func (l links) provider() string { return l.base + "/sign-in/provider" }

func (l links) providerThen(next string) string {
	return l.provider() + "?" + url.Values{"next": {next}}.Encode()
}

func (l links) security() string          { return l.base + "/account/security" }
func (l links) authenticator() string     { return l.security() + "/authenticator" }
func (l links) authenticatorCode() string { return l.authenticator() + "/code.png" }
func (l links) authenticatorDone() string { return l.authenticator() + "/confirm" }
func (l links) authenticatorGone() string { return l.authenticator() + "/remove" }
func (l links) recoveryCodes() string     { return l.security() + "/codes" }
func (l links) passkeys() string          { return l.security() + "/passkeys" }
func (l links) newPasskey() string        { return l.passkeys() + "/options" }

func (l links) removePasskey(id int64) string {
	return l.passkeys() + "/" + strconv.FormatInt(id, 10) + "/remove"
}

func (l links) tokens() string { return l.base + "/account/tokens" }

// revokeToken leads to the form that revokes a token of a list.
func (l links) revokeToken(list string, id int64) string {
	return list + "/" + strconv.FormatInt(id, 10) + "/revoke"
}

// ProviderCallback returns where a provider sends browsers back to.
func ProviderCallback(publicURL string) string { return publicURL + "/sign-in/provider/callback" }

// accountFuncs are the addresses that templates about accounts use.
func (l links) accountFuncs() map[string]any {
	return map[string]any{
		"secondURL":            l.secondForm,
		"passkeySignInURL":     l.passkeySignIn,
		"passkeyOptionsURL":    l.passkeyOptions,
		"providerURL":          l.providerThen,
		"securityURL":          l.security,
		"authenticatorURL":     l.authenticator,
		"authenticatorCodeURL": l.authenticatorCode,
		"authenticatorDoneURL": l.authenticatorDone,
		"authenticatorGoneURL": l.authenticatorGone,
		"recoveryCodesURL":     l.recoveryCodes,
		"passkeysURL":          l.passkeys,
		"newPasskeyURL":        l.newPasskey,
		"removePasskeyURL":     l.removePasskey,
		"tokensURL":            l.tokens,
		// Made by us, of a secret and a mail address, both escaped.
		"appURL": func(otpauth string) template.URL { return template.URL(otpauth) },
	}
}
