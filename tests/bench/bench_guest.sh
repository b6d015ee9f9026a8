#!/bin/bash
# What the guest takes: its initrd, and the agent's own memory during a job. Prints one JSON object a line.
# Needs `make image build/e2e/peer` and QEMU.
# shellcheck source=/dev/null
. "$(dirname "$0")/../e2e/lib.sh"
[[ -f $IMAGE/initrd && -x $B/e2e/peer ]] || { echo "bench_guest: run make image build/e2e/peer" >&2; exit 0; }
command -v qemu-system-x86_64 >/dev/null || { echo "bench_guest: no qemu-system-x86_64" >&2; exit 0; }
# shellcheck source=/dev/null
. tests/e2e/guest.bash

one() { printf '{"name":"%s","unit":"%s","median":%s,"p95":%s,"n":1}\n' "$1" "$2" "$3" "$3"; }
one guest_initrd bytes "$(stat -c %s "$IMAGE/initrd")"
if ! weigh || [[ -z $KIB ]]; then
    echo "bench_guest: the agent could not be weighed" >&2
    exit 1
fi
one guest_agent_memory KiB "$KIB"
