#!/bin/bash
# 100,000 random changes of a good bundle, under ASan and UBSan: none may pass. TAP output.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${B:-build}/asan
if ! make -s B="$build" CFLAGS='-O1 -g' SAN='-fsanitize=address,undefined -fno-sanitize-recover=undefined' \
    "$build/unit/test_mutation" >"$build.log" 2>&1; then
    tail -n 20 "$build.log" | sed 's/^/# /'
    echo "not ok 1 - mutation test builds"
    exit 1
fi
MUTATIONS=${MUTATIONS:-100000} CMOCKA_MESSAGE_OUTPUT=TAP "$build/unit/test_mutation"
