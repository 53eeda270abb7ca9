package triage

import (
	"cmp"
	"strconv"
	"strings"
)

// version is a release's name that says where it stands: package@1.2.3-rc.1+build,
// or without package and what follows the numbers.
type version struct {
	pkg     string
	numbers [4]uint64
	pre     []string // empty: the release itself
}

// CompareReleases compares two releases by semantic versioning (semver.org), with
// two to four numbers. told is false if their names do not tell: other packages,
// names that are no versions, versions that differ in nothing that counts.
func CompareReleases(a, b string) (c int, told bool) {
	va, oka := parseVersion(a)
	vb, okb := parseVersion(b)
	if !oka || !okb || va.pkg != vb.pkg {
		return 0, false
	}
	for i := range va.numbers {
		if c := cmp.Compare(va.numbers[i], vb.numbers[i]); c != 0 {
			return c, true
		}
	}
	c = comparePre(va.pre, vb.pre)
	return c, c != 0
}

// NewestRelease returns the newest of releases, which come in the order in which
// they appeared: of the package of the last one that with the highest version, or
// the last one if its name is no version. None: empty.
func NewestRelease(releases []string) string {
	if len(releases) == 0 {
		return ""
	}
	newest := releases[len(releases)-1]
	for _, r := range releases {
		if c, told := CompareReleases(r, newest); told && c > 0 {
			newest = r
		}
	}
	return newest
}

func parseVersion(release string) (version, bool) {
	var v version
	text := release
	if i := strings.LastIndexByte(release, '@'); i >= 0 {
		v.pkg, text = release[:i], release[i+1:]
	}
	text, _, _ = strings.Cut(strings.TrimPrefix(text, "v"), "+")
	text, pre, hasPre := strings.Cut(text, "-")
	if hasPre {
		if pre == "" {
			return version{}, false
		}
		v.pre = strings.Split(pre, ".")
	}
	parts := strings.Split(text, ".")
	if len(parts) < 2 || len(parts) > len(v.numbers) {
		return version{}, false
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 63)
		if err != nil {
			return version{}, false
		}
		v.numbers[i] = n
	}
	return v, true
}

// comparePre compares what stands behind a version's dash: none is the highest.
func comparePre(a, b []string) int {
	switch {
	case len(a) == 0 && len(b) == 0:
		return 0
	case len(a) == 0:
		return 1
	case len(b) == 0:
		return -1
	}
	for i := range min(len(a), len(b)) {
		na, errA := strconv.ParseUint(a[i], 10, 64)
		nb, errB := strconv.ParseUint(b[i], 10, 64)
		c := 0
		switch {
		case errA == nil && errB == nil:
			c = cmp.Compare(na, nb)
		case errA == nil: // numbers come before words
			c = -1
		case errB == nil:
			c = 1
		default:
			c = cmp.Compare(a[i], b[i])
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}
