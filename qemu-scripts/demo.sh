#!/bin/bash
# The whole story on this machine, everything real but the processor that signs (SIMULATED): a relay, a
# provider, a guest booted for one job, its report verified, a question answered inside.
# Nothing outside build/demo is written.
# usage: demo.sh headless [STORY]   one job with `cdvm ask`, then everything ends. STORY:
#          table   a ledger in CSV and a question in SQL (what is told when none is named)
#          chat    a lease, a medical note, a note to a ledger, and a question to a small language model
#          ocr     the picture of a receipt, read by a container that knows nothing of this program
#        demo.sh                    the screen, with the provider in a pane of tmux (DEMO_TMUX=0: without tmux)
set -euo pipefail
demo=${DEMO_DIR:+$(realpath -m -- "$DEMO_DIR")}
cd "$(dirname "$0")/.."
self=$PWD/qemu-scripts/demo.sh
build=$(realpath -m -- "${B:-build}")

# For the panes too. Absolute: the XDG specification has programs ignore relative folders.
export DEMO_DIR=${demo:-$build/demo} DEMO_IMAGE=${DEMO_IMAGE:-$build/image} CDVM=${CDVM:-$PWD/cdvm}
export DEMO_TMUX_NAME=${DEMO_TMUX_NAME:-cdvm-demo}
demo=$DEMO_DIR image=$DEMO_IMAGE cdvm=$CDVM
log=$demo/provider.log
trouble=$demo/trouble.txt # what the customer's pane said at its end: the pane is gone by then
results=$demo/results
NEED_MIB=64
export XDG_CONFIG_HOME=$demo/config XDG_DATA_HOME=$demo/data XDG_STATE_HOME=$demo/state
export XDG_CACHE_HOME=$demo/cache XDG_RUNTIME_DIR=$demo/run
state=$XDG_STATE_HOME/cdvm/provider

die() { # EXIT SENTENCE
    printf 'demo: %s\n' "$2" >&2
    exit "$1"
}

# One demo at a time in one folder. The lock is held by this script and the provider it starts.
take_folder() {
    local free
    umask 077
    mkdir -p "$demo" 2>/dev/null || true
    [[ -w $demo ]] || die 73 "'$demo' cannot be written to: set DEMO_DIR to a folder of yours"
    exec 9>>"$demo/lock"
    flock -n 9 || die 75 "a demo is running in '$demo' already: end that one first, or set DEMO_DIR to another folder"
    free=$(($(stat -f -c '%a * %S' "$demo") / 1048576))
    ((free >= NEED_MIB)) || die 73 "'$demo' has $free MiB free and the demo needs $NEED_MIB MiB"
}

volume_type() { if grep -q '"type":"model"' "$1"; then echo model; else echo workload; fi; } # MANIFEST

# What a user decides once, decided here for the demo alone: trust the release and the workload that
# this machine has just built, and the simulator's root that it has just made.
prepare() {
    take_folder
    trap stop_all EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    rm -rf "$XDG_RUNTIME_DIR" "$trouble" "$demo/provider.pid"
    mkdir -p "$XDG_CONFIG_HOME/cdvm" "$XDG_DATA_HOME" "$state" "$XDG_CACHE_HOME" "$XDG_RUNTIME_DIR" "$results"
    "$cdvm" image manifest "$image" --version demo >"$demo/manifests.txt"
    {
        echo "release $(sha256sum <"$image/release.manifest" | cut -d' ' -f1) demo"
        for m in "$image"/*.manifest; do
            [[ ${m##*/} == release.manifest ]] || echo "$(volume_type "$m") $(sha256sum <"$m" | cut -d' ' -f1) ${m##*/}"
        done
    } >"$XDG_CONFIG_HOME/cdvm/pins"
    : >"$log"
}

run_provider() {
    echo "$BASHPID" >"$demo/provider.pid"
    exec "$cdvm" provider --backend sim --image "$image" --state "$state" --name "local simulator" \
        --run-relay --relay-port 0
}

# One that has ended and that tmux has not waited for yet does not run.
provider_runs() {
    local pid state
    pid=$(cat "$demo/provider.pid" 2>/dev/null) && read -r _ _ state _ 2>/dev/null <"/proc/$pid/stat" && [[ $state != Z ]]
}

# Waits until the provider has said where its relay is; prints the address.
relay_url() {
    local url waited
    for ((waited = 0; waited < 1200; waited++)); do
        url=$(grep -aoE 'relay ws://[0-9.]+:[0-9]+' "$log" | head -n 1 | cut -d' ' -f2 || true)
        if [[ -n $url && -s $state/sim-root ]]; then
            cp "$state/sim-root" "$XDG_CONFIG_HOME/cdvm/sim-roots"
            printf '%s\n' "$url"
            return 0
        fi
        if ((waited > 20)) && ! provider_runs; then break; fi
        sleep 0.1
    done
    sleep 0.3 # its last words may be on their way to the log
    echo "The provider did not start:" >&2
    tail -n 20 "$log" >&2
    return 1
}

# tmux leaves its socket behind; it goes once no server answers there (one with other sessions stays).
end_tmux() {
    local tries
    tmux -L "$DEMO_TMUX_NAME" kill-session -t demo 2>/dev/null || true
    for ((tries = 0; tries < 20; tries++)); do
        if ! tmux -L "$DEMO_TMUX_NAME" list-sessions >/dev/null 2>&1; then
            rm -f "${TMUX_TMPDIR:-/tmp}/tmux-$EUID/$DEMO_TMUX_NAME"
            break
        fi
        sleep 0.1
    done
}

