#!/bin/bash
# Runs fuzzers for a while each and prints one TAP line for each.
# usage: tests/fuzz/run.sh BUILD_DIR NAME...
# FUZZ_SECONDS (5): time for each; FUZZ_OTHERS (the same): for those that parse no evidence. VECTORS: where the folders named in tests/fuzz/plan lie.
# FUZZ_JOBS (all processors): how many run at a time. New inputs are kept in BUILD_DIR/corpus/NAME,
# crashing ones in BUILD_DIR/crash; seeds come from tests/fuzz/corpus/NAME.
set -u
here=$(dirname "$0")
build=$1
shift
vectors=${VECTORS:-../shared/vectors}
failed=0
evidence=" bundle certtable crl gpu_chain gpu_fwid gpu_list gpu_ocsp gpu_opaque gpu_report gpu_rim nvml ovmf policy receipt release report vek "

seconds() {
    if [[ $evidence == *" $1 "* ]]; then echo "${FUZZ_SECONDS:-5}"; else echo "${FUZZ_OTHERS:-${FUZZ_SECONDS:-5}}"; fi
}

# tests/fuzz/plan: NAME MAX_LEN [FOLDER among the vectors]...; what is not there runs with 4096.
max_len() {
    awk -v n="$1" '$1 == n {print $2; found = 1} END {if (!found) print 4096}' "$here/plan"
}

seed_dirs() {
    [[ -d $here/corpus/$1 ]] && echo "$here/corpus/$1"
    [[ -d $build/seeds/$1 ]] && echo "$build/seeds/$1"
    awk -v n="$1" '$1 == n {for (i = 3; i <= NF; i++) print $i}' "$here/plan" | while read -r dir; do
        [[ -d $vectors/$dir ]] && echo "$vectors/$dir"
    done
}

# Saved jobs are too large and too short-lived to keep: they are made here.
make_seeds() {
    local dir=$build/seeds maker=$build/../e2e/bundle
    [[ -x $maker && ! -d $dir ]] || return
    mkdir -p "$dir/all" "$dir/bundle" "$dir/disclosure" && "$maker" "$dir/all" &&
        cp "$dir"/all/{receipt,other,short}.json "$dir/bundle" && cp "$dir/all/disclosed.json" "$dir/disclosure"
}

# run_one NUMBER NAME
run_one() {
    local n=$1 name=$2 log="$build/fuzz_$2.log" execs
    local -a seeds
    mapfile -t seeds < <(seed_dirs "$name")
    mkdir -p "$build/corpus/$name" "$build/crash"
    if "$build/fuzz_$name" -max_total_time="$(seconds "$name")" -max_len="$(max_len "$name")" \
        -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$build/crash/$name-" "$build/corpus/$name" "${seeds[@]}" >"$log" 2>&1; then
        execs=$(awk '/number_of_executed_units/ {print $2}' "$log")
        echo "ok $n - fuzz $name (${execs:-0} execs)"
    else
        echo "not ok $n - fuzz $name"
        tail -n 40 "$log" | sed 's/^/# /'
        return 1
    fi
}

make_seeds
echo "1..$#"
jobs=${FUZZ_JOBS:-$(nproc)} n=0
for name in "$@"; do
    n=$((n + 1))
    if ((n > jobs)); then wait -n || failed=1; fi
    run_one "$n" "$name" &
done
while true; do
    wait -n
    case $? in
    0) ;;
    127) break ;; # none is left
    *) failed=1 ;;
    esac
done
exit $failed
