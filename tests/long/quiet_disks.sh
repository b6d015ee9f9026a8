#!/bin/bash
# Every offer of the image in a real guest: from `ready` to the last answer QEMU reads no block of its disks, and
# before it the guest had read all of them, through their hash trees. (table alone, in every run of the tests:
# tests/e2e/host_inputs.sh.)
# shellcheck source=/dev/null
. "$(dirname "$0")/../e2e/lib.sh"
# shellcheck source=/dev/null
. tests/e2e/guest.bash

command -v python3 >/dev/null || skip_all "no python3"
value() { sed -n "s/^$2 *= *//p" "$1" | tail -n 1; } # FILE KEY
reference() { # NAME   "root:blocks" of a volume, from its manifest
    python3 -c 'import json, sys; m = json.load(open(sys.argv[1])); print(m["root"] + ":" + str(m["blocks"]))' \
        "$IMAGE/$1.manifest"
}
disk_bytes() { grep -oE "$1=[0-9]+/[0-9]+" <<<"$2" | cut -d/ -f2; }
reads() { python3 tests/e2e/qmp_reads.py "$T/qmp"; }
# data NAME   bytes that its root hash names
data() { echo $((${1#*:} * 4096)); }

declare -A QUESTION=([chat]='Say hello.' [table]='SELECT 42 AS n')
"$CDVM" image manifest "$IMAGE" --version test >"$T/manifests" 2>&1 || { fail "manifests" "$T/manifests" && finish; }
for offer in "$IMAGE"/*.offer; do
    name=$(basename "$offer" .offer)
    work=$(value "$offer" workload) model=$(value "$offer" model)
    memory=$(value "$offer" memory)
    work_ref=$(reference "$work") model_ref=none
    gates=$T/gates.$name
    mkdir "$gates"
    if [[ -n $model ]]; then model_ref=$(reference "$model"); fi
    : >"$T/said"
    VOLUME=$IMAGE/$work.vol MODEL_VOLUME=${model:+$IMAGE/$model.vol} MEMORY=${memory:-1024} \
        APPEND=$(append "$work_ref" "$model_ref") start -qmp "unix:$T/qmp,server=on,wait=off"
    LIMIT=1100 job -q "${QUESTION[$work]:-hello}" -w "$gates" &
    asking=$!
    check "$name: ready" wait_for 500 said "$T/said" 'STATE ready'
    before=$(reads)
    touch "$gates/ask"
    check "$name: an answer" wait_for 500 said "$T/said" 'ANSWER '
    after=$(reads)
    same "$name: from ready to the answer not one block is read" "$before" "$after"
    check "$name: before, all of the workload was" test "$(disk_bytes work "$before")" -ge "$(data "$work_ref")"
    if [[ -n $model ]]; then
        check "$name: and all of the model" test "$(disk_bytes model "$before")" -ge "$(data "$model_ref")"
    fi
    touch "$gates/end"
    wait "$asking"
    wait_for 30 gone
done
finish
