// Package visitor signs in to a running Sundew as a browser does.
//
// It exists because every suite that starts the program and looks at its pages has
// to be somebody first.
package visitor

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// The owner whom Env makes.
const (
	Email    = "owner@example.com"
	Password = "correct horse battery"
)

// Env is what the program needs in its environment to have that owner, and to store
// every event: suites count them.
func Env() []string {
	return []string{"SUNDEW_OWNER_EMAIL=" + Email, "SUNDEW_OWNER_PASSWORD=" + Password, "SUNDEW_SPIKE=0"}
}

// New returns a client without a session. It keeps the cookies it is given.
func New() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // without options it cannot fail
	}
	return &http.Client{Jar: jar}
}

// SignIn makes the client the owner's on the dashboard at address.
func SignIn(ctx context.Context, client *http.Client, address string) error {
	form := url.Values{"email": {Email}, "password": {Password}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(address, "/")+"/sign-in", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("signing in: %w", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %s", answer.StatusCode, body)
	}
	if err != nil {
		return fmt.Errorf("signing in: %w", err)
	}
	return nil
}
