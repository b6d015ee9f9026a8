#!/bin/bash
# The man pages say what the program does: every command, option, key, check and error code stands in them,
# and nothing that is not there; mandoc finds no fault.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
D=doc
PAGES=(cdvm.1 cdvm.conf.5 cdvm-protocol.7 cdvm-attestation.7 cdvm-host.7)

# none NAME LINES: an offender a line is a failure
none() { if [[ -z $2 ]]; then pass "$1"; else fail "$1" "$2"; fi; }
# alike NAME WANT GOT: two lists, in any order; says what only one of them has
alike() {
    local a b
    a=$(sort -u <<<"$2") b=$(sort -u <<<"$3")
    none "$1" "$(diff <(echo "$a") <(echo "$b") | sed -n 's/^</missing from the page:/p; s/^>/not in the program:/p')"
}
# section PAGE TITLE: its lines, up to the next title
section() { awk -v title="$2" '/^\.S[sh] /{on = substr($0, 5) == title; next} on' "$D/$1"; }
# macro NAME: the words that follow it on the lines of standard input
macro() { perl -lne 'next unless /^\./; while (/\b'"$1"' ((?:[^ ]+ ?[,:;|]? ?)+?)(?=$|[A-Z][a-z] )/g) { print for grep { /\w/ } split / *, *| +/, $1 }'; }
options() { sed 's/\x60[^\x60]*\x60//g' | grep -oE -- '--[a-z][a-z0-9-]*' | grep -vx -- --help | sed 's/^--//'; }

for p in "${PAGES[@]}"; do
    if command -v mandoc >/dev/null; then
        none "$p: mandoc has nothing to say" "$(mandoc -Tlint -Wwarning "$D/$p" 2>&1 | grep -v 'outdated mandoc.db')"
    else
        pass "$p: mandoc has nothing to say # SKIP mandoc is not installed"
    fi
done

# --- cdvm(1) ---

