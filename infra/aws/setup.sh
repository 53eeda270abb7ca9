#!/bin/sh
# Installs moto, an implementation of SQS and S3 that is not ours, pinned, into a
# directory that git ignores. Quick when all is there.
set -eu
cd "$(dirname "$0")"

fail() {
	echo "setup.sh: $*" >&2
	exit 1
}

command -v python3 >/dev/null || fail "Python 3 is missing"

# The copy of the list is written last, so an interrupted installation is repeated.
if ! cmp -s requirements.txt .venv/.installed; then
	rm -rf .venv
	python3 -m venv .venv || fail "python3 -m venv does not work; on Debian it is in the package python3-venv"
	.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement requirements.txt
	.venv/bin/pip check --disable-pip-version-check
	cp requirements.txt .venv/.installed
fi
