#!/bin/bash
# The relay is killed after the third chunk of a 200 KiB result and started again: the result is complete
# and nothing comes twice.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free_port) front=$(free_port)
url=ws://127.0.0.1:$front
pin_image || exit 1

# The way to the relay is slow (150 kB/s a connection), so that there is a middle of the transfer.
python3 tests/e2e/slow_proxy.py "$front" "$port" 150000 >"$T/proxy.log" 2>&1 &
PIDS+=($!)
start_relay "$T/relay.log" --port "$port" --url "$url"
start_provider "$T/provider.log" --relay "$url" || exit 1

# About 200 KiB: 4,096 rows of 50 bytes, a function of their number.
question="WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 4096)
SELECT n, printf('%043d', n * 7919) AS text FROM c"
mkdir "$T/out"
timeout 240 "$CDVM" ask --relay "$url" --policy demo --accept-simulated --offer table --json --attach examples/sales.csv \
    --out "$T/out" \
    "$question" >"$T/ask.json" 2>"$T/ask.err" &
ask=$!
PIDS+=("$ask")

big_events() { sqlite3 "file:$1?mode=ro" "SELECT count(*) FROM event WHERE kind = 1059 AND length(json) > 40000" 2>/dev/null || echo 0; }
db=$(find "$T/relay" -name '*.db' | head -n 1)
third_chunk() { (($(big_events "$db") >= 3)); }
check "three chunks of the result reach the relay" wait_for 120 third_chunk
before=$(big_events "$db")
kill -KILL "$RELAY"
wait "$RELAY" 2>/dev/null
check "the relay was killed in the middle ($before of 12 chunks)" test "$before" -lt 11
sleep 2
start_relay "$T/relay2.log" --port "$port" --url "$url"
wait "$ask"
same "the job ends well" 0 $?

result=$(find "$T/out" -type f | head -n 1)
same "one file came" 1 "$(find "$T/out" -type f | wc -l)"
{
    echo n,text
    awk 'BEGIN { for (n = 1; n <= 4096; n++) printf "%d,%043d\n", n, n * 7919 }'
} >"$T/want.csv"
check "the file is of the size meant ($(stat -c %s "$result" 2>/dev/null) bytes)" test "$(stat -c %s "$result")" -gt 190000
same "it is complete and nothing is in it twice" "$(tr -d '\r' <"$T/want.csv" | sha256sum)" "$(tr -d '\r' <"$result" | sha256sum)"
same "the file was handed over once" 1 "$(grep -c '"event":"file"' "$T/ask.json")"
finish
