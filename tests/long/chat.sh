#!/bin/bash
# The chat with a real, small model in an emulated guest: three private documents, the right one named as the
# source, the answer streamed; and what the customer sees of the model's speed. Takes some minutes.
# shellcheck source=/dev/null
. "$(dirname "$0")/../e2e/lib.sh"

card=("$IMAGE"/*.model)
if [[ ! -f ${card[0]} ]] || grep -q '^model = none' "$IMAGE/chat.offer"; then
    skip_all "the image has no model: its weights could not be fetched"
fi
documents=(lease.md ledger-note.txt medical-note.txt)

# ask NAME OPTION... QUESTION   each line of its JSON with the time it came, in $T/NAME
ask() {
    local name=$1
    shift
    "$CDVM" ask --relay "$URL" --policy demo --accept-simulated --offer chat --timeout 1500 --json --out "$T" "$@" \
        2>"$T/$name.err" | python3 -u -c 'import sys, time
for line in sys.stdin: print("%.3f" % time.monotonic(), line, end="")' >"$T/$name"
    return "${PIPESTATUS[0]}"
}
# of NAME TYPE EXPRESSION   of every line of that type, o; t is its time
of() {
    python3 -c 'import json, sys
for line in open(sys.argv[1]):
    t, o = line.split(" ", 1)
    t, o = float(t), json.loads(o)
    if o["event"] == sys.argv[2]: print(eval(sys.argv[3]))' "$T/$1" "$2" "$3"
}

pin_image || { fail "image manifests" && finish; }
start_relay "$T/relay.log" --port 0 || fail "relay" "$T/relay.log"
URL=$(relay_of "$T/relay.log")
start_provider "$T/provider.log" --relay "$URL" || fail "provider" "$T/provider.log"

# --- three documents ---
ask lease "${documents[@]/#/--attach=examples/}" "How much is the rent of the flat?"
same "documents: answered" 0 $?
same "documents: the right source comes first" lease.md "$(of lease sources 'o["sources"][0]["doc"]' | head -n 1)"
check "documents: sources come before the answer" test \
    "$(of lease sources t | head -n 1 | tr -d .)" -lt "$(of lease delta 't if o["text"] else ""' | grep . | head -n 1 | tr -d .)"
check "documents: the answer is streamed" test "$(of lease delta 'o["text"]' | grep -c .)" -ge 3
check "documents: progress while the prompt is read" grep -q 'reading the prompt (emulated CPU)' <(of lease progress 'o.get("note")')
answer=$(of lease delta 'o["text"]' | tr -d '\n')
echo "# the model: $answer"

# --- speed ---
ask speed --param profile=full --param max_tokens=64 "Tell me a long story about a ship and its captain."
same "speed: answered" 0 $?
of speed delta '"%.3f %d" % (t, len(o["text"]))' >"$T/deltas"
said=$(of speed progress 'o.get("note") or ""' | grep -oE '[0-9]+ tokens in [0-9.]+ s' | tail -n 1)
echo "# llama-server: $said"
# Of the tokens after the first delta, whose characters are known, in the time since. llama-server's time runs
# from its first token: it holds one token less than it counts. An emulated guest that was started on a busy
# machine may have a clock that runs fast: its deltas, four a second of its own, tell.
awk -v tokens="${said%% *}" -v engine="$(grep -oE '[0-9.]+ s' <<<"$said")" '
    !all && !$2 {next}
    !all {first = $1; head = $2}
    {n++; all += $2}
    $2 {last = $1; at = n}
    END {
        clock = (at - 1) * 0.25 / (last - first); if (clock < 1.05) clock = 1
        seen = tokens * (all - head) / all / (last - first); own = (tokens - 1) / engine * clock
        printf "%.1f %.3f %.3f %.1f %.2f\n", last - first, seen, own, 100 * seen / own, clock
    }' "$T/deltas" >"$T/speed"
read -r span seen own percent clock <"$T/speed"
echo "# the customer: $seen tokens/s over $span s; llama-server in the guest: $own; $percent %; clock x $clock"
check "speed: measured over 20 s at least ($span)" test "${span%.*}" -ge 20
# On a quiet machine it is above 95. Beside other tests the clock of an emulated guest lags, and what the
# engine says of its time with it.
check "speed: most of the engine's own ($percent %)" test "${percent%.*}" -ge 50
finish
