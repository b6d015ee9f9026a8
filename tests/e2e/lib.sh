# shellcheck shell=bash
# What the end-to-end tests share: TAP lines, a private XDG world, and the programs under test. Source it
# first. Every process that is started here is ended at exit, by pid.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
B=${B:-build}
CDVM=$PWD/cdvm
IMAGE=$PWD/$B/image
T=$(mktemp -d "${TMPDIR:-/tmp}/cdvm-e2e.XXXXXX")
export XDG_CONFIG_HOME=$T/config XDG_DATA_HOME=$T/data XDG_STATE_HOME=$T/state XDG_RUNTIME_DIR=$T/run
# The answer whether KVM runs guests here is kept between tests: asking takes 15 s.
export XDG_CACHE_HOME=$PWD/$B/e2e/cache
mkdir -p "$XDG_CONFIG_HOME/cdvm" "$XDG_DATA_HOME" "$XDG_STATE_HOME" "$XDG_RUNTIME_DIR" "$XDG_CACHE_HOME"
chmod 700 "$XDG_RUNTIME_DIR"
PIDS=()
TESTS=0 FAILED=0

cleanup() {
    local p
    for p in "${PIDS[@]}"; do kill -TERM "$p" 2>/dev/null; done
    for p in "${PIDS[@]}"; do wait "$p" 2>/dev/null; done
    if ((FAILED == 0)); then rm -rf "$T"; else echo "# left for inspection: $T"; fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM

pass() { TESTS=$((TESTS + 1)) && echo "ok $TESTS - $1"; }
fail() {
    TESTS=$((TESTS + 1)) FAILED=$((FAILED + 1))
    echo "not ok $TESTS - $1"
    shift
    local f
    for f in "$@"; do if [[ -f $f ]]; then tail -n 25 "$f"; else printf '%s\n' "$f"; fi; done | sed 's/^/# /'
}
# check NAME COMMAND...   the command's success is the result
check() {
    local name=$1
    shift
    if "$@"; then pass "$name"; else fail "$name" "failed: $*"; fi
}
# same NAME WANT GOT
same() { if [[ $2 == "$3" ]]; then pass "$1"; else fail "$1" "wanted: $2" "got:    $3"; fi; }
finish() {
    echo "1..$TESTS"
    exit $((FAILED > 0))
}
skip_all() {
    echo "ok 1 - all # SKIP $1"
    exit 0
}

# wait_for SECONDS COMMAND...
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        if ((SECONDS > end)); then return 1; fi
        sleep 0.05
    done
}
said() { grep -aqE -- "$2" "$1" 2>/dev/null; }

# The lock that the image was built from: image.lock, where a mirror still serves it.
lock_in_use() {
    # shellcheck disable=SC2016 # for the other shell
    bash -c '. qemu-scripts/packages.sh && echo "$LOCK"'
}

# An image of the test's own, since manifests are written into it: the same files, which nobody changes there.
own_image() {
    local f
    [[ -f $IMAGE/initrd ]] || return 0
    mkdir "$T/guest"
    for f in "$IMAGE"/*; do
        if [[ $f == *.manifest ]] || ! ln "$f" "$T/guest" 2>/dev/null; then cp "$f" "$T/guest"; fi
    done
    export DEMO_IMAGE=$T/guest
    IMAGE=$T/guest
}
own_image

# only WORKLOAD...  IMAGE becomes the same guest with these volumes alone, one offer each
only() {
    local name
    mkdir "$T/only"
    ln -s "$IMAGE"/{kernel,initrd,ovmf.fd,cmdline.template,packages.lock} "$T/only"
    for name in "$@"; do ln -s "$IMAGE/$name".{vol,json} "$T/only"; done
    IMAGE=$T/only
}
# Pins what this image's manifests say, as a user would who built it.
pin_image() {
    local image=${1:-$IMAGE} m
    "$CDVM" image manifest "$image" --version test >/dev/null || return 1
    {
        echo "release $(sha256sum "$image/release.manifest" | cut -d' ' -f1)"
        for m in "$image"/*.manifest; do
            [[ ${m##*/} == release.manifest ]] ||
                echo "$(grep -oE '"type":"(workload|model)"' "$m" | cut -d'"' -f4) $(sha256sum "$m" | cut -d' ' -f1)"
        done
    } >"$XDG_CONFIG_HOME/cdvm/pins"
}
# The simulator's RSA keys take seconds to make: they are made once and lent to every test's provider.
lend_sim_keys() {
    mkdir -p "$T/provider" && chmod 700 "$T/provider"
    if [[ -d $B/e2e/sim && ! -e $T/provider/sim ]]; then cp -rp "$B/e2e/sim" "$T/provider/sim"; fi
}
keep_sim_keys() {
    if [[ ! -d $B/e2e/sim && -d $T/provider/sim ]]; then
        cp -rp "$T/provider/sim" "$B/e2e/sim.$$" && mv -T "$B/e2e/sim.$$" "$B/e2e/sim" 2>/dev/null
    fi
}
# Whether a stranger who looks at the relay finds an offer there; leaves nothing behind.
offered() {
    [[ -n $(env XDG_CONFIG_HOME="$T/looker" XDG_STATE_HOME="$T/looker" XDG_DATA_HOME="$T/looker" \
        "$CDVM" offers --relay "$1" --policy demo --json 2>/dev/null) ]]
}
# start_provider LOG OPTION...   sets PROVIDER (pid); trusts its simulator root; its offers are out
start_provider() {
    local log=$1
    shift
    : >"$log" # an earlier one's words are not this one's
    lend_sim_keys
    "$CDVM" provider --backend sim --image "$IMAGE" --state "$T/provider" --name tester "$@" >"$log" 2>&1 &
    PROVIDER=$!
    PIDS+=("$PROVIDER")
    wait_for 120 said "$log" 'relays [1-9][0-9]*/[0-9]+ up' || return 1
    wait_for 10 offered "$(relay_of "$log")" || true
    keep_sim_keys
    cp "$T/provider/sim-root" "$XDG_CONFIG_HOME/cdvm/sim-roots"
}
# The guests of PROVIDER: their pids; whether there are so many.
qemus() { pgrep -P "$PROVIDER" -f '^/usr.*qemu-system'; }
has_qemus() { (($(qemus | wc -l) == $1)); }
# start_relay LOG OPTION...   sets RELAY (pid)
start_relay() {
    local log=$1
    shift
    "$CDVM" relay --db "$T/relay" "$@" >>"$log" 2>&1 &
    RELAY=$!
    PIDS+=("$RELAY")
    wait_for 30 said "$log" 'ws://'
}
relay_of() { grep -aoE 'ws://[0-9.]+:[0-9]+' "$1" | head -n 1; }
end_process() {
    kill -TERM "$1" 2>/dev/null
    wait "$1" 2>/dev/null
}
