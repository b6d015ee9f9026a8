#!/bin/bash
# The terminal comes back as it was: after a crash, a signal, a suspension; and idling costs nothing.
set -u
# shellcheck source=tests/e2e/terminal.bash
. "$(dirname "$0")/terminal.bash"
trap 'stop; rm -rf "$dir"' EXIT

if ! command -v tmux >/dev/null; then
    echo "ok 1 - terminal # SKIP tmux is not installed"
    exit 0
fi

# What a signal must leave behind. A crash also says so in words.
restored() { # restored SIGNAL RC WORDS
    start 80x24
    shows 'No relay is configured'
    ok $? "SIG$1: the program is on the screen"
    [[ $(flag alternate_on) == 1 ]]
    ok $? "SIG$1: it draws on the alternate screen"
    kill "-$1" "$(cdvm_pid)"
    file_comes "$dir/after"
    cmp -s "$dir/before" "$dir/after"
    ok $? "SIG$1: terminal settings are the same before and after"
    [[ $(flag alternate_on) == 0 && $(flag cursor_flag) == 1 && $(flag keypad_flag) == 0 ]]
    ok $? "SIG$1: main screen, cursor visible, keypad off"
    shows "what stood here before" && shows "rc=$2" && { [[ -z $3 ]] || shows "$3"; }
    ok $? "SIG$1: what stood there stands there, exit status $2"
    ! screen | grep -q 'No relay is configured'
    ok $? "SIG$1: nothing of the program stays on the main screen"
    stop
}

suspended() {
    tm -f /dev/null new-session -d -s t -x 80 -y 24 "bash --norc --noprofile -i"
    tm set-option -g status off
    sleep 0.5
    text "PS1='prompt: '; '$cdvm' tui"
    keys Enter
    shows 'No relay is configured'
    ok $? "suspend: started from a shell"
    keys C-z
    shows 'Stopped' && [[ $(flag alternate_on) == 0 ]]
    ok $? "suspend: Ctrl-Z gives the shell back"
    text fg
    keys Enter
    sleep 0.5
    [[ $(flag alternate_on) == 1 ]] && shows 'No relay is configured'
    ok $? "suspend: fg draws everything again"
    keys q
    sleep 0.5
    [[ $(flag alternate_on) == 0 ]]
    ok $? "suspend: it leaves afterwards as ever"
    stop
}

resized() {
    start 80x24
    shows 'No relay is configured'
    tm resize-window -t t -x 100 -y 30
    shows 'key one-time'
    ok $? "resize: 100x30 shows more"
    tm resize-window -t t -x 50 -y 10
    shows 'enlarge to 60x16'
    ok $? "resize: too small says so"
    tm resize-window -t t -x 60 -y 16
    shows 'No relay is configured'
    ok $? "resize: 60x16 works"
    stop
}

ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }

idles() {
    local pid before
    start 80x24
    shows 'No relay is configured'
    pid=$(cdvm_pid)
    sleep 0.5
    before=$(ticks "$pid")
    sleep 4
    [[ $(ticks "$pid") == "$before" ]]
    ok $? "idle: no CPU in four seconds"
    keys C-c C-c
    shows 'rc=0'
    ok $? "Ctrl-C twice leaves at once"
    stop
}

dumb() {
    local out
    out=$(TERM=dumb script -qec "$cdvm tui" /dev/null </dev/null 2>&1)
    [[ $out == *"cdvm ask"* ]]
    ok $? "TERM=dumb: says what to use instead"
    out=$("$cdvm" tui </dev/null 2>&1)
    [[ $out == *"must be a terminal"* ]]
    ok $? "no terminal: says so"
}

restored SEGV 139 'cdvm: crashed'
restored ABRT 134 'cdvm: crashed'
restored TERM 0 ''
suspended
resized
idles
dumb
echo "1..$count"
