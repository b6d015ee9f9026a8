#!/bin/bash
# 100,000 verifications of a whole bundle in one process: its memory must not grow. TAP output.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${B:-build}
limit=256 # KiB: what the allocator may round up
make -s "$build/bench/bench_attest" >/dev/null || exit 1
line=$(GROWTH=${GROWTH:-100000} "$build/bench/bench_attest" growth)
echo "# $line"
grown=$(python3 -c 'import json,sys; print(json.loads(sys.argv[1])["median"])' "$line") || exit 1
if ((grown <= limit)); then
    echo "ok 1 - memory after 100,000 verifications ($grown KiB more)"
else
    echo "not ok 1 - memory after 100,000 verifications ($grown KiB more)"
fi
