#!/usr/bin/python3
"""How much QEMU's disks have been read so far, over QMP: "work=123/45678 ..." (operations/bytes).
usage: qmp_reads.py SOCKET"""
import json
import socket
import sys

door = socket.socket(socket.AF_UNIX)
door.connect(sys.argv[1])
lines = door.makefile("rw")


def ask(what):
    lines.write(json.dumps({"execute": what}) + "\n")
    lines.flush()
    while True:
        said = json.loads(lines.readline())
        if "error" in said:
            sys.exit(said["error"]["desc"])
        if "return" in said:
            return said["return"]


lines.readline()
ask("qmp_capabilities")
disks = {d["device"]: d["stats"] for d in ask("query-blockstats") if d.get("device")}
if not disks:
    sys.exit("no disk")
print(*sorted(f"{n}={s['rd_operations']}/{s['rd_bytes']}" for n, s in disks.items()))
