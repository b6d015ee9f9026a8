#!/bin/bash
# Runs test programs and counts TAP lines ("ok", "not ok", either with "# SKIP": cmocka 1.1.5 writes "not
# ok" for a skip). A program that ends badly
# without a "not ok" line is one failure; one that prints no TAP line at all is a failure too. The last
# line reads "N passed, N failed, N skipped"; exit 1 when something failed.
# usage: tests/run.sh PROGRAM...      (T=regex selects by name)
set -u
export CMOCKA_MESSAGE_OUTPUT=TAP
passed=0 failed=0 skipped=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT
for prog in "$@"; do
    name=${prog##*/}
    if [[ -n ${T:-} && ! $name =~ $T ]]; then continue; fi
    start=$SECONDS
    timeout "${TEST_TIMEOUT:-600}" "$prog" >"$out" 2>&1
    rc=$?
    s=$(grep -cE '^(not )?ok .*# SKIP' "$out")
    p=$(grep -E '^ok ' "$out" | grep -cv '# SKIP')
    f=$(grep -E '^not ok ' "$out" | grep -cv '# SKIP')
    if ((rc != 0 && f == 0)) || ((p + f + s == 0)); then f=$((f + 1)); fi
    printf '%-44s %4d passed %3d failed %3d skipped  %3d s\n' "$name" "$p" "$f" "$s" $((SECONDS - start))
    if ((f > 0)); then
        printf -- '--- %s (exit %d)\n' "$name" "$rc"
        if [[ $prog == *.sh || $prog == *.py ]]; then tail -n 60 "$out"; else
            grep -vE '^ok ' "$out" | tail -n 60; fi
    elif ((s > 0)); then sed -n 's/^.*# SKIP/    skipped:/p' "$out" | head -n 5; fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
