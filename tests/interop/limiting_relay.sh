#!/bin/bash
# A whole job over somebody else's relay, rust-nostr's, that takes 30 events a minute from each connection: a result
# of more pieces than that arrives whole, and late.
# Environment: PYTHON (with nostr-sdk).
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"

[[ -s $IMAGE/initrd ]] || skip_all "there is no guest image (make image)"
only table
pin_image "$IMAGE" || exit 1
mkfifo "$T/relay.in"
"$PYTHON" "$(dirname "$0")/limiting_relay.py" 30 <"$T/relay.in" >"$T/url" 2>"$T/relay.err" &
PIDS+=($!)
exec 7>"$T/relay.in"
wait_for 60 test -s "$T/url" || { fail "their relay" "$T/relay.err" && finish; }
url=$(cat "$T/url")
start_provider "$T/provider.log" --relay "$url" || { fail "provider" "$T/provider.log" && finish; }
mkdir "$T/out"

"$CDVM" ask --relay "$url" --policy demo --accept-simulated --offer table --timeout 240 --attach examples/sales.csv --out "$T/out" --json --receipt "$T/receipt.json" \
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 9000) SELECT n, printf('%043d', n * 7919) AS text FROM c" >"$T/ask.json" 2>"$T/ask.err"
same "a job over it ends well" 0 $?
{
    echo n,text
    awk 'BEGIN { for (n = 1; n <= 9000; n++) printf "%d,%043d\n", n, n * 7919 }'
} >"$T/want.csv"
same "its result is complete" "$(sha256sum <"$T/want.csv")" "$(cat "$T"/out/* | tr -d '\r' | sha256sum)"
began=$(grep -m 1 '"event":"question"' "$T/ask.json" | grep -oE '"ms":[0-9]+' | cut -d: -f2)
ended=$(grep -m 1 '"event":"file"' "$T/ask.json" | grep -oE '"ms":[0-9]+' | cut -d: -f2)
check "the relay's limit was felt: $((ended - began)) ms" test $((ended - began)) -gt 5000
same "nothing was given up" 0 "$(grep -c 'refused an event' "$T/provider.log")"
"$CDVM" verify "$T/receipt.json" --policy demo >"$T/verify" 2>&1
check "its receipt covers all that came" grep -q 'receipt.*PASS\|PASS.*receipt' "$T/verify"
finish