# Ends what this script started and waits for it: no process, socket or folder stays.
stop_all() {
    trap '' HUP INT TERM
    set +e # all of it, whatever happens
    local waited
    if [[ -n ${ask_pid:-} ]]; then
        kill -TERM "$ask_pid" 2>/dev/null || true
        wait "$ask_pid" 2>/dev/null || true
    fi
    if [[ -n ${in_tmux:-} ]]; then end_tmux; fi
    if provider_runs; then kill -TERM "$(cat "$demo/provider.pid")" 2>/dev/null || true; fi
    for ((waited = 0; waited < 300; waited++)); do
        provider_runs || break
        sleep 0.1
    done
    rm -rf "$XDG_RUNTIME_DIR" "$demo/provider.pid"
}

start_provider() {
    (run_provider) >"$log" 2>&1 &
}

# Sets offer, question and files.
story() { # NAME
    case $1 in
    table)
        offer=table files=(examples/sales.csv)
        question='SELECT region, count(*) AS sales, round(sum(amount), 2) AS amount FROM sales GROUP BY region ORDER BY amount DESC'
        ;;
    chat)
        offer=chat files=(examples/lease.md examples/medical-note.txt examples/ledger-note.txt)
        question='What is the patient allergic to?'
        ;;
    ocr)
        offer=ocr files=(examples/receipt.png)
        question='What does the receipt say?'
        ;;
    *) die 64 "there is no story '$1': table, chat or ocr" ;;
    esac
    offered "$offer" || die 69 "the image in '$image' has no volume for story '$1': build it with \`make image\`"
}

offered() { [[ -f $image/$1.offer || -f $image/$1.vol ]]; } # NAME

headless() { # STORY
    local url offer question files rc=0
    story "$1"
    prepare
    start_provider
    url=$(relay_url)
    echo "relay    $url"
    printf 'file     %s\n' "${files[@]}"
    echo "question $question"
    [[ $1 != chat ]] || echo "         Without KVM the guest's processor is emulated: the answer takes some minutes."
    echo
    # In the background, so that a signal is acted on at once.
    "$cdvm" ask --relay "$url" --policy demo --accept-simulated --offer "$offer" \
        "${files[@]/#/--attach=}" --out "$results" "$question" 9>&- &
    ask_pid=$!
    wait "$ask_pid" || rc=$?
    ask_pid=
    return "$rc"
}

# Runs in the customer's pane.
customer() {
    local url
    echo "The provider is starting: a key for the simulator, once, then a try whether KVM works here..."
    url=$(relay_url) || return 1
    "$cdvm" tui --relay "$url" --policy demo --out "$results"
}

customer_pane() {
    (customer) 2>"$trouble" || true
    tmux -L "$DEMO_TMUX_NAME" kill-session -t demo 2>/dev/null || true
}

# UTF-8 also where the locale is not: the screen's frames are drawn with it.
force_utf8() {
    case ${LC_ALL:-${LC_CTYPE:-${LANG:-}}} in
    *[Uu][Tt][Ff]*8*) ;;
    *) export LC_ALL=C.UTF-8 ;;
    esac
}

in_tmux() {
    local rows cols size
    unset TMUX TMUX_PANE # its own socket: works inside another tmux too
    if tmux -L "$DEMO_TMUX_NAME" has-session -t demo 2>/dev/null; then
        die 75 "a demo of yours is on the screen already: look at it with \`tmux -L $DEMO_TMUX_NAME attach\`, or end it there (q)"
    fi
    prepare
    size=$(stty size 2>/dev/null || true)
    rows=${size% *} cols=${size#* }
    ((${rows:-0} > 0)) || rows=24 cols=80
    in_tmux=1
    tmux -u -L "$DEMO_TMUX_NAME" -f /dev/null set-option -g default-terminal tmux-256color \; \
        set-option -g escape-time 20 \; \
        new-session -d -s demo -x "$cols" -y "$rows" "$self" customer-pane 9>&-
    if ((rows < 24)); then
        tmux -L "$DEMO_TMUX_NAME" set-option -g status on \; \
            new-window -d -n provider "$self" provider-pane
    else
        tmux -L "$DEMO_TMUX_NAME" set-option -g status off \; \
            split-window -d -v -l 6 "$self" provider-pane
    fi
    tmux -u -L "$DEMO_TMUX_NAME" attach-session -t demo || true
}

screen() {
    [[ -t 0 && -t 1 ]] || die 64 "the screen needs a terminal; \`make demo-headless\` needs none"
    force_utf8
    if [[ ${DEMO_TMUX:-1} != 0 ]] && command -v tmux >/dev/null; then in_tmux; else
        prepare
        start_provider
        customer
    fi
    [[ ! -s $trouble ]] || { cat "$trouble" >&2; return 1; }
    echo "Results, if you saved any, are in $results; everything else of the demo is in $demo."
}

case ${1:-screen} in
headless) headless "${2:-table}" ;;
screen) screen ;;
customer-pane) customer_pane ;;
provider-pane) run_provider > >(trap '' HUP && exec tee "$log") 2>&1 ;; # tee outlives the pane
*) echo "usage: demo.sh [headless [STORY]]" >&2; exit 64 ;;
esac
