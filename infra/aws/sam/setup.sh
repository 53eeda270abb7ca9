#!/bin/sh
# Installs AWS SAM and cfn-lint, pinned with hashes, into a directory that git
# ignores. They need no account: nothing here talks to AWS. Quick when all is there.
set -eu
cd "$(dirname "$0")"

fail() {
	echo "setup.sh: $*" >&2
	exit 1
}

python3 -c "import sys; sys.exit(sys.version_info < (3, 11))" || fail "Python 3.11 or newer is missing"

# The list is kept beside what was installed from it: it is written last, so an
# interrupted installation is repeated.
if ! cmp -s requirements.txt .venv/.installed; then
	rm -rf .venv
	if ! python3 -m venv .venv >/dev/null 2>&1; then
		rm -rf .venv
		[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
			fail "python3 -m venv does not work; on Debian as root: apt-get update && apt-get install python3-venv"
		apt-get update
		DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends python3-venv
		python3 -m venv .venv
	fi
	.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements.txt
	.venv/bin/pip check --disable-pip-version-check
	cp requirements.txt .venv/.installed
fi
