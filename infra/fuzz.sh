#!/usr/bin/env bash
# Runs every fuzz target of the tree for the time given (go test fuzzes one
# target at a time).
set -euo pipefail
time=${1:-20s}
for package in $(go list ./...); do
  for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
    echo "== $package $target"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package"
  done
done
