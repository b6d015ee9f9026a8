#!/bin/bash
# A job whose guest shows GPUs captured elsewhere, beside a report of the simulator: `cdvm ask` and the program's
# tree have a line for each thing that they prove. What makes it fail is what must: the captures answer another nonce.
# shellcheck source=tests/e2e/terminal.bash
. "$(dirname "$0")/terminal.bash"
# shellcheck source=tests/tui/play.bash
. "$(dirname "$0")/../tui/play.bash"
V=$(realpath "${VECTORS:-../shared/vectors}" 2>/dev/null)/gpu
[[ -f $V/MANIFEST.md && -x $B/e2e/gpu_guest ]] || skip_all "no captured GPUs, or no build/e2e/gpu_guest (make test-programs)"

start_relay "$T/relay.log" --port 0 || exit 1
URL=$(relay_of "$T/relay.log")
# seller LIST   GUEST: its process
seller() {
    : >"$T/seller.log"
    "$B/e2e/gpu_guest" "$URL" "$V" "$XDG_CONFIG_HOME/cdvm" "$@" >"$T/seller.log" 2>&1 &
    GUEST=$!
    PIDS+=("$GUEST")
    wait_for 60 grep -q offered "$T/seller.log"
}
ask() { # NAME OFFER
    "$CDVM" ask --relay "$URL" --offer "$2" --policy demo --accept-simulated --timeout 60 'SELECT 1' >"$T/out" 2>"$T/err"
    same "$1" 1 $?
}
line() { check "ask: $2 is $1" grep -qE "SIMULATED \[$1\].*\($2(, the guest's word)?\)" "$T/err"; }

seller || exit 1
ask "a guest with one captured GPU is refused" gpus1
for id in structure chain signature fwid floor mode topology cc_state in-this-guest; do line PASS "gpu\\.$id"; done
line PASS 'bind\.gpu'
line FAIL 'gpu\.nonce'
line FAIL 'gpu\.rim\.driver' # its certificate ended in 2026
line 'NOT CHECKED' 'gpu\.measurements'
check "... in several messages, the last one first" grep -qE 'collateral: [3-9] messages' "$T/seller.log"
check "... and says why" grep -q 'made for another nonce' "$T/err"

# How long the verdict took is another each time.
# shellcheck disable=SC2317
screen() { tm capture-pane -p -t t 2>/dev/null | sed -E 's/[0-9]+\.[0-9] ms/1.0 ms/'; }
# shellcheck disable=SC2317 # called by the player
on_screen() { compare_screen "$1"; }
play tests/tui/gpu-job.keys
end_process "$GUEST"

seller ppcie-h100-590.12/multi_gpu_hopper.json || exit 1
ask "a guest with four captured GPUs is refused" gpus4
check "... whose list is longer than a message" grep -qE 'GPU list: [4-9][0-9]{4} bytes' "$T/seller.log"
line PASS 'bind\.gpu'
line PASS 'gpu\.count'
line PASS 'gpu\.signature'
line FAIL 'gpu\.nonce'
check "... each with its name" grep -qE '[1-4] of 4, GH100 [0-9a-f]{16}' "$T/err"
finish
