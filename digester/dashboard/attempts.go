package dashboard

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Attempts to sign in: a person mistypes a few times; a program that guesses gets
// nowhere, whether it stays with one account or tries one password on many.
const (
	attemptsOfAccount = 8
	accountEvery      = 30 * time.Second
	attemptsOfAddress = 40
	addressEvery      = 5 * time.Second

	// Of a second factor, by who knows the password: six digits are soon tried.
	attemptsOfSecond = 8
	secondEvery      = 5 * time.Minute

	// maxWatched bounds what is remembered of each kind.
	maxWatched = 20_000
)

// attempts throttles. Its zero value is ready; it is safe for concurrent use.
type attempts struct {
	mu       sync.Mutex
	accounts map[string]*rate.Limiter // guarded by mu
	from     map[string]*rate.Limiter // guarded by mu
	seconds  map[string]*rate.Limiter // by user; guarded by mu
}

// allowSecond counts an attempt at a user's second factor.
func (a *attempts) allowSecond(user int64, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seconds == nil {
		a.seconds = make(map[string]*rate.Limiter)
	}
	return limiter(a.seconds, strconv.FormatInt(user, 10), secondEvery, attemptsOfSecond, now).AllowN(now, 1)
}

// allow counts an attempt from an address at an account, which need not exist.
func (a *attempts) allow(address, account string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.accounts == nil {
		a.accounts, a.from = make(map[string]*rate.Limiter), make(map[string]*rate.Limiter)
	}
	byAddress := limiter(a.from, address, addressEvery, attemptsOfAddress, now)
	byAccount := limiter(a.accounts, strings.ToLower(strings.TrimSpace(account)), accountEvery, attemptsOfAccount, now)
	// Both are asked, so that refused attempts count too.
	first, second := byAddress.AllowN(now, 1), byAccount.AllowN(now, 1)
	return first && second
}

func limiter(of map[string]*rate.Limiter, key string, every time.Duration, burst int, now time.Time) *rate.Limiter {
	l := of[key]
	if l != nil {
		return l
	}
	if len(of) >= maxWatched {
		forget(of, now)
	}
	l = rate.NewLimiter(rate.Every(every), burst)
	of[key] = l
	return l
}

// forget makes room: whoever has all attempts left is as good as unknown; if that
// is nobody, the map starts anew.
func forget(of map[string]*rate.Limiter, now time.Time) {
	for key, l := range of {
		if l.TokensAt(now) >= float64(l.Burst()) {
			delete(of, key)
		}
	}
	if len(of) >= maxWatched {
		clear(of)
	}
}

// connectionAddress is the other end of a request's connection.
func connectionAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
