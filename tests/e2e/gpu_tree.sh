#!/bin/bash
# A saved job whose simulated guest showed a GPU captured elsewhere: its lines in `cdvm verify` and in the program's
# tree, with the bytes behind them. What the vendor signed stands on the day the capture's answers are from; that it
# was made for this job does not.
# shellcheck source=tests/e2e/terminal.bash
. "$(dirname "$0")/terminal.bash"
# shellcheck source=tests/tui/play.bash
. "$(dirname "$0")/../tui/play.bash"
V=$(realpath "${VECTORS:-../shared/vectors}" 2>/dev/null)/gpu
[[ -f $V/MANIFEST.md && -x $B/e2e/gpu_bundle ]] || skip_all "no captured GPUs, or no build/e2e/gpu_bundle (make test-programs)"

check "a bundle of a real capture and a simulated report" "$B/e2e/gpu_bundle" "$V" "$T"
cp "$T/pins" "$T/sim-roots" "$XDG_CONFIG_HOME/cdvm/"

# tree AT   ids of gpu.* with their states, sorted
tree() {
    "$CDVM" verify "$T/receipt.json" --policy demo --at "$1" --json >"$T/out.json"
    python3 - "$T/out.json" <<'PY'
import json, sys
def walk(c):
    for k in c["checks"]:
        if k["id"].startswith("gpu.") or k["id"] == "bind.gpu":
            print(k["id"], k["state"], k["source"])
        walk(k)
walk(json.load(open(sys.argv[1])))
PY
}
THEN=2025-08-21T12:00:00Z
tree $THEN >"$T/then"
cat >"$T/want" <<'WANT'
bind.gpu PASS hardware
gpu.count PASS computed
gpu.structure PASS computed
gpu.chain PASS computed
gpu.revocation NOT CHECKED computed
gpu.signature PASS computed
gpu.nonce FAIL hardware
gpu.fwid PASS hardware
gpu.floor PASS hardware
gpu.rim.driver PASS computed
gpu.rim.vbios PASS computed
gpu.measurements PASS hardware
gpu.mode PASS hardware
gpu.topology PASS hardware
gpu.cc_state PASS guest
gpu.in-this-guest PASS guest
WANT
check "the lines of that day" diff -u "$T/want" "$T/then"
tree 2026-07-01T00:00:00Z >"$T/later"
sed -i -E 's/^(gpu.rim.*) PASS/\1 FAIL/; s/^(gpu.measurements) PASS/\1 NOT CHECKED/' "$T/want"
check "the reference values ended on 2026-06-01" diff -u "$T/want" "$T/later"

"$CDVM" verify "$T/receipt.json" --policy demo --at $THEN --evidence >"$T/out"
check "it names the GPU" grep -q 'GH100 431d480fe5e87274  (gpu.chain)' "$T/out"
check "... and whose word its mode is" grep -q "(gpu.cc_state, the guest's word)" "$T/out"
check "... as of when nobody was revoked" grep -q 'as of 2025-08-21 06:47' "$T/out"
nonce=931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb
check "the bytes: the nonce of the report" grep -qF "$(sed "s|..|& |g; s| $||" <<<"${nonce:0:32}")" "$T/out"
for name in 'GPU.SIGNATURE, 96 bytes' 'GPU.CERT0, ' 'GPU.STATE, 4 bytes' 'RIM.DRIVER, 32 bytes' 'OCSP7, ' 'Ng, 32 bytes'; do
    check "... $name" grep -qF "$name" "$T/out"
done
check "... H is computed over the evidence of the GPU" grep -q 'computed here: equal to REPORT_DATA.H' "$T/out"

# shellcheck disable=SC2317 # called by the player
on_screen() { compare_screen "$1"; }
mkdir -p "$XDG_DATA_HOME/cdvm/receipts"
cp "$T/receipt.json" "$XDG_DATA_HOME/cdvm/receipts/7f21aa01bb02cc03.json"
play tests/tui/gpu.keys
finish
