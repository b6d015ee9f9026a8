#!/bin/bash
# A customer who wants to be known: the seller reads who it is, nobody else, and the passphrase is nowhere
# to be seen. No guest is waited for: who asks is known before there is one.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

[[ -s $IMAGE/initrd ]] || skip_all "there is no guest image (make image)"
log=$T/provider.log

# NIP-49's own example, and the public key of it.
npub=npub1vu4rr079n5lsg4ywexma4m469asczn5ve3qyfqz9qpl4g70kjw3sgny3w6
me=$XDG_DATA_HOME/cdvm/identities/me
(umask 077 && mkdir -p "${me%/*}" && cat >"$me") <<FILE
npub = $npub
ncryptsec = ncryptsec1qgg9947rlpvqu76pj5ecreduf9jxhselq2nae2kghhvd5g7dgjtcxfqtd67p9m0w57lspw8gsq6yphnm8623nsl8xn9j4jdzz84zm3frztj3z7s35vpzmqf6ksu8r89qk5z2zxfmu5gv8th8wclt0h4p
FILE

only table
pin_image "$IMAGE" || exit 1
start_provider "$log" --run-relay --relay-port 0 || exit 1
url=$(relay_of "$log")

# ask NAME OPTION...   what it says goes to $T/NAME
ask() {
    local name=$1
    shift
    "$CDVM" ask --relay "$url" --policy demo --offer table --timeout 2 "$@" summary >"$T/$name" 2>&1
}

rc=0
ask wrong --identity me --passphrase-fd 3 3<<<'not it' || rc=$?
same "a wrong passphrase: its own exit code" 77 "$rc"
check "and a sentence" said "$T/wrong" 'the passphrase is wrong'
rc=0
ask nobody --identity nobody --passphrase-fd 3 3<<<nostr || rc=$?
same "an identity that is not there: the same" 77 "$rc"
rc=0
setsid -w "$CDVM" ask --relay "$url" --identity me x </dev/null >"$T/tty" 2>&1 || rc=$?
same "without a terminal it says what to do" 77 "$rc"
check "namely this" said "$T/tty" '--passphrase-fd'
same "the provider heard of none of that" 0 "$(grep -c creating "$log")"

mkfifo "$T/word"
ask known --identity me --passphrase-fd 3 3<"$T/word" &
pid=$!
exec 4>"$T/word"
asking() { child=$(pgrep -P "$pid" -f "$CDVM" | head -n 1) && [[ -n $child ]]; }
check "the asking command runs, without a passphrase yet" wait_for 30 asking
echo nostr >&4
exec 4>&-
check "its command line has no passphrase" bash -c "! tr '\0' '\n' </proc/$child/cmdline | grep -qx nostr"
check "its environment neither" bash -c "! grep -qa nostr /proc/$child/environ"
wait "$pid" || true
check "the provider is told who asks" wait_for 30 said "$log" "customer  $npub"
ask unknown || true
wait_for 30 said "$log" 'creating.*' || true
same "a job without an identity tells nobody's" 1 "$(grep -c 'customer  ' "$log")"
chmod 644 "$me"
rc=0
ask open --identity me --passphrase-fd 3 3<<<nostr || rc=$?
same "a key file that others can read is not used" 77 "$rc"
check "and says why" said "$T/open" 'chmod 600'
