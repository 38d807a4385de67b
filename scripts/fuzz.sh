#!/usr/bin/env bash
# Runs every fuzz target of the module for FUZZTIME each (default 3s).
set -euo pipefail
cd "$(dirname "$0")/.."
time=${FUZZTIME:-3s}
grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' internal cmd | xargs -n1 dirname | sort -u | while read -r dir; do
  for target in $(grep -rhoE '^func Fuzz[A-Za-z0-9_]+' --include='*_test.go' "$dir"/*_test.go | sed 's/^func //' | sort -u); do
    echo "fuzz $dir $target"
    go test "./$dir" -run '^$' -fuzz "^${target}\$" -fuzztime "$time" -parallel 2 >/tmp/fuzz.$$ 2>&1 || { cat /tmp/fuzz.$$; rm -f /tmp/fuzz.$$; exit 1; }
    tail -n 1 /tmp/fuzz.$$
  done
done
rm -f /tmp/fuzz.$$
