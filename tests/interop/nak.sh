#!/bin/bash
# nak against `cdvm relay`, and our client against `nak serve`.
# Environment: RELAY, BLOBS (URLs), PEER (path of tests/interop/peer), NAK (path of nak).
set -u
tmp=$(mktemp -d)
serve=
trap '[[ $serve ]] && kill "$serve"; rm -rf "$tmp"' EXIT

me=$(printf '%064x' 5) you=$(printf '%064x' 6)

nak() { timeout 20 "$NAK" "$@" 2>"$tmp/err"; }
has() { "$NAK" "$1" --help </dev/null 2>&1 | grep -q "$1"; }
json() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@"; then echo "ok nak: $name"; else
        echo "not ok nak: $name"
        tail -n 5 "$tmp/err" | sed 's/^/# /'
    fi
}

publishes_and_queries() {
    local id
    id=$(nak event --sec "$me" -c 'from nak' "$RELAY" </dev/null | json id)
    [[ $id ]] && nak req -i "$id" "$RELAY" </dev/null | grep -q 'from nak'
}

counts() {
    nak event --sec "$you" -c 'one to count' "$RELAY" </dev/null >"$tmp/out" || return 1
    nak count -a "$yours" "$RELAY" </dev/null | grep -qE '(^|[^0-9])[1-9][0-9]*$'
}

auth_opens_the_inbox() {
    "$PEER" wrap "$me" "$yours" <<<'for nak' | "$PEER" send "$RELAY" "$me" || return 1
    nak req -k 1059 -p "$yours" "$RELAY" </dev/null | grep -q '"kind":1059' && return 1
    nak req -k 1059 -p "$yours" --auth --sec "$you" "$RELAY" </dev/null | grep -q '"kind":1059'
}

nip44_both_ways() {
    local theirs ours
    theirs=$(nak encrypt --sec "$me" -p "$yours" 'a secret' </dev/null) || return 1
    [[ $("$PEER" decrypt "$you" "$mine" < <(printf %s "$theirs")) == 'a secret' ]] || return 1
    ours=$(printf 'another' | "$PEER" encrypt "$you" "$mine")
    [[ $(nak decrypt --sec "$me" -p "$yours" "$ours" </dev/null) == another ]]
}

gifts_both_ways() {
    nak event --sec "$me" -k 14 -c 'a gift' -p "$yours" </dev/null |
        nak gift wrap --sec "$me" -p "$yours" >"$tmp/wrap" || return 1
    tr -d '\n' <"$tmp/wrap" | "$PEER" unwrap "$you" | grep -q 'a gift' || return 1
    printf 'in return' | "$PEER" wrap "$you" "$mine" |
        nak gift unwrap --sec "$me" | grep -q 'in return'
}

blobs() {
    local sha
    head -c 100000 /dev/urandom >"$tmp/blob"
    sha=$(nak blossom --server "$BLOBS" --sec "$me" upload "$tmp/blob" </dev/null | json sha256)
    [[ $sha ]] || return 1
    nak blossom --server "$BLOBS" --sec "$me" download "$sha" -o "$tmp/back" </dev/null || return 1
    cmp -s "$tmp/blob" "$tmp/back"
}

start_serve() {
    local port=$((20000 + RANDOM % 20000))
    url=ws://localhost:$port
    "$NAK" serve --hostname localhost --port "$port" </dev/null >"$tmp/serve" 2>&1 &
    serve=$!
    for _ in {1..50}; do
        (exec 3<>"/dev/tcp/localhost/$port") 2>"$tmp/err" && return 0
        sleep 0.1
    done
    return 1
}

ours_on_nak_serve() {
    local id
    start_serve || return 1
    id=$("$PEER" publish "$url" "$me" <<<'from C to nak' | json id)
    [[ $id ]] && "$PEER" fetch "$url" "$me" "{\"ids\":[\"$id\"]}" | grep -q 'from C to nak'
}

our_wraps_over_nak_serve() {
    printf 'over nak' | "$PEER" wrap "$me" "$yours" | "$PEER" send "$url" "$me" || return 1
    "$PEER" fetch "$url" "$you" "{\"kinds\":[1059],\"#p\":[\"$yours\"]}" | tr -d '\n' |
        "$PEER" unwrap "$you" | grep -q 'over nak'
}

mine=$(nak key public "$me" </dev/null) yours=$(nak key public "$you" </dev/null)
check 'publishes and queries' publishes_and_queries
check 'counts' counts
check 'AUTH opens the inbox, to its owner only' auth_opens_the_inbox
check 'NIP-44: both ways' nip44_both_ways
if has gift; then check 'NIP-59: both ways' gifts_both_ways; else
    echo 'ok nak: NIP-59 # SKIP this nak has no gift command'; fi
if has blossom; then check 'blobs: uploads and downloads' blobs; else
    echo 'ok nak: blobs # SKIP this nak has no blossom command'; fi
check 'our client on nak serve' ours_on_nak_serve
check 'our gift wraps over nak serve' our_wraps_over_nak_serve
