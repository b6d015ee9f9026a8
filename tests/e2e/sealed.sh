#!/bin/bash
# A sealed model: the owner's broker gives its key to the listed guest, which reads the right model; the
# provider's folder and QEMU's disk hold no plaintext; nobody else gets a key, each for its own reason in the
# broker's log. The simulator's root stands for AMD's in the test program alone.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"

ASKER=$PWD/$B/e2e/asker
BROKER=$PWD/$B/cdvm-testroots
MARKER=weights-of-Rumpelstilzchen-4711
[[ -f $IMAGE/initrd && -x $ASKER && -x $BROKER ]] || skip_all "no image: run make test-programs"

# --- the owner: image with workload and model, sealed ---
mkdir -p "$T/owner" "$T/sealed" "$T/model" "$T/tree/bin" "$T/tree/cdvm" "$T/keys"
for f in kernel initrd ovmf.fd cmdline.template packages.lock; do ln "$IMAGE/$f" "$T/owner/$f" 2>/dev/null || cp "$IMAGE/$f" "$T/owner/$f"; done
cp "$B/e2e/probe" "$T/tree/bin/probe"
for lib in $(ldd "$B/e2e/probe" | grep -oE '/[^ ]+'); do install -D "$(realpath "$lib")" "$T/tree$lib"; done
sed 's|/bin/table|/bin/probe|' guest/workloads/table.json | tee "$T/tree/cdvm/job.json" >"$T/owner/probe.json"
WORK=$(qemu-scripts/make-volume.sh "$T/tree" "$T/owner/probe.vol")
touch "$T/tree/dump"
cp "$T/owner/probe.json" "$T/owner/dumper.json"
DUMPER=$(qemu-scripts/make-volume.sh "$T/tree" "$T/owner/dumper.vol")
{ echo "$MARKER" && head -c 3000000 /dev/urandom; } >"$T/model/weights"
MODEL=$(qemu-scripts/make-volume.sh "$T/model" "$T/owner/weights.vol")
echo '{"name":"weights","licence":"secret"}' >"$T/owner/weights.model"
"$CDVM" image manifest "$T/owner" --no-smt --version test >"$T/out" 2>&1 || fail "the owner describes the image" "$T/out"
K=$("$BROKER" broker --state "$T/broker" --print-key)
"$CDVM" image seal "$T/owner" weights --workload probe --broker "$K" --key "$T/keys/weights.key" --out "$T/sealed" --max 3 \
    >"$T/broker.list" 2>"$T/out" || fail "the model is sealed" "$T/out"
same "the key is the owner's alone" 600 "$(stat -c %a "$T/keys/weights.key")"
check "a key is never made twice" bash -c "! '$CDVM' image seal '$T/owner' weights --workload probe --broker '$K' \
    --key '$T/keys/weights.key' --out '$T/again' 2>/dev/null"
check "the row names release, workload and model" grep -qE "^release=$(sha256sum "$T/owner/release.manifest" | cut -d' ' -f1) work=$WORK model=$MODEL " "$T/broker.list"

# --- the provider: gets what is sealed, and never the model ---
IMAGE=$T/image
mkdir "$IMAGE"
for f in "$T"/owner/{kernel,initrd,ovmf.fd,cmdline.template,packages.lock,probe.vol,probe.json,dumper.vol,dumper.json}; do ln "$f" "$IMAGE/"; done
cp "$T"/sealed/* "$IMAGE/"
printf 'workload = probe\nmodel = weights\nkind = tool\nmemory = 512\n' >"$IMAGE/sealed.offer"
printf 'workload = dumper\nmodel = weights\nkind = tool\nmemory = 512\n' >"$IMAGE/dump.offer"
"$CDVM" image manifest "$IMAGE" --no-smt --version test >"$T/out" 2>&1 || fail "the provider describes what it got" "$T/out"
cmp -s "$T/owner/release.manifest" "$IMAGE/release.manifest" || fail "both describe the same release"
check "the search finds the marker where it is" grep -qaF "$MARKER" "$T/owner/weights.vol"
same "what the provider has holds no plaintext" "" "$(grep -rlaF "$MARKER" "$IMAGE" "$T/sealed")"
{
    echo "release $(sha256sum "$IMAGE/release.manifest" | cut -d' ' -f1)"
    for m in probe dumper; do echo "workload $(sha256sum "$IMAGE/$m.manifest" | cut -d' ' -f1)"; done
    echo "model $(sha256sum "$IMAGE/weights.manifest" | cut -d' ' -f1)"
} >"$XDG_CONFIG_HOME/cdvm/pins"
start_provider "$T/provider.log" --run-relay || fail "provider" "$T/provider.log"
RELAY=$(relay_of "$T/provider.log")
echo "relay = $RELAY" >"$XDG_CONFIG_HOME/cdvm/cdvm.conf"

# --- the broker, with an endorser who vouches for this machine ---
"$ASKER" -s "$T/provider/sim" -e "$T/endorser"
start_broker() { # PROGRAM LOG OPTION...
    local program=$1 log=$2
    shift 2
    "$program" broker --state "$T/broker" --list "$T/broker.list" --manifests "$T/owner" --relay "$RELAY" \
        --endorser "$(cat "$T/endorser.npub")" --endorsement "$T/endorser.events" "$@" >"$log" 2>&1 &
    KEEPER=$!
    PIDS+=("$KEEPER")
    wait_for 20 said "$log" 'relays 1/1 up'
}
start_broker "$BROKER" "$T/broker.log" --test-root "$T/endorser.ark" || fail "broker" "$T/broker.log"

# --- a guest that is listed: the workload reads the model ---
"$CDVM" ask --policy demo --accept-simulated --accept-warn --offer sealed --bundle "$T/receipt.json" --timeout 120 model >"$T/answer" 2>"$T/said" ||
    fail "a job with a sealed model" "$T/said" "$T/broker.log" "$T/provider.log"
same "the workload reads the right model" "$MARKER" "$(tail -n 1 "$T/answer")"
check "the broker said so" said "$T/broker.log" ' key-released '
check "the receipt says that a key was used" grep -qF 'model_key\":true' "$T/receipt.json"

# --- everybody else gets no key, and the log says why ---
# claim NAME WANT OPTION...   a guest of the simulator's, without a machine; WANT is what the log then says
claim() {
    local name=$1 want=$2 before asker
    shift 2
    before=$(wc -l <"$T/broker.log")
    "$ASKER" -s "$T/provider/sim" -r "$RELAY" -b "$K" -i "$T/owner/release.manifest" -w "$WORK" -m "$MODEL" -t 10 "$@" >"$T/asked" 2>&1 &
    asker=$!
    wait_for 10 decided "$before" "$want"
    check "$name: $want" decided "$before" "$want"
    if [[ $want != key-released ]]; then
        sleep 0.3
        kill "$asker" 2>/dev/null
        same "$name: no key" "" "$(cat "$T/asked")"
    fi
    wait "$asker" 2>/dev/null
}
decided() { tail -n +$(($1 + 1)) "$T/broker.log" | grep -qE " $2"; }
claim "a listed guest" key-released
claim "its other workload, which dumps" workload-not-listed -w "$DUMPER"
claim "it lies about its workload" release-unknown -x lie
claim "a policy that allows debugging" 'evidence .*snp.policy.debug FAIL' -x debug
claim "evidence for an older nonce" 'evidence .*snp.report_data FAIL' -x replay
claim "another guest's report" 'evidence .*bind.guest_key FAIL' -x stolen
claim "evidence that nobody asked for" nonce-unknown -x no-nonce
claim "another model" model-unknown -m "${MODEL//[0-3]/4}"
finish
