#!/bin/bash
# One bit of everything that the measured command line names by its hash, each in a guest of its own: workload,
# model and job file at first, middle and last block and byte, the hash trees, and the command line's own
# digits. The guest's kernel stops at once, or the agent names the volume: there is never a ready, and never a
# receipt.
# shellcheck source=/dev/null
. "$(dirname "$0")/../e2e/lib.sh"
# shellcheck source=/dev/null
. tests/e2e/guest.bash

MODEL=$(model_volume)
BOTH=$(append "$WORK" "$MODEL")

# tampered NAME WORK_VOLUME MODEL_VOLUME [COMMAND_LINE]
tampered() {
    VOLUME=$2 MODEL_VOLUME=$3 APPEND=${4:-$BOTH} start && job
    stopped "$1"
}
# named NAME COMMAND_LINE   what cannot be a volume of this disk is refused before anything is read
named() {
    MODEL_VOLUME=$T/model.vol APPEND=$2 start && job
    check "$1: the agent names the volume" grep -q 'STATE error: volume' "$T/said"
    same "$1: no ready" 0 "$(grep -c 'STATE ready' "$T/said")"
}

MODEL_VOLUME=$T/model.vol APPEND=$BOTH start && job
check "as it should be: ready" grep -q 'STATE ready' "$T/said"

for what in workload model; do
    if [[ $what == workload ]]; then file=$VOLUME blocks=${WORK#*:}; else file=$T/model.vol blocks=${MODEL#*:}; fi
    total=$(($(stat -c %s "$file") / 4096))
    for block in 0 $((blocks / 2)) $((blocks - 1)); do
        for byte in 0 2047 4095; do
            flip "$file" $((block * 4096 + byte)) "$T/flipped"
            if [[ $what == workload ]]; then
                tampered "workload, block $block, byte $byte" "$T/flipped" "$T/model.vol"
            else
                tampered "model, block $block, byte $byte" "$VOLUME" "$T/flipped"
            fi
        done
    done
    for block in "$blocks" $(((blocks + total) / 2)) $((total - 1)); do # the first is the top of the tree
        flip "$file" $((block * 4096)) "$T/flipped"
        if [[ $what == workload ]]; then
            tampered "workload, tree block $block" "$T/flipped" "$T/model.vol"
        else
            tampered "model, tree block $block" "$VOLUME" "$T/flipped"
        fi
    done
done

at=$(grep -abo '"argv"' "$VOLUME" | head -n 1 | cut -d: -f1)
size=$(stat -c %s "$IMAGE/table.json")
for byte in 0 $((size / 2)) $((size - 9)); do
    flip "$VOLUME" $((at + byte)) "$T/flipped"
    tampered "job file, byte $byte from argv" "$T/flipped" "$T/model.vol"
done

# digit STRING POSITION   the string with another hex digit there
digit() { printf '%s%s%s' "${1:0:$2}" "$(tr '0-9a-f' '1-9a-f0' <<<"${1:$2:1}")" "${1:$(($2 + 1))}"; }
for position in 0 31 63; do
    tampered "command line, workload's root, digit $position" "$VOLUME" "$T/model.vol" \
        "$(append "$(digit "$WORK" "$position")" "$MODEL")"
    tampered "command line, model's root, digit $position" "$VOLUME" "$T/model.vol" \
        "$(append "$WORK" "$(digit "$MODEL" "$position")")"
done
tampered "command line, one block fewer" "$VOLUME" "$T/model.vol" "$(append "${WORK%:*}:$((${WORK#*:} - 1))" "$MODEL")"
named "command line, more blocks than the disk has" "$(append "${WORK%:*}:$((${WORK#*:} + 1000000))" "$MODEL")"
named "command line, more blocks than any disk has" "$(append "$WORK" "${MODEL%:*}:999999999999")"
finish
