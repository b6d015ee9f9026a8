#!/bin/bash
# Runs test programs and counts TAP lines ("ok", "not ok", either with "# SKIP": cmocka 1.1.5 writes "not
# ok" for a skip). A program that ends badly without a "not ok" line is one failure; one that prints no TAP
# line at all is a failure too. The last line reads "N passed, N failed, N skipped"; exit 1 when something
# failed.
# usage: tests/run.sh PROGRAM...
#   T=regex selects by name; JOBS (1) programs at a time; TEST_TIMEOUT (600) seconds for each
set -u
set -m # so that the programs do not start with SIGINT ignored
export CMOCKA_MESSAGE_OUTPUT=TAP
passed=0 failed=0 skipped=0
dir=$(mktemp -d)
declare -A program=() began=()
trap 'rm -rf "$dir"' EXIT
trap 'kill "${!program[@]}"; exit 130' INT TERM HUP

start() { # PROGRAM
    timeout "${TEST_TIMEOUT:-600}" "$1" >"$dir/${1##*/}" 2>&1 &
    program[$!]=$1 began[$!]=$SECONDS
}

report() { # PROGRAM EXIT SECONDS
    local name=${1##*/} out=$dir/${1##*/} s p f
    s=$(grep -cE '^(not )?ok .*# SKIP' "$out")
    p=$(grep -E '^ok ' "$out" | grep -cv '# SKIP')
    f=$(grep -E '^not ok ' "$out" | grep -cv '# SKIP')
    if (($2 != 0 && f == 0)) || ((p + f + s == 0)); then f=$((f + 1)); fi
    printf '%-44s %4d passed %3d failed %3d skipped  %3d s\n' "$name" "$p" "$f" "$s" "$3"
    if ((f > 0)); then
        printf -- '--- %s (exit %d)\n' "$name" "$2"
        awk '/^ok /{told = 0} /^not ok /{told = 1} told || !/^(ok |# )/' "$out" | tail -n 100
    elif ((s > 0)); then sed -n 's/^.*# SKIP/    skipped:/p' "$out" | head -n 5; fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

reap() {
    local pid rc
    wait -n -p pid "${!program[@]}"
    rc=$?
    report "${program[$pid]}" "$rc" $((SECONDS - began[$pid]))
    unset "program[$pid]"
}

for prog in "$@"; do
    if [[ -n ${T:-} && ! ${prog##*/} =~ $T ]]; then continue; fi
    ((${#program[@]} < ${JOBS:-1})) || reap
    start "$prog"
done
while ((${#program[@]})); do reap; done
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
