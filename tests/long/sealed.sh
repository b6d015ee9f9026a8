#!/bin/bash
# Sealed models in real guests where no key is given, or not the right one: a dumping workload, another release,
# a wrong key, a changed disk. Each guest ends by itself with its reason; the weights are nowhere. TAP output.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=/dev/null
. tests/e2e/lib.sh
# shellcheck source=tests/e2e/sealed.bash
. tests/e2e/sealed.bash
make -s image "$B/cdvm-testroots" "$B/e2e/asker" "$B/e2e/probe" >"$T/out" 2>&1 || { fail "build" "$T/out" && finish; }

make_owner
make_provider
open_shop
start_broker "$BROKER" "$T/broker.list" "$T/broker.log" --test-root "$T/endorser.ark"

# refused NAME OFFER WANT-OF-THE-LOG WANT-OF-THE-CUSTOMER
refused() {
    local before
    before=$(wc -l <"$LOG")
    job "$2"
    check "$1: the broker says $3" decided "$before" "$3"
    check "$1: the customer hears $4" grep -q "($4)" "$T/said"
    same "$1: no answer" "" "$(cat "$T/answer")"
}
refused "a workload that dumps" dump workload-not-listed model-key

# The disk: the first block of the hash tree under the wrong bytes is found before dm-verity; data is not.
blocks=${MODEL#*:}
flip() { # BLOCK
    local byte=$(($1 * 4096 + 100)) old
    rm "$IMAGE/weights.vol"
    cp "$T/sealed/weights.vol" "$IMAGE/weights.vol"
    old=$(od -An -tu1 -j "$byte" -N 1 "$IMAGE/weights.vol" | tr -d ' ')
    # shellcheck disable=SC2059 # the format is the byte
    printf "\\x$(printf %02x $((old ^ 1)))" | dd of="$IMAGE/weights.vol" bs=1 seek="$byte" conv=notrunc status=none
}
again() { # the provider reads its folder at start
    end_process "$PROVIDER"
    open_shop
    start_broker "$BROKER" "$T/broker.list" "$T/$1.log" --test-root "$T/endorser.ark"
}
sed -i 's/ max=2$/ max=100/' "$T/broker.list"
flip $((blocks / 2))
again data
refused "a flipped bit in the data" sealed key-released guest-died
flip "$blocks"
again tree
refused "a flipped bit in the hash tree" sealed key-released model-key
rm "$IMAGE/weights.vol"
ln "$T/sealed/weights.vol" "$IMAGE/weights.vol"

cp "$T/keys/weights.key" "$T/keys/right.key"
awk '{n = split($2, c, ""); s = ""; for (i = n; i; i--) s = s c[i]; print $1, s}' "$T/keys/right.key" >"$T/keys/weights.key"
again key
refused "a wrong key" sealed key-released model-key
cp "$T/keys/right.key" "$T/keys/weights.key"

rm "$IMAGE/cmdline.template"
sed 's/^console=null/console=null quiet/' "$T/owner/cmdline.template" >"$IMAGE/cmdline.template"
"$CDVM" image manifest "$IMAGE" --no-smt --version other >"$T/out" 2>&1 || fail "another release" "$T/out"
again release
refused "another release" sealed release-unknown model-key
same "the weights are nowhere" "" "$(grep -rlaF "$MARKER" "$IMAGE" "$T/provider" "$XDG_RUNTIME_DIR" "$XDG_DATA_HOME")"
finish
