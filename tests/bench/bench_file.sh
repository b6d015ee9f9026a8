#!/bin/bash
# 16 MiB to a guest and back: a CSV sent through the blob store, read by the workload, answered whole, saved
# and measured: seconds from `ready` to the result file.
# shellcheck source=/dev/null
. "$(dirname "$0")/../e2e/lib.sh"
rounds=${ROUNDS:-3}
pin_image && start_provider "$T/provider.log" --run-relay --relay-port 0 || exit 1
url=$(relay_of "$T/provider.log")
awk 'BEGIN { print "n,text"; for (n = 0; n < 262144; n++) printf "%08d,%054d\n", n, n * 7919 }' |
    head -c 16777216 | sed '$d' >"$T/big.csv"

python3 - "$rounds" "$T" "$CDVM" "$url" <<'P'
import json, statistics, subprocess, sys, time, os
rounds, tmp, cdvm, url = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
taken = []
for i in range(rounds):
    out = f"{tmp}/out{i}"
    os.mkdir(out)
    ask = subprocess.Popen([cdvm, "ask", "--relay", url, "--blossom", url.replace("ws", "http"), "--policy",
        "demo", "--accept-simulated", "--json", "--attach", f"{tmp}/big.csv", "--out", out,
        "SELECT n, text FROM big"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    at = {}
    for line in ask.stdout:
        o = json.loads(line)
        at.setdefault(o["event"], time.monotonic())
    if ask.wait():
        sys.exit(f"the job ended with {ask.returncode}")
    got = open(f"{out}/{os.listdir(out)[0]}").read().replace("\r", "")
    want = open(f"{tmp}/big.csv").read()
    if len(got) < len(want) * 0.9:
        sys.exit(f"the result has {len(got)} bytes of {len(want)}")
    taken.append(at["file"] - at["ready"])
taken.sort()
print(json.dumps({"name": "16 MiB file to the guest and back", "unit": "s",
    "median": round(statistics.median(taken), 2), "p95": round(taken[-1], 2), "n": rounds, "against": None}))
P
finish >/dev/null
