#!/bin/bash
# A secret in the question and in the file: afterwards it is in the customer's result and nowhere else. The
# relay's database, its blobs, all that it sent and received, the provider's log and state, the run
# directory and the caches are searched for it, plain, in hex and in base64 at all three offsets.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
SECRET=Rumpelstilzchen-4711-Geheimnis

# patterns WORD   one a line, as grep -F takes them
patterns() {
    local pad text
    printf '%s\n' "$1"
    printf '%s' "$1" | od -An -tx1 | tr -d ' \n'
    printf '\n'
    for pad in '' x xx; do
        text=$(printf '%s%s' "$pad" "$1" | base64 -w0)
        # The characters at both ends depend on the neighbours.
        printf '%s\n' "${text:4:$((${#text} - 8))}"
    done
}
# found PATTERNS PLACE...   files that hold any of them
found() { grep -rlaF -f "$@" 2>/dev/null | sort; }

patterns "$SECRET" >"$T/patterns"

# The search itself can fail: it must find what is hidden in each of these ways.
mkdir "$T/control"
printf 'a %s b' "$SECRET" >"$T/control/plain"
printf '%s' "$SECRET" | od -An -tx1 | tr -d ' \n' >"$T/control/hex"
for n in 0 1 2; do
    { head -c $n /dev/zero && printf '%s rest' "$SECRET"; } | base64 -w0 >"$T/control/base64-$n"
done
same "the search finds all five disguises" 5 "$(found "$T/patterns" "$T/control" | wc -l)"

pin_image || { fail "image manifests" && finish; }
mkdir -p "$T/wire" "$T/results" "$T/snapshot"
printf 'name,amount\n%s,17\nother,4\n' "$SECRET" >"$T/ledger.csv"

# Customer and provider reach the relay through a listener on the wire.
RELAY_PORT=$((20000 + RANDOM % 20000))
"$PWD/$B/e2e/tap" $RELAY_PORT "$T/wire" >"$T/tap.port" &
PIDS+=($!)
wait_for 30 test -s "$T/tap.port"
TAP=$(cat "$T/tap.port")
start_relay "$T/relay.log" --port $RELAY_PORT --url "ws://127.0.0.1:$TAP" || fail "relay" "$T/relay.log"
start_provider "$T/provider.log" --relay "ws://127.0.0.1:$TAP" --blossom "http://127.0.0.1:$TAP" ||
    fail "provider" "$T/provider.log"

# While the job runs: what lies in the run directory, and what QEMU has open.
watch_guest() {
    local pid i file flags
    for ((i = 0; i < 400; i++)); do
        pid=$(qemus | head -n 1)
        if [[ -n $pid ]]; then
            cp -r "$XDG_RUNTIME_DIR/." "$T/snapshot/" 2>/dev/null
            for fd in /proc/"$pid"/fd/*; do
                file=$(readlink "$fd") # and then its flags: without either it was closed just now
                flags=$(sed -n 's/^flags:[ \t]*//p' "/proc/$pid/fdinfo/${fd##*/}")
                [[ -z $file || -z $flags ]] || echo "$file $flags"
            done >>"$T/open" 2>/dev/null
        fi
        sleep 0.05
    done
}
watch_guest &
WATCH=$!
"$CDVM" ask --relay "ws://127.0.0.1:$TAP" --policy demo --accept-simulated --offer table --timeout 90 \
    --attach "$T/ledger.csv" --out "$T/results" "SELECT name, amount FROM ledger WHERE name = '$SECRET'" \
    >"$T/answer" 2>"$T/ask.err"
same "the job succeeds" 0 $?
kill $WATCH 2>/dev/null
wait $WATCH 2>/dev/null
check "the customer has the answer" grep -q "$SECRET *17" "$T/answer"
check "the customer has the file" grep -qr "$SECRET,17" "$T/results"

same "the wire never carried it" "" "$(found "$T/patterns" "$T/wire")"
same "relay: neither database nor blobs hold it" "" "$(found "$T/patterns" "$T/relay")"
same "relay and provider did not log it" "" "$(found "$T/patterns" "$T/relay.log" "$T/provider.log")"
same "the run directory never held it" "" "$(found "$T/patterns" "$T/snapshot" "$XDG_RUNTIME_DIR")"
same "the provider's state does not hold it" "" "$(found "$T/patterns" "$T/provider")"
same "configuration, data, state, cache do not hold it" "" \
    "$(found "$T/patterns" "$XDG_CONFIG_HOME" "$XDG_DATA_HOME" "$XDG_STATE_HOME" "$XDG_CACHE_HOME")"

# The searches above looked at the right places: what is public is there.
check "control: the wire shows the offer" test -n "$(grep -rlaF 'Confidential jobs in a sealed guest' "$T/wire")"
check "control: the wire shows gift wraps both ways" test \
    "$(grep -rlaE '"kind":(1059|21059)' "$T/wire" | sed 's/.*\.//' | sort -u | wc -l)" = 2
check "control: the database holds gift wraps" test -n "$(find "$T/relay" -size +0c -name '*.db*')"
check "control: the guest was watched" grep -q memfd "$T/open"

# QEMU can write to sockets, its stderr pipe, kernel objects and /dev/null; to no file.
same "QEMU has no file open for writing" "" \
    "$(sort -u "$T/open" | grep -vE '^(socket:|pipe:|anon_inode:|/dev/null|/dev/kvm|/dev/ptmx)' |
        grep -vE ' 0?[0-9]*0$')"
same "no console, log or trace file exists" "" \
    "$(find "$T" "$XDG_CACHE_HOME" \( -iname '*console*' -o -iname '*serial*' -o -iname '*trace*' -o -iname 'qemu*' \) | sort)"
finish
