# Shared by the terminal tests: a tmux of their own, a cdvm in it, and what the screen shows.
# shellcheck shell=bash
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cdvm=${CDVM:-$root/cdvm}
dir=$(mktemp -d)
socket=cdvm-test-$$
count=0
export LC_ALL=C.UTF-8
export XDG_CONFIG_HOME=$dir/config XDG_DATA_HOME=$dir/data XDG_STATE_HOME=$dir/state
export XDG_CACHE_HOME=$dir/cache XDG_RUNTIME_DIR=$dir/run
mkdir -m 700 -p "$XDG_RUNTIME_DIR"
unset TMUX NO_COLOR

tm() { tmux -L "$socket" "$@"; }
screen() { tm capture-pane -p -t t; }
keys() { tm send-keys -t t "$@"; }
text() { tm send-keys -t t -l "$1"; }
flag() { tm display-message -p -t t "#{$1}"; }

ok() { # ok CONDITION-STATUS NAME
    count=$((count + 1))
    if (($1 == 0)); then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        screen 2>/dev/null | sed 's/^/#  /'
    fi
}

# Waits until the screen shows a text (a grep pattern); 1 when it does not within SECONDS.
shows() { # shows PATTERN [SECONDS]
    local i
    for ((i = 0; i < ${2:-10} * 10; i++)); do
        if screen 2>/dev/null | grep -q -- "$1"; then return 0; fi
        sleep 0.1
    done
    return 1
}

file_comes() { # file_comes PATH [SECONDS]
    local i
    for ((i = 0; i < ${2:-10} * 10; i++)); do
        [[ -s $1 ]] && return 0
        sleep 0.1
    done
    return 1
}

# Runs cdvm between two looks at the terminal's settings.
start() { # start COLSxROWS ARGUMENT...
    local size=$1
    shift
    rm -f "$dir/before" "$dir/after"
    cat >"$dir/run.sh" <<RUN
cd "$dir"
stty -a >"$dir/before"
echo "what stood here before"
"$cdvm" tui $*
echo "rc=\$?"
stty -a >"$dir/after"
exec sleep 1000
RUN
    tm -f /dev/null new-session -d -s t -x "${size%x*}" -y "${size#*x}" "bash $dir/run.sh"
    tm set-option -g status off
}

cdvm_pid() { pgrep -P "$(flag pane_pid)" -f "$cdvm" | head -n 1; }
stop() { tm kill-server 2>/dev/null || true; }