commands=$("$CDVM" --help | sed -n 's/^  cdvm \([a-z]*\) .*/\1/p')
alike "cdvm(1) has every command" "$commands" "$(sed -n 's/^\.Ss cdvm \([a-z]*\)$/\1/p' "$D/cdvm.1")"
# help COMMAND: its own, and that of each of its subcommands
help() {
    local s
    "$CDVM" "$1" --help
    [[ $1 != image ]] || for s in $("$CDVM" image --help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do "$CDVM" image "$s" --help; done
}
for c in $commands; do
    alike "cdvm(1) has the options of cdvm $c" "$(help "$c" | options)" \
        "$(section cdvm.1 "cdvm $c" | grep -oE '\bFl -[a-z][a-z0-9-]*' | sed 's/^Fl -//')"
done
none "cdvm(1) has the keys and commands as the program lists them (make man)" \
    "$(diff <("$CDVM" tui --list-keys | "$D/make-keys.pl" "$D/cdvm.1") "$D/cdvm.1")"

# --- cdvm.conf(5) ---

page_keys() { section cdvm.conf.5 "$1" | sed -n 's/^\.It Cm \([a-z0-9-]*\) .*/\1/p'; }
row_keys() { sed -n 's/^ *{"\([a-z0-9-]*\)", CONF_.*/\1/p' "$1"; }
alike "cdvm.conf(5) has the keys of cdvm.conf" \
    "$(sed -n 's/^ *{\.name = "\([a-z-]*\)",/\1/p' tui/settings.c)" "$(page_keys cdvm.conf)"
alike "cdvm.conf(5) has the keys of provider.conf" "$(row_keys provider/provconf.c)" "$(page_keys provider.conf)"
alike "cdvm.conf(5) has the keys of NAME.offer" "$(row_keys provider/image_offer.c)" "$(page_keys NAME.offer)"
alike "cdvm.conf(5) has the keys of broker.conf" "$(row_keys provider/cli_broker.c | grep -vx test-root)" "$(page_keys broker.conf)"
alike "cdvm.conf(5) has the words of broker.list" "$(grep -oE '\{"[a-z]+", (true|false), take_' provider/broker_list.c | grep -oE '[a-z]+' | grep -vxE 'true|false|take')" \
    "$(section cdvm.conf.5 broker.list | sed -n 's/^\.It Ic //p' | tr -d ' ' | tr , '\n')"
alike "cdvm.conf(5) has the keys of policy files" "$(row_keys attest/policy.c)" "$(page_keys 'Policy files')"
for t in provider/provconf.c:provider.conf provider/image_offer.c:NAME.offer attest/policy.c:'Policy files'; do
    alike "cdvm.conf(5) has the ranges of ${t#*:}" \
        "$(sed -n 's/^ *{"\([a-z0-9-]*\)", CONF_NUMBER, [^,]*, \([0-9]*\), \([0-9]*\),.*/\1 \2 to \3/p' "${t%:*}")" \
        "$(section cdvm.conf.5 "${t#*:}" | sed -n 's/^\.It Cm \([a-z0-9-]*\) Pq number, \([0-9]* to [0-9]*\).*/\1 \2/p')"
done
alike "cdvm.conf(5) has the defaults that cdvm provider --help names" \
    "$("$CDVM" provider --help | sed -n 's/^  --\([a-z-]*\) .*(\([^ ]*\))$/\1 \2/p')" \
    "$(section cdvm.conf.5 provider.conf | sed -n 's/^\.It Cm \([a-z-]*\) Pq .*; default \([^ ]*\)$/\1 \2/p' |
        grep -E "^($("$CDVM" provider --help | sed -n 's/^  --\([a-z-]*\) .*([^ ]*)$/\1/p' | paste -sd'|')) ")"

# --- cdvm-attestation(7) ---

none "cdvm-attestation(7) has the checks as the program lists them (make man)" \
    "$(diff <("$CDVM" verify --list-checks | "$D/make-checks.pl" "$D/cdvm-attestation.7") "$D/cdvm-attestation.7")"

# --- cdvm-protocol(7) ---

mapfile -t sources < <(git ls-files 'core/*.c' 'attest/*.c' 'provider/*.c' 'tui/*.c' 'guest/*.c')
codes=$(tests/tools/error_codes.pl "${sources[@]}" | cut -d' ' -f1 | sort -u)
check "error codes are found in the code" test "$(wc -l <<<"$codes")" -gt 100
alike "cdvm-protocol(7), Errors has every code" "$codes" "$(section cdvm-protocol.7 Errors | macro Cm)"
alike "cdvm-protocol(7), Channel has the frames" \
    "$(sed -n '/^enum chan_type/,/^}/s/^ *CHAN_\([A-Z_]*\) = \([0-9]*\),.*/\2 \1/p' core/channel.h)" \
    "$(section cdvm-protocol.7 Channel | sed -n 's/^\.It \([0-9]*\) Ta \([A-Z_]*\) .*/\1 \2/p')"
alike "cdvm-protocol(7), Channel has the states" \
    "$(sed -n '/^enum chan_state/,/^}/s/^ *CHAN_[A-Z_]* = \([0-9]*\),.*/\1/p' core/channel.h)" \
    "$(section cdvm-protocol.7 Channel | sed -n 's/^\.It \([0-9]*\) Ta [a-z].*/\1/p')"
alike "cdvm-protocol(7), Public events has the tags of an offer" \
    "$(sed -n '/offer_tags\[\]/,/^}/s/^ *{"\([a-z]*\)", .*/\1/p' core/offer.c)" \
    "$(section cdvm-protocol.7 'Public events' | sed -n 's/^\.It \([a-z]*\) Ta [0-9].*/\1/p')"

# --- what the code cites ---

# cited PAGE: the sections that comments name, on one line or over the end of one
cited() {
    git ls-files '*.c' '*.h' '*.sh' | xargs cat |
        perl -0777 -ne 's/\n \*\s+|\n# / /g; while (/\Q'"$1"'\E\(7\), ((?:"[^"]+"(?:,? and |, )?)+)/g) { my $t = $1; print "$1\n" while $t =~ /"([^"]+)"/g }' |
        sort -u
}
for p in cdvm-protocol cdvm-attestation; do
    none "the sections of $p(7) that the code cites exist" \
        "$(comm -23 <(cited "$p") <(sed -n 's/^\.S[sh] //p' "$D/$p.7" | sort -u))"
done
none "the code cites nothing that is not in the repository" \
    "$(git grep -nE '\b(PROTOCOL|DESIGN|STYLE|UX|snp|gpu|nostr|workloads|threats|lws|aesthetics)\.md\b' -- '*.c' '*.h' '*.sh' '*.pl' Makefile ':!tests/e2e/docs.sh')"
finish
