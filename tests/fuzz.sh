#!/bin/bash
# Every fuzzer for FUZZ_SECONDS (5) each; TAP lines. `make test-programs` has built them.
cd "$(dirname "$0")/.." || exit 1
names=()
for f in tests/fuzz/fuzz_*.c; do
    f=${f##*/fuzz_}
    names+=("${f%.c}")
done
exec tests/fuzz/run.sh "${B:-build}/fuzz" "${names[@]}"
