#!/usr/bin/python3
"""QEMU on a host with SEV-SNP, as far as that can be had without one. What it can do is asked of the real
program named in REAL beside this file, and only the question about the host is answered here; with `gpu` in
MODE it also has what QEMU 10.1 has. A guest is the real program's, or what MODE says happens to it."""
import json
import os
import socket
import subprocess
import sys
import time

here = os.path.dirname(os.path.abspath(__file__))


def word(name):
    try:
        with open(os.path.join(here, name), encoding="ascii") as f:
            return f.read().strip()
    except FileNotFoundError:
        return ""


real, mode = word("REAL"), word("MODE").split()
HOST = {"pdh": "", "cert-chain": "", "cpu0-id": "", "cbitpos": 51, "reduced-phys-bits": 1}


def answer(line, request):
    """The real answer, but for what this host has not."""
    said = json.loads(line)
    if "QMP" in said or "event" in said:
        return said
    if request.get("execute") == "query-sev-capabilities":
        return {"return": HOST, "id": said.get("id")}
    if "gpu" in mode and request.get("execute") == "qom-list-properties":
        return {"return": [{"name": "kernel-hashes", "type": "bool"}], "id": said.get("id")}
    return said


def be_asked():
    ours, theirs = socket.socketpair()
    argv = [real] + [a.replace("fd=3", "fd=%d" % theirs.fileno()) for a in sys.argv[1:]]
    with subprocess.Popen(argv, pass_fds=[theirs.fileno()]) as child:
        theirs.close()
        asker = socket.socket(fileno=3)
        asked, asking = asker.makefile("r"), ours.makefile("r") # apart: a write empties what was read ahead
        asker.sendall(asking.readline().encode())
        for line in asked:
            ours.sendall(line.encode())
            asker.sendall((json.dumps(answer(asking.readline(), json.loads(line))) + "\n").encode())
        child.kill()


def be_a_guest():
    with open(os.path.join(here, "argv"), "w", encoding="ascii") as f:
        f.write("\n".join(sys.argv[1:]) + "\n")
    for said in ("bind", "silent"):
        if said in mode:
            if said == "bind":
                sys.exit("qemu-system-x86_64: vfio VFIO_FD10: error bind device fd=10 to iommufd=9: Device or resource busy")
            time.sleep(600)
    os.execv(real, [real] + sys.argv[1:])


if sys.argv[1:] == ["--version"]:
    os.execv(real, [real, "--version"])
elif "-machine" in sys.argv and sys.argv[sys.argv.index("-machine") + 1] == "none":
    be_asked()
else:
    be_a_guest()
