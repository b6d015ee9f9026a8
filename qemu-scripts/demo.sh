#!/bin/bash
# The whole story on this machine, everything real but the processor that signs (SIMULATED): a relay, a
# provider, a guest booted for one job, its report verified, a question about a ledger answered inside.
# Nothing outside build/demo is written.
# usage: demo.sh headless   one job with `cdvm ask`, then everything ends
#        demo.sh            the screen, with the provider in a pane of tmux (DEMO_TMUX=0: without tmux)
set -euo pipefail
cd "$(dirname "$0")/.."
self=$PWD/qemu-scripts/demo.sh

demo=${DEMO_DIR:-$PWD/build/demo}
image=${DEMO_IMAGE:-$PWD/build/image}
cdvm=${CDVM:-$PWD/cdvm}
log=$demo/provider.log
results=$demo/results
export XDG_CONFIG_HOME=$demo/config XDG_DATA_HOME=$demo/data XDG_STATE_HOME=$demo/state
export XDG_CACHE_HOME=$demo/cache XDG_RUNTIME_DIR=$demo/run
state=$XDG_STATE_HOME/cdvm/provider

# What a user decides once, decided here for the demo alone: trust the release and the workload that
# this machine has just built, and the simulator's root that it has just made.
prepare() {
    umask 077
    rm -rf "$XDG_RUNTIME_DIR"
    mkdir -p "$XDG_CONFIG_HOME/cdvm" "$XDG_DATA_HOME" "$state" "$XDG_CACHE_HOME" "$XDG_RUNTIME_DIR" "$results"
    "$cdvm" image manifest "$image" --version demo >"$demo/manifests.txt"
    {
        echo "release $(sha256sum "$image/release.manifest" | cut -d' ' -f1) demo"
        for m in "$image"/*.manifest; do
            [[ ${m##*/} == release.manifest ]] || echo "workload $(sha256sum "$m" | cut -d' ' -f1) ${m##*/}"
        done
    } >"$XDG_CONFIG_HOME/cdvm/pins"
    : >"$log"
}

run_provider() {
    exec "$cdvm" provider --backend sim --image "$image" --state "$state" --name "local simulator" \
        --run-relay --relay-port 0
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
        if [[ -n ${provider_pid:-} ]] && ! kill -0 "$provider_pid" 2>/dev/null; then break; fi
        sleep 0.1
    done
    echo "The provider did not start:" >&2
    tail -n 20 "$log" >&2
    return 1
}

# Ends the provider that this script started, and waits for it: no process, socket or folder stays.
stop_provider() {
    [[ -n ${provider_pid:-} ]] || return 0
    kill -TERM "$provider_pid" 2>/dev/null || true
    wait "$provider_pid" 2>/dev/null || true
    provider_pid=
    rm -rf "$XDG_RUNTIME_DIR"
}

headless() {
    prepare
    (run_provider) >"$log" 2>&1 &
    provider_pid=$!
    trap stop_provider EXIT
    trap 'exit 130' INT TERM
    local url question
    url=$(relay_url)
    question='SELECT region, count(*) AS sales, round(sum(amount), 2) AS amount FROM sales GROUP BY region ORDER BY amount DESC'
    echo "relay    $url"
    echo "ledger   examples/sales.csv"
    echo "question $question"
    echo
    local rc=0
    "$cdvm" ask --relay "$url" --policy demo --accept-simulated --offer table \
        --attach examples/sales.csv --out "$results" "$question" || rc=$?
    stop_provider
    trap - EXIT
    return "$rc"
}

# Runs in the customer's pane.
customer() {
    local url
    echo "The provider is starting: a key for the simulator, once, then a try whether KVM works here..."
    url=$(relay_url)
    "$cdvm" tui --relay "$url" --policy demo --out "$results" || true
    if [[ -n ${DEMO_TMUX_SOCKET:-} ]]; then tmux -L "$DEMO_TMUX_SOCKET" kill-session -t demo 2>/dev/null || true; fi
}

screen() {
    prepare
    if [[ ${DEMO_TMUX:-1} == 0 ]] || ! command -v tmux >/dev/null; then
        (run_provider) >"$log" 2>&1 &
        provider_pid=$!
        trap stop_provider EXIT
        DEMO_TMUX_SOCKET='' customer
        return 0
    fi
    case ${LC_ALL:-${LC_CTYPE:-${LANG:-}}} in
    *[Uu][Tt][Ff]*8*) ;;
    *) export LC_ALL=C.UTF-8 ;;
    esac
    local socket=${DEMO_TMUX_NAME:-cdvm-demo} rows
    rows=$(stty size 2>/dev/null </dev/tty | cut -d' ' -f1 || echo 24)
    export DEMO_TMUX_SOCKET=$socket
    unset TMUX # its own socket: works inside another tmux too
    tmux -u -L "$socket" -f /dev/null set-option -g default-terminal tmux-256color \; \
        set-option -g escape-time 20 \; new-session -d -s demo -x "${COLUMNS:-100}" -y "$rows" \
        "exec '$self' customer-pane"
    tmux -L "$socket" set-option -g status off
    if ((rows < 24)); then
        tmux -L "$socket" set-option -g status on
        tmux -L "$socket" new-window -d -n provider "exec '$self' provider-pane"
    else
        tmux -L "$socket" split-window -d -v -l 6 "exec '$self' provider-pane"
    fi
    # Also when the terminal around it goes away: nothing is left running.
    trap 'tmux -L "$DEMO_TMUX_SOCKET" kill-session -t demo 2>/dev/null || true; rm -rf "$XDG_RUNTIME_DIR"' EXIT
    trap 'exit 129' HUP INT TERM
    tmux -u -L "$socket" attach-session -t demo || true
    echo "Results, if you saved any, are in $results; everything else of the demo is in $demo."
}

case ${1:-screen} in
headless) headless ;;
screen) screen ;;
customer-pane) customer ;;
provider-pane) run_provider > >(tee "$log") 2>&1 ;;
*) echo "usage: demo.sh [headless]" >&2; exit 64 ;;
esac
