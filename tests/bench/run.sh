#!/bin/bash
# Runs the benches given and the guest ones; prints their JSON lines.
set -u
cd "$(dirname "$0")/../.." || exit 1
for program in "$@"; do "$program" || echo "bench: $program failed" >&2; done
for script in tests/bench/bench_*.sh; do [[ -x $script ]] && "$script"; done
exit 0
