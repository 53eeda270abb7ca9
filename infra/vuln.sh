#!/usr/bin/env bash
# Known vulnerabilities in what we call. The database is fetched from the
# internet; where it cannot be reached nothing was checked, and that is said, and with
# VULN_REQUIRED=1 it is a failure: a release must not go out unchecked.
set -uo pipefail
out=$(go tool govulncheck ./... 2>&1)
code=$?
echo "$out"
if [ $code -ne 0 ] && grep -q 'fetching vulnerabilities' <<<"$out"; then
  echo "NOT CHECKED: the vulnerability database cannot be reached from here"
  [ "${VULN_REQUIRED:-}" = 1 ] && exit 1
  exit 0
fi
exit $code
