#!/bin/bash
# A relay that sends 5,000 offers a second: a key pressed does not wait for them, memory stays bounded, and
# the screen says that not all are kept.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

EVENTS=30000
export LC_ALL=C.UTF-8 TZ=UTC
unset TMUX NO_COLOR
if ! timeout 180 "$B/e2e/flood" "$CDVM" "$EVENTS" 5000 >"$T/figures" 2>"$T/errors"; then
    fail "keys are answered while a relay floods" "$T/errors" "$T/figures"
    finish
fi
sed 's/^/# /' "$T/figures"
figure() { awk -v n="$1" -v k="$2" '$1 == n { print $k }' "$T/figures"; }

# On a machine that does nothing else half of the keys are on the screen within 50 ms, flood or none. Beside other
# tests the quiet program is slow too, and the flood may cost a few times that.
check "a key is on the screen in time while the relay floods" \
    awk -v quiet="$(figure quiet 2)" -v flood="$(figure flood 2)" 'BEGIN { exit !(flood < 50 || flood < 6 * quiet) }'
check "no key waits long" awk -v most="$(figure flood 4)" 'BEGIN { exit !(most < 3000) }'
same "the relay got rid of all it had" "$EVENTS" "$(figure sent 2)"
same "the screen says that not all are kept" 1 "$(figure said 2)"
check "memory stays under 48 MiB" test "$(figure memory 2)" -lt 49152
finish
