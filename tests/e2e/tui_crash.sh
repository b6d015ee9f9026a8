#!/bin/bash
# The terminal comes back as it was: after a crash, a signal, a suspension; and idling costs nothing.
# shellcheck source=tests/e2e/terminal.bash
. "$(dirname "$0")/terminal.bash"

HINT='No relay is configured'

# What a signal must leave behind. A crash also says so in words.
restored() { # restored SIGNAL RC WORDS
    start 80x24
    expect "SIG$1: the program is on the screen" "$HINT"
    is "SIG$1: it draws on the alternate screen" alternate_on=1
    kill "-$1" "$(cdvm_pid)"
    wait_for 10 test -s "$T/after"
    check "SIG$1: terminal settings are the same before and after" cmp "$T/before" "$T/after"
    is "SIG$1: main screen, cursor visible, keypad off" alternate_on=0 cursor_flag=1 keypad_flag=0
    expect "SIG$1: exit status $2" "rc=$2"
    expect "SIG$1: what stood there stands there" "what stood here before"
    [[ -z $3 ]] || expect "SIG$1: it says so" "$3"
    same "SIG$1: nothing of the program stays on the main screen" 0 "$(screen | grep -c "$HINT")"
    stop
}

suspended() {
    new_terminal 80x24 "bash --norc --noprofile -i"
    wait_for 5 shows '[$#] '
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
    wait_for 5 test "$(flag alternate_on)" = 0
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

ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }

idles() {
    local pid before
    start 80x24
    expect "idle: started" "$HINT"
    pid=$(cdvm_pid)
    sleep 0.5
    before=$(ticks "$pid")
    sleep 4
    same "idle: no CPU in four seconds" "$before" "$(ticks "$pid")"
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

restored SEGV 139 'cdvm: crashed'
restored ABRT 134 'cdvm: crashed'
restored TERM 0 ''
suspended
resized
idles
refused
finish
