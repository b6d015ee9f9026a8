#!/bin/bash
# Somebody new: the questions of the first start with a real relay, what is written and what is not, the
# screen of settings, and the list of everything.
# shellcheck source=tests/e2e/terminal.bash
. "$(dirname "$0")/terminal.bash"
CONF=$XDG_CONFIG_HOME/cdvm/cdvm.conf

"$CDVM" relay --port 0 --db "$T/relay" >"$T/relay.log" 2>&1 &
PIDS+=($!)
wait_for 30 grep -q ws:// "$T/relay.log"
relay=$(grep -oE 'ws://[^ ]+' "$T/relay.log" | head -n 1)

rm "$CONF"
start 80x24
expect "nobody has been here: the first start" 'First start, step 2 of 5'
keys Enter
expect "where to look" '\+ add a relay'
keys j j j Space
text "$relay"
keys Enter
expect "a relay that was typed is tried at once" "\\[x\\] $relay +ok [0-9]+ ms"
keys j Space
text "ws://127.0.0.1:1"
keys Enter
expect "one that is not there says why" '\[x\] ws://127.0.0.1:1 +cannot'
keys Space
expect "and is switched off again" '\[ \] ws://127.0.0.1:1'
keys Enter
expect "how strict" '\( \) strict'
check "nothing is written yet" test ! -e "$CONF"
keys j Enter
expect "what stays" 'in cdvm.conf'
keys Enter
expect "the offers, by that relay" 'relays 1/1'
expect "and what was written" 'written: '
same "the file: relay and policy, nothing else" "policy = strict;relay = $relay" \
    "$(grep -vE '^(#|$)' "$CONF" | sort | paste -sd';')"
same "for nobody else to read" 600 "$(stat -c %a "$CONF")"
keys q
expect "it left" 'rc=0'
stop

echo '# a line of my own' >>"$CONF"
start 100x30
expect "not asked again" '\[1 Offers\]'
keys 6
expect "the relay is up, with ping and events" "$relay +up +[0-9]+ +[0-9]+"
keys j j j j t
expect "t tries it" "$relay answered in [0-9]+ ms"
text ':screen'
expect "the list of everything, filtered" 'Everything'
keys Escape
wait_for 30 shows '^ IDENTITY'
keys l Enter
expect "the policy goes on to its next word" 'policy +standard'
check "and not into the file by itself" grep -qx 'policy = strict' "$CONF"
keys w
expect "w writes" 'written: '
check "the new word stands in the file" grep -qx 'policy = standard' "$CONF"
check "a line of the person's own is still there" grep -qx '# a line of my own' "$CONF"
text ':offers'
keys Enter
expect "Enter in the list does it" '\[1 Offers\]'
keys q
expect "it left again" 'rc=0'
stop

echo 'colour = red' >>"$CONF"
out=$("$CDVM" tui 2>&1 </dev/null)
same "a key that is none: exit 78" 78 $?
check "with file and line" grep -qE "cdvm.conf:[0-9]+: unknown key 'colour'" <<<"$out"
sed -i '$d' "$CONF"
echo 'theme = red' >>"$CONF"
out=$("$CDVM" tui 2>&1 </dev/null)
check "a value that is none: the allowed ones are named" \
    grep -qE "cdvm.conf:[0-9]+: theme: 'red' is not one of auto, dark, light" <<<"$out"
finish
