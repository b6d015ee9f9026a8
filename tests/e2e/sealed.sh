#!/bin/bash
# A sealed model: the owner's broker gives its key to the listed guest, which reads the right model; what the
# provider has holds no plaintext; nobody else gets a key, each for its own reason in the broker's log.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/sealed.bash
. tests/e2e/sealed.bash
[[ -f $IMAGE/initrd && -x $ASKER && -x $BROKER ]] || skip_all "no image: run make test-programs"

make_owner
same "the key is the owner's alone" 600 "$(stat -c %a "$T/keys/weights.key")"
check "a key is never made twice" bash -c "! '$CDVM' image seal '$T/owner' weights --workload probe --broker '$K' \
    --key '$T/keys/weights.key' --out '$T/again' 2>/dev/null"
check "the row names release, workload and model" grep -qE \
    "^release=$(sha256sum "$T/owner/release.manifest" | cut -d' ' -f1) work=$WORK model=$MODEL " "$T/broker.list"
make_provider
check "owner and provider describe the same release" cmp -s "$T/owner/release.manifest" "$IMAGE/release.manifest"
check "the search finds the marker where it is" grep -qaF "$MARKER" "$T/owner/weights.vol"
same "what the provider has holds no plaintext" "" "$(grep -rlaF "$MARKER" "$IMAGE" "$T/sealed")"
open_shop
start_broker "$BROKER" "$T/broker.list" "$T/broker.log" --test-root "$T/endorser.ark"

# --- a listed guest, in a real machine ---
job sealed || fail "a job with a sealed model" "$T/said" "$LOG" "$T/provider.log"
same "the workload reads the right model" "$MARKER" "$(tail -n 1 "$T/answer")"
check "the broker said so" decided 0 key-released
"$CDVM" verify "$T/receipt.json" --policy demo >"$T/out" 2>&1
check "the receipt says that a key was used" grep -q "PASS.*(receipt.model_key, the guest's word)" "$T/out"
same "nothing of the provider's holds plaintext afterwards" "" "$(grep -rlaF "$MARKER" "$IMAGE" "$T/provider" "$XDG_RUNTIME_DIR" "$XDG_DATA_HOME")"

# --- everybody else ---
claim "the same guest without a machine" key-released
claim "a workload that dumps" workload-not-listed -w "$DUMPER"
claim "a lie about the workload" release-unknown -x lie
sed 's/"initrd":{"sha256":"....../"initrd":{"sha256":"000000/' "$T/owner/release.manifest" >"$T/other.manifest"
claim "another release" release-unknown -i "$T/other.manifest"
claim "a policy that allows debugging" 'evidence .*snp.policy.debug FAIL' -x debug
claim "evidence for an older nonce" 'evidence .*snp.report_data FAIL' -x replay
claim "another guest's report" 'evidence .*bind.guest_key FAIL' -x stolen
claim "evidence that nobody asked for" nonce-unknown -x no-nonce
claim "another model" model-unknown -m "${MODEL//[0-3]/4}"
claim "no certificates" no-collateral -x no-certs
claim "a second evidence for one nonce" nonce-used -x spent
claim "one key more than the row has" count-exhausted

sed 's/$/ gpus=1/' "$T/broker.list" >"$T/gpu.list"
start_broker "$BROKER" "$T/gpu.list" "$T/gpu.log" --test-root "$T/endorser.ark"
claim "a missing GPU" gpu-missing
start_broker "$CDVM" "$T/broker.list" "$T/release.log"
claim "a simulator, at the released program" 'evidence .*snp.chain.root FAIL'
check "... which has no such option" bash -c "! '$CDVM' broker --test-root x --print-key 2>/dev/null"
finish
