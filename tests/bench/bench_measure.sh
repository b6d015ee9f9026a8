#!/bin/bash
# `cdvm measure` as a process beside sha256sum over the same files: 4 MiB firmware, 14 MiB kernel, 64 MiB
# initrd, 4 vCPUs. One JSON line in milliseconds; `limit` is 1.5 times the other's median plus 25 ms.
# shellcheck source=/dev/null
. "$(dirname "$0")/../e2e/lib.sh"
rounds=${ROUNDS:-15}
page=$((4096 - 160))
{ head -c $((4194304 - 4096 + page)) /dev/zero && cat tests/fuzz/corpus/ovmf/two; } >"$T/firmware"
head -c 14680064 /dev/urandom >"$T/kernel"
head -c 67108864 /dev/urandom >"$T/initrd"
"$CDVM" measure --ovmf "$T/firmware" --kernel "$T/kernel" --initrd "$T/initrd" --vcpus 4 --vcpu-type EPYC-Genoa \
    >"$T/out" || exit 1
python3 - "$rounds" "$T" "$CDVM" <<'P'
import json, statistics, subprocess, sys, time
rounds, tmp, cdvm = int(sys.argv[1]), sys.argv[2], sys.argv[3]
files = [f"{tmp}/{n}" for n in ("firmware", "kernel", "initrd")]
ours = [cdvm, "measure", "--ovmf", files[0], "--kernel", files[1], "--initrd", files[2], "--append", "quiet",
        "--vcpus", "4", "--vcpu-type", "EPYC-Genoa"]
def ms(argv):
    start = time.monotonic()
    subprocess.run(argv, stdout=subprocess.DEVNULL, check=True)
    return 1000 * (time.monotonic() - start)
taken = [(ms(ours), ms(["sha256sum", *files])) for _ in range(rounds)]
def figures(i):
    v = sorted(t[i] for t in taken)
    return {"median": round(statistics.median(v), 1), "p95": round(v[int((len(v) - 1) * 0.95)], 1)}
theirs = figures(1)
print(json.dumps({"name": "measure-process", "unit": "ms", **figures(0), "n": rounds,
    "against": {"name": "sha256sum of the same files", **theirs}, "limit": round(1.5 * theirs["median"] + 25, 1)}))
P
