#!/bin/bash
# Other people's implementations against ours: nostr-tools and NDK (npm), rust-nostr (PyPI), go-nostr and nak (Go).
# What is not installed here, or cannot be fetched, is skipped and counted. Versions are pinned; what is
# fetched and built stays in ${XDG_CACHE_HOME:-~/.cache}/cdvm-interop.
# usage: tests/interop/interop.sh [js|ndk|py|limits|go|nak]...   after `make interop` has built what it needs
set -u
nostr_tools=2.25.2 ndk=3.0.3 ws=8.23.0 nostr_sdk=0.45.1 nak=v0.20.6

here=$(cd "$(dirname "$0")" && pwd)
cdvm=$(realpath "$here/../../cdvm") || exit 1
PEER=$(realpath "$here/../../${B:-build}/interop/peer") || exit 1
CDVM=$cdvm
export PEER CDVM
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cdvm-interop
tmp=$(mktemp -d)
relay=
trap '[[ $relay ]] && kill "$relay" && wait "$relay"; rm -rf "$tmp"' EXIT
n=0 passed=0 failed=0 skipped=0

# Numbers the "ok NAME" and "not ok NAME" lines of a test program; other lines become comments.
tap() {
    local line
    while IFS= read -r line; do
        case $line in
        'ok '*'# SKIP'*) skipped=$((skipped + 1)) n=$((n + 1)) && echo "ok $n - ${line#ok }" ;;
        'ok '*) passed=$((passed + 1)) n=$((n + 1)) && echo "ok $n - ${line#ok }" ;;
        'not ok '*) failed=$((failed + 1)) n=$((n + 1)) && echo "not ok $n - ${line#not ok }" ;;
        *) echo "# ${line#\# }" ;;
        esac
    done
}

run() { # NAME COMMAND...: a program that ends badly or says nothing has failed
    local name=$1 rc
    shift
    timeout 300 "$@" >"$tmp/out" 2>&1 </dev/null
    rc=$?
    tap <"$tmp/out"
    if ((rc != 0)) || ! grep -qE '^(not )?ok ' "$tmp/out"; then
        tap <<<"not ok $name: the program ended with $rc"
    fi
}

skip() { tap <<<"ok $1 # SKIP $2"; }

# Fetches into a folder of the cache, once: the stamp says that it is whole.
fetch() { # FOLDER COMMAND...
    local dir=$cache/$1
    shift
    [[ -e $dir/.whole ]] && return 0
    mkdir -p "$dir" && (cd "$dir" && timeout 900 "$@") >"$tmp/fetch" 2>&1 && touch "$dir/.whole"
}

have() { command -v "$1" >/dev/null 2>&1; }

run_js() {
    local dir=js-$nostr_tools-$ws
    if ! have node || ! have npm; then skip nostr-tools 'node and npm are not installed'; return; fi
    if ! fetch "$dir" npm install --silent --no-audit --no-fund --prefix "$cache/$dir" \
        "nostr-tools@$nostr_tools" "ws@$ws"; then
        skip nostr-tools 'npm cannot fetch it'
        return
    fi
    MODULES=$cache/$dir run nostr-tools node "$here/nostr_tools.mjs"
}

run_ndk() {
    local dir=ndk-$ndk-$ws
    if ! have node || ! have npm; then skip ndk 'node and npm are not installed'; return; fi
    if ! fetch "$dir" npm install --silent --no-audit --no-fund --prefix "$cache/$dir" \
        "@nostr-dev-kit/ndk@$ndk" "ws@$ws"; then
        skip ndk 'npm cannot fetch it'
        return
    fi
    NDK=$cache/$dir run ndk node "$here/ndk.mjs"
}

make_venv() {
    python3 -m venv venv && venv/bin/pip install -q --only-binary :all: "nostr-sdk==$nostr_sdk"
}

# with_py NAME COMMAND...   as a test; PYTHON is one that has nostr-sdk
with_py() {
    local dir=py-$nostr_sdk
    if ! have python3; then skip "$1" 'python3 is not installed'; return; fi
    if ! fetch "$dir" bash -c "nostr_sdk=$nostr_sdk; $(declare -f make_venv); make_venv"; then
        skip "$1" 'python3-venv is missing or pip cannot fetch it'
        return
    fi
    PYTHON=$cache/$dir/venv/bin/python run "$@"
}

# shellcheck disable=SC2016 # for the other shell
run_py() { with_py rust-nostr bash -c '"$PYTHON" "$0"' "$here/rust_nostr.py"; }
# shellcheck disable=SC2016
run_limits() {
    with_py limits bash -o pipefail -c '"$0" | sed -E "s/^((not )?ok) [0-9]+ - /\1 limits: /"' "$here/limiting_relay.sh"
}

run_go() {
    local dir
    dir=go-$(cat "$here/go/main.go" "$here/go/go.mod" | sha256sum | cut -c1-12)
    if ! have go; then skip go-nostr 'go is not installed'; return; fi
    if ! fetch "$dir" go -C "$here/go" build -mod=readonly -o "$cache/$dir/peer" .; then
        skip go-nostr 'go cannot fetch or build it'
        return
    fi
    run go-nostr "$cache/$dir/peer"
}

run_nak() {
    local dir=nak-$nak
    if ! have go; then skip nak 'go is not installed'; return; fi
    if ! fetch "$dir" env "GOBIN=$cache/$dir" go install "github.com/fiatjaf/nak@$nak"; then
        skip nak "go cannot fetch or build nak $nak"
        return
    fi
    NAK=$cache/$dir/nak run nak "$here/nak.sh"
}

start_relay() {
    "$cdvm" relay --port 0 --db "$tmp/relay" >"$tmp/urls" 2>"$tmp/relay.err" &
    relay=$!
    for _ in {1..100}; do
        grep -q '^blobs' "$tmp/urls" && break
        sleep 0.1
    done
    RELAY=$(awk '/^relay/ {print $2}' "$tmp/urls")
    BLOBS=$(awk '/^blobs/ {print $2}' "$tmp/urls")
    export RELAY BLOBS
    [[ $RELAY ]]
}

if ! start_relay; then
    sed 's/^/# /' "$tmp/relay.err"
    tap <<<'not ok the relay did not start'
    exit 1
fi
(($#)) || set -- js ndk py limits go nak
for part in "$@"; do "run_$part"; done
kill -0 "$relay" 2>/dev/null || tap <<<'not ok the relay died'
echo "1..$n"
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
