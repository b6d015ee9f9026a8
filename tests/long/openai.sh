#!/bin/bash
# Existing tools and a sealed guest: the Python package `openai`, unmodified, asks the small language model about a
# document through `cdvm ask --serve`, streamed and not; and is refused by a machine whose evidence does not hold.
# The package is fetched once into ${XDG_CACHE_HOME:-~/.cache}/cdvm-interop. Takes some minutes.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cdvm-interop
# shellcheck source=/dev/null
. "$(dirname "$0")/../e2e/lib.sh"
version=3.54.0

card=("$IMAGE"/*.model)
if [[ ! -f ${card[0]} ]] || grep -q '^model = none' "$IMAGE/chat.offer"; then
    skip_all "the image has no model: its weights could not be fetched"
fi
venv=$cache/openai-$version
if [[ ! -e $venv/.whole ]]; then
    rm -rf "$venv"
    { python3 -m venv "$venv" && "$venv/bin/pip" install -q --only-binary :all: "openai==$version"; } >"$T/pip" 2>&1 ||
        skip_all "python3-venv is missing or pip cannot fetch openai $version"
    touch "$venv/.whole"
fi

client() { # MODE NAME   the lines of its tests as this script's own
    local line
    timeout 1200 "$venv/bin/python" tests/interop/openai_client.py "$1" "http://${AT[$2]}/v1" "$T/$2.token" >"$T/tests" 2>&1 ||
        fail "the client's tests ended with $?" "$T/tests"
    while IFS= read -r line; do
        case $line in
        'ok '*) pass "${line#ok }" ;;
        'not ok '*) fail "${line#not ok }" ;;
        *) echo "$line" ;;
        esac
    done <"$T/tests"
}
declare -A AT SERVER
serve() { # NAME OPTION...
    local name=$1
    shift
    "$CDVM" ask --relay "$URL" --token-file "$T/$name.token" --serve 127.0.0.1:0 --policy demo --accept-simulated "$@" \
        >"$T/$name.out" 2>"$T/$name.err" &
    SERVER[$name]=$!
    PIDS+=("${SERVER[$name]}")
    wait_for 30 said "$T/$name.err" 'the token is in' || fail "$name serves" "$T/$name.err"
    AT[$name]=$(grep -aoE '127\.0\.0\.1:[0-9]+' "$T/$name.err" | head -n 1)
}

pin_image || { fail "image manifests" && finish; }
start_relay "$T/relay.log" --port 0 || fail "relay" "$T/relay.log"
URL=$(relay_of "$T/relay.log")
start_provider "$T/provider.log" --relay "$URL" --slots 2 || fail "provider" "$T/provider.log"
mkdir -p "$T/stranger/cdvm"
cp "$XDG_CONFIG_HOME/cdvm/pins" "$T/stranger/cdvm/"

began=$SECONDS
serve chat --offer chat --attach examples/lease.md --param max_tokens=12 --param passages=1 --receipt "$T/receipt.json"
client waiting chat
XDG_CONFIG_HOME=$T/stranger serve stranger --offer table
wait_for 120 said "$T/stranger.err" 'requests are answered 503' || fail "the stranger is refused" "$T/stranger.err"
client refused stranger
check "verified and ready" wait_for 600 said "$T/chat.err" 'verified and ready'
echo "# ready after $((SECONDS - began)) s"
client ready chat
kill -INT "${SERVER[chat]}"
wait "${SERVER[chat]}"
same "Ctrl-C ends the job in good order" 0 $?
"$CDVM" verify "$T/receipt.json" --policy demo >"$T/verified" 2>&1
same "its receipt verifies" 0 $?
echo "# $((SECONDS - began)) s in all"
finish
