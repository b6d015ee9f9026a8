#!/bin/bash
# The release that takes the host's ACPI tables, so that a guest can have two vCPUs: the customer is warned,
# decides, and is served. With acpi=off nobody is sold a second vCPU.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"

[[ -f $IMAGE/initrd ]] || skip_all "no image: run make image"
CLOSED=$IMAGE
pin_image || { fail "manifests" && finish; }
"$CDVM" provider --backend sim --image "$CLOSED" --state "$T/provider" --name tester --run-relay --vcpus 2 >"$T/refused" 2>&1
check "two vCPUs with acpi=off: the provider does not start" test $? -ne 0
check "... and says what to do" said "$T/refused" 'has 2 vCPUs and this release has acpi=off.*ACPI=open make image'

ACPI=open qemu-scripts/build-image.sh >"$T/build" 2>&1 || { fail "ACPI=open make image" "$T/build" && finish; }
IMAGE=$PWD/$B/image-open
for f in kernel initrd ovmf.fd; do check "the same $f" cmp -s "$CLOSED/$f" "$IMAGE/$f"; done
same "the command line has only lost one word" "$(cat "$CLOSED/cmdline.template")" \
    "$(sed 's/ cdvm.work=/ acpi=off&/' "$IMAGE/cmdline.template")"
pin_image "$IMAGE" || { fail "manifests" && finish; }
check "its manifest says open" grep -q '^{"acpi":"open"' "$IMAGE/release.manifest"

start_provider "$T/provider.log" --run-relay --vcpus 2 || { fail "the provider starts" "$T/provider.log" && finish; }
URL=$(relay_of "$T/provider.log")
ask() { # OPTION...
    "$CDVM" ask --relay "$URL" --policy demo --accept-simulated --offer table --timeout 120 \
        --attach examples/sales.csv --out "$T/results" "$@" 'SELECT count(*) AS n FROM sales' >"$T/out" 2>"$T/err"
}
mkdir "$T/results"
ask --yes-warn guest.acpi
same "accepted by its name, it is served" 0 $?
check "the tree warns of it" said "$T/err" '\[WARN\].*\(guest\.acpi\)'
check "... and says why" said "$T/err" 'BadAML'
check "the launch digest is that of two vCPUs" said "$T/err" '\[PASS\].*\(snp\.measurement\)'
check "the answer is right" grep -qE "^ *$(($(wc -l <examples/sales.csv) - 1))\$" "$T/out"
ask
same "without a word of the customer's nothing is sent (exit 2)" 2 $?
end_process "$PROVIDER"
finish
