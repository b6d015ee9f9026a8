# shellcheck shell=bash
# What the terminal tests share, on top of lib.sh: a tmux of their own, the program in it, and what its
# screen shows. Source it first.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export LC_ALL=C.UTF-8 TZ=UTC
unset TMUX NO_COLOR ESCDELAY
SOCKET=cdvm-test-$$

command -v tmux >/dev/null || skip_all "tmux is not installed"

tm() { tmux -L "$SOCKET" "$@"; }
screen() { tm capture-pane -p -t t 2>/dev/null; }
keys() { tm send-keys -t t "$@"; }
text() { tm send-keys -t t -l -- "$1"; }
flag() { tm display-message -p -t t "#{$1}"; }
stopped() { ! tm list-sessions >/dev/null 2>&1; }
stop() {
    tm kill-server 2>/dev/null
    wait_for 30 stopped || true
    sleep 0.1
}
: >"$XDG_CONFIG_HOME/cdvm/cdvm.conf" # not the first start
printf 'set -g status off\nset -g default-terminal tmux-256color\n' >"$T/tmux.conf"
new_terminal() { tm -f "$T/tmux.conf" new-session -d -s t -x "${1%x*}" -y "${1#*x}" "$2"; }
cleanup_terminal() {
    stop
    cleanup
}
trap cleanup_terminal EXIT

shows() { screen | grep -qE -- "$1"; }
# expect NAME PATTERN [SECONDS]   the screen comes to show PATTERN; what it shows instead is printed
expect() {
    if wait_for "${3:-30}" shows "$2"; then pass "$1"; else fail "$1" "not on the screen: $2" "$(screen)"; fi
}
# absent NAME PATTERN [SECONDS]   the screen comes to be without it
lacks() { ! shows "$1"; }
absent() {
    if wait_for "${3:-10}" lacks "$2"; then pass "$1"; else fail "$1" "still on the screen: $2" "$(screen)"; fi
}
# is NAME FLAG=VALUE...   tmux's view of the terminal comes to be this
flags_are() {
    local want
    for want in "$@"; do
        [[ $(flag "${want%=*}") == "${want#*=}" ]] || return 1
    done
}
is() {
    local name=$1
    shift
    if wait_for 30 flags_are "$@"; then pass "$name"; else
        fail "$name" "wanted: $*" "got:    $(for f in "$@"; do printf '%s=%s ' "${f%=*}" "$(flag "${f%=*}")"; done)"
    fi
}

# Runs the program between two looks at the terminal's settings.
start() { # start COLSxROWS ARGUMENT...
    local size=$1
    shift
    rm -f "$T/before" "$T/after"
    cat >"$T/run.sh" <<RUN
cd "$T"
stty -a >"$T/before"
echo "what stood here before"
"$CDVM" tui $*
echo "rc=\$?"
stty -a >"$T/after"
exec sleep 1000
RUN
    new_terminal "$size" "bash '$T/run.sh'"
}
cdvm_pid() { pgrep -P "$(flag pane_pid)" -f "$CDVM" | head -n 1; }

# An image with one more volume: tests/e2e/reader.c in a model's place, offered as a chat. IMAGE becomes it.
reader_image() {
    local f lib
    mkdir -p "$T/image" "$T/tree/bin" "$T/tree/cdvm"
    for f in kernel ovmf.fd initrd cmdline.template packages.lock source; do cp "$IMAGE/$f" "$T/image/"; done
    cp "$B/e2e/reader" "$T/tree/bin/reader"
    for lib in $(ldd "$B/e2e/reader" | grep -oE '/[^ ]+'); do install -D "$(realpath "$lib")" "$T/tree$lib"; done
    sed 's|/bin/table|/bin/reader|' guest/workloads/table.json | tee "$T/image/double.json" >"$T/tree/cdvm/job.json"
    qemu-scripts/make-volume.sh "$T/tree" "$T/image/double.vol" >"$T/image/double.volume"
    printf 'workload = double\nkind = chat\nname = A double\nmemory = 512\nvcpus = 1\n' >"$T/image/double.offer"
    IMAGE=$T/image
}
