#!/bin/bash
# Runs the benches given and the guest ones; prints their JSON lines.
set -u
cd "$(dirname "$0")/../.." || exit 1
rc=0
for program in "$@" tests/bench/bench_*.sh; do
    "$program" || { echo "bench: $program failed" >&2 && rc=1; }
done
exit $rc
