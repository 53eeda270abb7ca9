#!/bin/sh
# Installs what the chaos suite needs besides Go: strace, which proves the order
# of writes and syncs, and util-linux for a disk that can be full.
set -eu

missing=
command -v strace >/dev/null || missing="$missing strace"
command -v nsenter >/dev/null && command -v unshare >/dev/null || missing="$missing util-linux"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "setup.sh: missing:$missing; as root: apt-get update && apt-get install$missing" >&2
	exit 1
fi
apt-get update
# shellcheck disable=SC2086 # one word a package
DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $missing
