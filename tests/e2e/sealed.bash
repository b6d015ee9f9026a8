# shellcheck shell=bash disable=SC2034 # what is set here is for those who source it
# A sealed model, its owner and a provider, for tests: source it after lib.sh. The simulator's root stands for
# AMD's in the test program alone.
ASKER=$PWD/$B/e2e/asker
BROKER=$PWD/$B/cdvm-testroots
MARKER=weights-of-Rumpelstilzchen-4711
PIECES=(kernel initrd ovmf.fd cmdline.template packages.lock)

# The owner's folder: image, the workload that answers, one that dumps, the model in the clear; and the model
# sealed for a provider. Sets K, WORK, DUMPER, MODEL.
make_owner() {
    local f lib
    mkdir -p "$T/owner" "$T/model" "$T/tree/bin" "$T/tree/cdvm" "$T/keys"
    for f in "${PIECES[@]}"; do ln "$IMAGE/$f" "$T/owner/$f" 2>/dev/null || cp "$IMAGE/$f" "$T/owner/$f"; done
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
    "$CDVM" image seal "$T/owner" weights --workload probe --broker "$K" --key "$T/keys/weights.key" --out "$T/sealed" --max 2 \
        >"$T/broker.list" 2>"$T/out" || fail "the model is sealed" "$T/out"
}

# The provider's folder: what the owner gave, and offers. Sets IMAGE; the customer pins what is in it.
make_provider() {
    local f m
    IMAGE=$T/image
    mkdir "$IMAGE"
    for f in "${PIECES[@]}" probe.vol probe.json dumper.vol dumper.json; do ln "$T/owner/$f" "$IMAGE/"; done
    cp "$T"/sealed/* "$IMAGE/"
    printf 'workload = probe\nmodel = weights\nkind = tool\nmemory = 512\n' >"$IMAGE/sealed.offer"
    printf 'workload = dumper\nmodel = weights\nkind = tool\nmemory = 512\n' >"$IMAGE/dump.offer"
    "$CDVM" image manifest "$IMAGE" --no-smt --version test >"$T/out" 2>&1 || fail "the provider describes what it got" "$T/out"
    {
        echo "release $(sha256sum "$IMAGE/release.manifest" | cut -d' ' -f1)"
        for m in probe dumper; do echo "workload $(sha256sum "$IMAGE/$m.manifest" | cut -d' ' -f1)"; done
        echo "model $(sha256sum "$IMAGE/weights.manifest" | cut -d' ' -f1)"
    } >"$XDG_CONFIG_HOME/cdvm/pins"
}

# A provider with its relay, and an endorser who vouches for its machine. Sets RELAY.
open_shop() {
    start_provider "$T/provider.log" --run-relay || fail "provider" "$T/provider.log"
    RELAY=$(relay_of "$T/provider.log")
    echo "relay = $RELAY" >"$XDG_CONFIG_HOME/cdvm/cdvm.conf"
    "$ASKER" -s "$T/provider/sim" -e "$T/endorser"
}

# start_broker PROGRAM LIST LOG OPTION...   sets KEEPER (pid) and LOG, which claim and decided read
start_broker() {
    local program=$1 list=$2
    LOG=$3
    shift 3
    [[ -z ${KEEPER:-} ]] || end_process "$KEEPER"
    "$program" broker --state "$T/broker" --list "$list" --manifests "$T/owner" --relay "$RELAY" \
        --endorser "$(cat "$T/endorser.npub")" --endorsement "$T/endorser.events" "$@" >"$LOG" 2>&1 &
    KEEPER=$!
    PIDS+=("$KEEPER")
    wait_for 30 said "$LOG" 'relays 1/1 up' || fail "broker" "$LOG"
}
decided() { tail -n +$(($1 + 1)) "$LOG" | grep -qE " $2"; }

# claim NAME WANT OPTION...   a guest of the simulator's, without a machine; WANT is what the log then says
claim() {
    local name=$1 want=$2 before asker
    shift 2
    before=$(wc -l <"$LOG")
    "$ASKER" -s "$T/provider/sim" -r "$RELAY" -b "$K" -i "$T/owner/release.manifest" -w "$WORK" -m "$MODEL" -t 15 "$@" >"$T/asked" 2>&1 &
    asker=$!
    wait_for 30 decided "$before" "$want"
    check "$name: $want" decided "$before" "$want"
    if [[ $want != key-released ]]; then
        sleep 0.3
        kill "$asker" 2>/dev/null
        same "$name: no key" "" "$(cat "$T/asked")"
    fi
    wait "$asker" 2>/dev/null
}

# job OFFER   the model's first line is the answer; what was said is in $T/said
job() {
    rm -f "$T/receipt.json"
    "$CDVM" ask --policy demo --accept-simulated --accept-warn --offer "$1" --bundle "$T/receipt.json" --timeout 240 model \
        >"$T/answer" 2>"$T/said"
}
