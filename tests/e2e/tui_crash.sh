#!/bin/bash
# The terminal comes back as it was: after a crash, a signal, a suspension; and idling costs nothing.
# shellcheck source=tests/e2e/terminal.bash
. "$(dirname "$0")/terminal.bash"

HINT='No relay is configured'
: >"$XDG_CONFIG_HOME/cdvm/cdvm.conf" # not the first start

# What a signal must leave behind. A crash also says so in words.
restored() { # restored SIGNAL RC WORDS
    start 80x24
    expect "SIG$1: the program is on the screen" "$HINT"
    is "SIG$1: it draws on the alternate screen" alternate_on=1
    kill "-$1" "$(cdvm_pid)"
    wait_for 30 test -s "$T/after"
    check "SIG$1: terminal settings are the same before and after" cmp "$T/before" "$T/after"
    is "SIG$1: main screen, cursor visible, keypad off" alternate_on=0 cursor_flag=1 keypad_flag=0
    expect "SIG$1: exit status $2" "rc=$2"
    expect "SIG$1: what stood there stands there" "what stood here before"
    [[ -z $3 ]] || expect "SIG$1: it says so" "$3"
    absent "SIG$1: nothing of the program stays on the main screen" "$HINT"
    stop
}

# A crash on a screen that these keys lead to, or in the middle of what comes in.
crashes_at() { # NAME SIGNAL PATTERN KEYS...
    local name=$1 signal=$2 pattern=$3
    shift 3
    start 80x24
    expect "$name: started" "$HINT"
    (($# == 0)) || keys "$@"
    expect "$name: reached" "$pattern"
    kill "-$signal" "$(cdvm_pid)"
    wait_for 30 test -s "$T/after"
    check "$name: terminal settings are the same before and after SIG$signal" cmp "$T/before" "$T/after"
    is "$name: main screen, cursor visible, keypad off, mouse off" alternate_on=0 cursor_flag=1 keypad_flag=0 mouse_any_flag=0
    absent "$name: nothing of it stays on the main screen" "$pattern"
    stop
}

suspended() {
    new_terminal 80x24 "bash --norc --noprofile -i"
    wait_for 30 shows '[$#] '
    text "'$CDVM' tui"
    keys Enter
    expect "suspend: started from a shell" "$HINT"
    keys C-z
    expect "suspend: Ctrl-Z gives the shell back" 'Stopped'
    is "suspend: on its own screen" alternate_on=0
    text fg
    keys Enter
    expect "suspend: fg draws everything again" "$HINT"
    is "suspend: on the alternate screen" alternate_on=1
    keys q
    is "suspend: it leaves afterwards as ever" alternate_on=0
    stop
}

resized() {
    start 80x24
    expect "resize: 80x24" "$HINT"
    tm resize-window -t t -x 100 -y 30
    expect "resize: 100x30 shows more" 'key one-time'
    tm resize-window -t t -x 50 -y 10
    expect "resize: too small says so" 'enlarge to 60x16'
    tm resize-window -t t -x 60 -y 16
    expect "resize: 60x16 works" "$HINT"
    stop
}

# Neither CPU nor a turn of the loop.
idles() {
    local pid
    start 80x24
    expect "idle: started" "$HINT"
    pid=$(cdvm_pid)
    sleep 0.5
    while (($(date +%-S) > 48)); do sleep 0.5; done # the minute in the corner may change
    timeout 4 strace -f -qq -p "$pid" -o "$T/calls" || true
    same "idle: no system call in four seconds" '' "$(grep -vE 'resumed|unfinished|resuming|detached' "$T/calls" | head)"
    keys C-c C-c
    expect "Ctrl-C twice leaves at once" 'rc=0'
    stop
}

refused() {
    local out
    out=$(TERM=no-such-terminal script -qec "$CDVM tui" /dev/null </dev/null 2>&1)
    check "TERM unknown: says so" grep -q "TERM is 'no-such-terminal', which this machine does not know" <<<"$out"
    out=$("$CDVM" tui </dev/null 2>&1)
    check "neither a terminal nor a pipe: says so" grep -q 'must be a terminal or a pipe' <<<"$out"
    out=$("$CDVM" tui --policy lax 2>&1 </dev/null)
    check "unknown policy: says so" grep -q 'lax' <<<"$out"
}

# A person whose guest is in the middle of an answer.
streams() {
    [[ -s $IMAGE/initrd ]] || return 1
    only table
    pin_image "$IMAGE" && start_provider "$T/provider.log" --run-relay --relay-port 0 || return 1
    start 80x24 --relay "$(relay_of "$T/provider.log")" --policy demo
    expect "streaming: an offer" 'local|tester' 30
    keys Enter
    expect "streaming: in full" 'Enter start a guest'
    keys Enter
    expect "streaming: asked" 'Start a guest'
    keys y
    expect "streaming: verified" 'VERDICT  SIMULATED' 100
    keys 3 a
    expect "streaming: the word" 'simulated'
    text simulated
    keys Enter
    expect "streaming: ready" 'Ready: table' 60
    text 'WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 900000000) SELECT max(n) FROM c'
    keys Enter
    expect "streaming: an answer is on its way" 'waiting for the answer'
    text 'a draft that nobody may read afterwards'
    kill -SEGV "$(cdvm_pid)"
    wait_for 30 test -s "$T/after"
    check "streaming: terminal settings are the same before and after SIGSEGV" cmp "$T/before" "$T/after"
    is "streaming: main screen, cursor visible, keypad off" alternate_on=0 cursor_flag=1 keypad_flag=0
    absent "streaming: nothing of it stays on the main screen" 'draft that|RECURSIVE|SIMULATED'
    same "streaming: no core dump" '' "$(find "$T" -maxdepth 1 -name 'core*')"
    stop
}

restored SEGV 139 'cdvm: crashed'
restored ABRT 134 'cdvm: crashed'
restored TERM 0 ''
crashes_at settings SEGV 'IDENTITY' 6
crashes_at help ABRT 'Help' '?'
crashes_at palette SEGV 'everything|Everything' :
crashes_at filter FPE 'filter:' / x y
crashes_at "half a paste" SEGV "$HINT" -H 1b 5b 32 30 30 7e 68 61 6c 66 0d 6f 6e 65
crashes_at "half a key" BUS "$HINT" -H 1b 5b
rm "$XDG_CONFIG_HOME/cdvm/cdvm.conf"
HINT='First start' crashes_at "first start" ILL 'First start'
: >"$XDG_CONFIG_HOME/cdvm/cdvm.conf"
suspended
resized
idles
refused
if command -v python3 >/dev/null; then
    while read -r line; do
        case $line in
        ok*SKIP*) ;;
        ok*) pass "${line#ok }" ;;
        'not ok'*) fail "${line#not ok }" ;;
        *) echo "$line" ;;
        esac
    done < <(timeout 120 python3 tests/e2e/slow_tty.py "$CDVM" slow stuck focus)
fi
streams || true
finish
