#!/bin/bash
# cdvm offers: the list and the page of the screen without one, and what is kept of sellers.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
[[ -f $IMAGE/table.vol ]] || skip_all "make image first"

only table
pin_image "$IMAGE" || exit 1
start_provider "$T/log" --run-relay --relay-port 0 || exit 1
url=$(relay_of "$T/log")
offers() { "$CDVM" offers --relay "$url" --policy demo "$@" 2>"$T/notes"; }
field() { grep -oE "\"$1\":\"?[^,\"}]*" <<<"$2" | head -n 1 | sed 's/^[^:]*:"\?//'; }

list=$(offers)
check "the list has the titles of the screen" grep -qE 'PROVEN +OFFER +TASK +MODEL / TOOL +CLAIMS +PRICE +SEEN +FREE +PROVIDER +KEY' <<<"$list"
check "an offer of the simulator says so twice" grep -qE '\[S\] - .*SIMULATED' <<<"$list"
check "how many there are is said beside it" grep -q '^1 of 1 offers$' "$T/notes"
"$CDVM" offers --relay "$url" >"$T/out" 2>"$T/notes"
check "without the policy it is not there" grep -q '^0 of 0 offers$' "$T/notes"
check "and that is said" grep -q '^Simulated offers are listed with --policy demo only' "$T/notes"
"$CDVM" offers --relay "$url" --show table >"$T/out" 2>"$T/notes"
check "also where it is named" grep -q "is called 'table'; simulated offers are there" "$T/notes"
"$CDVM" ask --relay "$url" --offer table question >"$T/out" 2>"$T/notes"
check "and asked" grep -q "is called 'table'; simulated offers are there" "$T/notes"

json=$(offers --json)
key=$(field provider "$json")
same "JSON: a key" 64 "${#key}"
same "JSON: never proven" never "$(field state "$json")"
same "JSON: alive" true "$(field alive "$json")"
page=$(offers --show "$key:table")
check "one in full: what will be required" grep -q 'WHAT WILL BE REQUIRED' <<<"$page"
check "one in full: the release is pinned" grep -q 'pinned by you' <<<"$page"
check "one in full, as JSON: with its event" grep -q '\\"sig\\"' <(offers --show table --json)

same "a word that it holds" "$key" "$(field provider "$(offers --json sim table)")"
same "a word that it does not hold" '' "$(offers --json nothing)"
check "a favourite" offers --favourite "$key"
check "is marked" grep -qE '^\* ' <(offers | sed 's/^ //')
check "muted" offers --mute "$key"
same "is not listed" '' "$(offers --json)"
check "and that is said" grep -q '1 muted' "$T/notes"
same "but on demand" muted "$(field mark "$(offers --json --muted)")"
check "unmarked" offers --unmark "$key"
same "is listed again" none "$(field mark "$(offers --json)")"
same "the file is for its owner" 600 "$(stat -c %a "$XDG_STATE_HOME/cdvm/sellers")"

code() { "$@" >/dev/null 2>&1; echo $?; }
same "exit: an order that is none" 64 "$(code offers --sort size)"
same "exit: a key that is none" 64 "$(code offers --mute nobody)"
same "exit: no such offer" 69 "$(code offers --show nothing)"
same "exit: no relay answers" 69 "$(code "$CDVM" offers --relay ws://127.0.0.1:1)"
finish
