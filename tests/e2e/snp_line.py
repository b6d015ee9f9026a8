#!/usr/bin/env python3
"""Starts QEMU with the line of a confidential guest, every descriptor of it in place; prints what it says.
usage: snp_line.py QEMU ARGV-FILE FIRMWARE PIECE   (PIECE stands for kernel, initrd and volumes)"""
import os
import socket
import subprocess
import sys

qemu, argv_file, firmware, piece = sys.argv[1:]
with open(argv_file, encoding="ascii") as f:
    argv = f.read().splitlines()[1:]
argv = [a.replace("65536M", "256M") for a in argv]
pairs = [socket.socketpair() for _ in range(2)]
fds = [p[0].fileno() for p in pairs]
fds += [os.open(p, os.O_RDONLY) for p in [piece] * 4 + [firmware]]
high = [os.dup2(fd, 100 + i) for i, fd in enumerate(fds)]


def place():
    for i, fd in enumerate(high):
        os.dup2(fd, 3 + i)


try:
    done = subprocess.run([qemu] + argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          close_fds=False, preexec_fn=place, timeout=15, check=False)
    print(done.stdout.decode(errors="replace"), end="")
except subprocess.TimeoutExpired:
    print("QEMU went on")
