#!/bin/bash
# `cdvm verify` over GPUs by themselves: exit codes, JSON, usage, no network.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
V=$(realpath "${VECTORS:-../shared/vectors}" 2>/dev/null)/gpu

# state ID: of that check in the JSON that was printed last
state() {
    python3 - "$T/out" "$1" <<'E2'
import json, sys
def walk(c):
    yield c
    for k in c.get("checks", []):
        yield from walk(k)
print(next(c["state"] for c in walk(json.load(open(sys.argv[1]))) if c.get("id") == sys.argv[2]))
E2
}
code() {
    local want=$1 name=$2
    shift 2
    "$@" >"$T/out" 2>"$T/err"
    same "$name" "$want" $?
}

code 64 "a report without its chain is a usage error" "$CDVM" verify --gpu-report /dev/null
code 64 "a list beside a report is a usage error" "$CDVM" verify --gpu-report x --gpu-chain y --gpu-evidence z
code 64 "a nonce without evidence is a usage error" "$CDVM" verify --gpu-nonce 00
code 64 "a short nonce is a usage error" "$CDVM" verify --gpu-report /dev/null --gpu-chain /dev/null --gpu-nonce 00
code 64 "a GPU beside a bundle is a usage error" "$CDVM" verify x.json --gpu-report y --gpu-chain z
code 66 "a missing file is named" "$CDVM" verify --gpu-evidence "$T/nothing.json"
check "... in one sentence" grep -q nothing.json "$T/err"
echo '[{}]' >"$T/list.json"
code 65 "a list that is none" "$CDVM" verify --gpu-evidence "$T/list.json"
check "... says where" grep -q 'GPU 1: ' "$T/err"
code 1 "an empty report without a chain fails" "$CDVM" verify --gpu-report /dev/null --gpu-chain /dev/null

[[ -d $V ]] || { echo "# the vectors are not here" && finish; }
good=(--gpu-report "$V/h100-550.90.07/report.bin" --gpu-chain "$V/h100-550.90.07/chain.pem")
code 3 "a real GPU by itself is not checked" "$CDVM" verify "${good[@]}" --json
for id in structure chain signature fwid mode topology; do same "... gpu.$id" PASS "$(state gpu.$id)"; done
for id in gpu.cc_state gpu.in-this-guest bind.gpu; do same "... $id" "NOT CHECKED" "$(state "$id")"; done
code 1 "another nonce" "$CDVM" verify "${good[@]}" --gpu-nonce "$(printf '00%.0s' {1..32})" --json
same "... is said" FAIL "$(state gpu.nonce)"
code 1 "another GPU's chain" "$CDVM" verify "${good[@]}" --gpu-chain "$V/h100-535.86.09/chain.pem" --json
same "... did not sign" FAIL "$(state gpu.signature)"
h=$V/h100-550.90.07
full=("${good[@]}" --rim "$h/NV_GPU_DRIVER_GH100_550.90.07.xml" --rim "$h/NV_GPU_VBIOS_1010_0200_882_96009F0001.xml")
for o in "$h"/ocsp/*.der; do full+=(--ocsp "$o"); done
code 3 "with NVIDIA's words on it" "$CDVM" verify "${full[@]}" --at 2025-10-24T12:00:00Z --json
for id in rim.driver rim.vbios measurements; do same "... gpu.$id" PASS "$(state gpu.$id)"; done
same "... not all of them fresh" "NOT CHECKED" "$(state gpu.revocation)"
code 1 "as of now its reference values are too old" "$CDVM" verify "${full[@]}" --at 2026-11-22 --json
same "... by the end of their signer" FAIL "$(state gpu.rim.driver)"
code 1 "other reference values" "$CDVM" verify "${good[@]}" --rim "$V/bad/driver_rim.incorrect-signature.xml" \
    --rim "$V/h100-535.86.09/NV_GPU_DRIVER_GH100_535.86.09.tampered.xml" --gpu-nonce "$(printf '00%.0s' {1..32})" --json
same "... do not stand in" "NOT CHECKED" "$(state gpu.rim.driver)"
old=(--gpu-report "$V/h100-535.86.09/report.bin" --gpu-chain "$V/h100-535.86.09/chain.pem")
code 1 "a driver that names no firmware" "$CDVM" verify "${old[@]}" --json
same "... is not bound" FAIL "$(state gpu.fwid)"
code 3 "... unless that is allowed" "$CDVM" verify "${old[@]}" --allow-no-fwid --json
same "... and never green" WARN "$(state gpu.fwid)"
code 3 "four GPUs in a list" "$CDVM" verify --gpu-evidence "$V/ppcie-h100-590.12/multi_gpu_hopper.json" --json
same "... without their switches" "NOT CHECKED" "$(state gpu.topology)"
if strace -f -e trace=network -o "$T/trace" "$CDVM" verify "${good[@]}" >/dev/null 2>&1 || [[ -s $T/trace ]]; then
    same "no network call is made" 0 "$(grep -cE '(socket|connect|sendto|bind)\(' "$T/trace")"
fi
finish
