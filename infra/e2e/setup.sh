#!/bin/sh
# Installs what the end-to-end suite needs besides Go, Node and Python: the SDKs
# and the browser driver, pinned, into directories that git ignores, and
# Chromium from the distribution if there is none. Quick when all is there.
set -eu
cd "$(dirname "$0")"

fail() {
	echo "setup.sh: $*" >&2
	exit 1
}

command -v node >/dev/null || fail "Node.js 20.19 or newer is missing"
command -v npm >/dev/null || fail "npm is missing"
command -v python3 >/dev/null || fail "Python 3 is missing"

if [ ! -x /usr/bin/chromium ]; then
	[ "$(id -u)" = 0 ] || fail "Chromium is missing; as root: apt-get update && apt-get install chromium"
	apt-get update
	DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends chromium
fi

# Each directory keeps a copy of the list it was installed from: the copy is
# written last, so an interrupted installation is repeated.
if ! cmp -s package-lock.json node_modules/.installed; then
	npm ci
	cp package-lock.json node_modules/.installed
fi

if ! cmp -s requirements.txt .venv/.installed; then
	rm -rf .venv
	python3 -m venv .venv || fail "python3 -m venv does not work; on Debian it is in the package python3-venv"
	.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement requirements.txt
	.venv/bin/pip check --disable-pip-version-check
	cp requirements.txt .venv/.installed
fi
