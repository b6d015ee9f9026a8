#!/bin/bash
# `make demo` in the terminals people have: inside a tmux, small, without UTF-8, without tmux, closed in the
# middle, started twice. It ends without a process, socket or folder left, whichever way.
# shellcheck source=tests/e2e/terminal.bash
. "$(dirname "$0")/terminal.bash"
[[ -s $IMAGE/initrd ]] || skip_all "there is no guest image (make image)"

DEMO=$T/demo
NAME=cdvm-demo-test-$$
export DEMO_DIR=$DEMO DEMO_TMUX_NAME=$NAME
SERVER=${TMUX_TMPDIR:-/tmp}/tmux-$EUID/$NAME
mkdir -p "$DEMO/cache/cdvm" "$T/home"
cp -r "$XDG_CACHE_HOME/." "$DEMO/cache/" 2>/dev/null # whether KVM works here
# shellcheck disable=SC2317 # called by the trap, by wait_for
cleanup_demo() {
    tmux -L "$NAME" kill-server 2>/dev/null
    cleanup_terminal
}
trap cleanup_demo EXIT

# demo COLSxROWS MODE [VARIABLE=VALUE...]   in a pane of the test's own tmux, with a locale that is not UTF-8
demo() {
    local size=$1 mode=$2
    shift 2
    rm -f "$T/ended"
    cat >"$T/outer.sh" <<RUN
cd "$PWD"
env -u XDG_CONFIG_HOME -u XDG_DATA_HOME -u XDG_STATE_HOME -u XDG_CACHE_HOME -u XDG_RUNTIME_DIR HOME="$T/home" \
    LC_ALL=C $* sh -c 'echo \$\$ >"$T/outer.pid"; exec qemu-scripts/demo.sh $mode'
echo "rc=\$?" | tee "$T/ended"
exec sleep 1000
RUN
    new_terminal "$size" "bash '$T/outer.sh'"
}
# shellcheck disable=SC2317
gone() { ! kill -0 "$(cat "$T/outer.pid")" 2>/dev/null && ! pgrep -f "$DEMO" >/dev/null; }
# leaves_nothing NAME   however it ended
leaves_nothing() {
    check "$1: every process ends" wait_for 40 gone
    same "$1: no socket or run directory is left" "" "$(find "$DEMO" -type s -o -path "$DEMO/run*" -o -name '*.pid')"
    check "$1: no tmux of it runs" bash -c "! tmux -L $NAME list-sessions 2>/dev/null"
    check "$1: its tmux socket is gone" test ! -e "$SERVER"
    stop
}
inner() { tmux -L "$NAME" "$@"; }

# --- as it is meant to be seen, inside another tmux ---

demo 100x30 screen
expect "inside another tmux: the offer comes" '\[S\].*SIMULATED' 120
expect "frames are drawn in UTF-8 though the locale is C" '──────'
expect "the provider's pane says where its relay is" 'SIMULATED  relay ws://127\.0\.0\.1:[0-9]+|relays 1/1 up'
same "two panes, the provider's with 6 rows" "23 6" "$(inner list-panes -t demo -F '#{pane_height}' | paste -sd' ')"
check "on a socket of its own" test -S "$SERVER"
same "which is called cdvm-demo" 1 "$(grep -c 'DEMO_TMUX_NAME:-cdvm-demo}' qemu-scripts/demo.sh)"

said=$(qemu-scripts/demo.sh headless 2>&1)
same "a second demo in the same folder is refused" 75 $?
check "in a sentence" grep -q 'a demo is running in .* already' <<<"$said"
said=$(DEMO_DIR=$T/other script -qec qemu-scripts/demo.sh /dev/null </dev/null 2>&1)
same "a second screen is refused" 75 $?
check "and told how to see the first" grep -q "tmux -L $NAME attach" <<<"$said"
check "which goes on" shows '\[S\].*SIMULATED'
check "nothing was made for it" test ! -e "$T/other"

keys q
wait_for 40 test -e "$T/ended"
same "q ends it" rc=0 "$(cat "$T/ended" 2>/dev/null)"
expect "and says where things are" "Results, if you saved any, are in"
leaves_nothing "q"

# --- a small terminal, and leaving it by force ---

demo 80x20 screen
expect "under 24 rows: the offer comes" '\[S\].*SIMULATED' 60
same "two windows of one pane" "1 1" "$(inner list-windows -t demo -F '#{window_panes}' | paste -sd' ')"
expect "named below" '1:provider'
keys C-c
keys C-c
wait_for 40 test -e "$T/ended"
leaves_nothing "Ctrl-C"

demo 100x30 screen
expect "again: the offer comes" '\[S\].*SIMULATED' 60
stop # the terminal around it is closed
leaves_nothing "closing the terminal"

# --- without tmux ---

demo 80x24 screen DEMO_TMUX=0
expect "DEMO_TMUX=0: the offer comes" '\[S\].*SIMULATED' 60
check "without a tmux of its own" test ! -e "$SERVER"
expect "frames are UTF-8 here too" '──────'
stop
leaves_nothing "closing the terminal, DEMO_TMUX=0"

# --- a provider that cannot start: said, not waited for ---

demo 100x30 screen DEMO_IMAGE="$T/nothing"
wait_for 30 test -e "$T/ended"
check "no image: it ends with a sentence" shows 'nothing'
leaves_nothing "no image"
printf 'relay = nonsense\n' >"$DEMO/config/cdvm/provider.conf"
demo 100x30 screen
wait_for 40 test -e "$T/ended"
expect "a provider that does not start: its words stay on the terminal" 'nonsense'
same "and it fails" rc=1 "$(cat "$T/ended" 2>/dev/null)"
rm "$DEMO/config/cdvm/provider.conf"
leaves_nothing "a provider that does not start"

# --- headless, in the middle of a job ---

demo 100x30 headless
expect "headless: a guest boots" 'provider says: booting' 60
keys C-c
wait_for 40 test -e "$T/ended"
leaves_nothing "headless and Ctrl-C"
demo 100x30 headless
expect "headless: a guest boots again" 'provider says: booting' 60
stop
leaves_nothing "headless and the terminal closed"

said=$(qemu-scripts/demo.sh screen 2>&1 </dev/null)
same "no terminal: refused" 64 $?
check "naming the demo that needs none" grep -q 'make demo-headless' <<<"$said"
same "nothing in the home folder changed" "" "$(find "$T/home" -mindepth 1)"
finish
