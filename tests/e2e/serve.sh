#!/bin/bash
# `cdvm ask --serve`: what it refuses before it is ready, what it answers then, and a machine whose evidence does
# not hold. Two guests at once; the tests of the door run while they boot.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip_all "python3 is not installed"
[[ -f $IMAGE/table.vol ]] || skip_all "no $IMAGE/table.vol: run make image"
only table

# The "ok" and "not ok" lines of a program as this script's own.
tests_of() { # COMMAND...
    local line
    "$@" >"$T/tests" 2>&1 || fail "${*:1:3} ended with $?" "$T/tests"
    while IFS= read -r line; do
        case $line in
        'ok '*) pass "${line#ok }" ;;
        'not ok '*) fail "${line#not ok }" ;;
        *) echo "$line" ;;
        esac
    done <"$T/tests"
}
serve() { # NAME OPTION...   sets SERVER, ADDRESS
    local name=$1
    shift
    "$CDVM" ask --relay "$URL" --token-file "$T/$name.token" --serve 127.0.0.1:0 "$@" >"$T/$name.out" 2>"$T/$name.err" &
    SERVER=$!
    PIDS+=("$SERVER")
    wait_for 30 said "$T/$name.err" 'the token is in' || fail "$name serves" "$T/$name.err"
    ADDRESS=$(grep -aoE '127\.0\.0\.1:[0-9]+' "$T/$name.err" | head -n 1)
}
status() { # ADDRESS TOKENFILE PATH
    curl -s -o "$T/body" -w '%{http_code}' -H "Authorization: Bearer $(cat "$2")" "http://$1$3"
}
taken() { [[ $(status "$1" "$2" /v1/models) == 200 ]]; }

# --- what is not served at all ---
for where in 0.0.0.0:0 192.0.2.1:8080 '[::]:0' localhost:0 127.0.0.1 127.0.0.1:x 127.0.0.1:70000; do
    "$CDVM" ask --relay ws://127.0.0.1:1 --token-file "$T/t" --serve "$where" 2>"$T/err"
    same "--serve $where is refused" 78 $?
    same "and no token is made for it" '' "$(cat "$T/t" 2>/dev/null)"
done
"$CDVM" ask --relay ws://127.0.0.1:1 --serve 127.0.0.1:0 2>"$T/err"
check "without a terminal the token needs a file" said "$T/err" 'no terminal.*--token-file'
echo mine >"$T/mine"
"$CDVM" ask --relay ws://127.0.0.1:1 --serve 127.0.0.1:0 --token-file "$T/mine" 2>"$T/err"
same "a file that holds no token stays" mine "$(cat "$T/mine")"

# --- two machines: one whose evidence will hold, one whose root nobody knows ---
pin_image || fail "image manifests"
start_relay "$T/relay.log" --port 0 || fail "relay" "$T/relay.log"
URL=$(relay_of "$T/relay.log")
"$CDVM" ask --relay "$URL" --token-file "$T/t" --serve "127.0.0.1:${URL##*:}" 2>"$T/err"
same "a port that is taken" 69 $?
check "is named" said "$T/err" "cannot listen on 127\.0\.0\.1 port ${URL##*:}"
start_provider "$T/provider.log" --relay "$URL" --slots 2 || fail "provider" "$T/provider.log"
mkdir -p "$T/stranger/cdvm"
cp "$XDG_CONFIG_HOME/cdvm/pins" "$T/stranger/cdvm/"
serve good --policy demo --accept-simulated --attach examples/sales.csv --receipt "$T/receipt.json" --out "$T"
GOOD=$SERVER GOOD_AT=$ADDRESS
XDG_CONFIG_HOME=$T/stranger serve bad --policy demo --accept-simulated
BAD=$SERVER BAD_AT=$ADDRESS

same "the token is its owner's alone" 600 "$(stat -c %a "$T/good.token")"
check "every start has its own" test "$(cat "$T/good.token")" != "$(cat "$T/bad.token")"
check "it listens on 127.0.0.1 alone" test -z "$(ss -Hltn "sport = :${GOOD_AT##*:}" 2>/dev/null | grep -v "$GOOD_AT")"
tests_of python3 tests/e2e/serve.py waiting "$GOOD_AT" "$T/good.token"

# --- the one that holds ---
check "verified and ready" wait_for 120 taken "$GOOD_AT" "$T/good.token"
tests_of python3 tests/e2e/serve.py ready "$GOOD_AT" "$T/good.token"
check "answers are no business of the terminal" test -z "$(grep -a 'n = ' "$T/good.out" "$T/good.err")"

# --- the one that does not ---
refused_for_good() { status "$BAD_AT" "$T/bad.token" /v1/models >/dev/null && said "$T/body" 'snp\.chain\.root'; }
check "evidence that does not hold: the reason is given" wait_for 60 refused_for_good
same "with 503" 503 "$(status "$BAD_AT" "$T/bad.token" /v1/models)"
same "also to a question" 503 "$(curl -s -o "$T/body" -w '%{http_code}' -H "Authorization: Bearer $(cat "$T/bad.token")" \
    -H 'Content-Type: application/json' -d '{"messages":[{"role":"user","content":"SELECT 1"}]}' "http://$BAD_AT/v1/chat/completions")"
same "and to the attestation" 503 "$(status "$BAD_AT" "$T/bad.token" /cdvm/attestation)"
check "which has the tree" said "$T/body" '"evidence":.*"state":"FAIL"'
kill -TERM "$BAD"
wait "$BAD"
same "its exit code is the verdict's" 1 $?

# --- the end ---
kill -INT "$GOOD"
wait "$GOOD"
same "Ctrl-C ends the job in good order" 0 $?
check "with its receipt" said "$T/good.err" 'receipt signed by the guest covers all'
"$CDVM" verify "$T/receipt.json" --policy demo >"$T/verified" 2>&1
same "which verifies" 0 $?
check "the token file has gone" test ! -e "$T/good.token"
finish
