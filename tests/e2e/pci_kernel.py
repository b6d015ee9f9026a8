#!/usr/bin/env python3
"""Answers below a folder that stands for /sys as Linux does where PCI functions change drivers: a write to a
driver's `unbind`, to `drivers_probe`, to `driver_override`. usage: pci_kernel.py SYS [UNWILLING-BDF]
An unwilling function is not taken by vfio-pci. Ends when the folder is gone."""
import os
import sys
import time

sys_root, unwilling = sys.argv[1], sys.argv[2:]
devices = os.path.join(sys_root, "bus/pci/devices")
drivers = os.path.join(sys_root, "bus/pci/drivers")


def read(path):
    try:
        with open(path, encoding="ascii") as f:
            return f.read().strip()
    except OSError:
        return ""


def take(path):
    """What was written there, once."""
    said = read(path)
    if said:
        with open(path, "w", encoding="ascii"):
            pass
    return said


def driver_of(bdf):
    link = os.path.join(devices, bdf, "driver")
    return os.path.basename(os.readlink(link)) if os.path.islink(link) else None


def release(bdf):
    os.unlink(os.path.join(devices, bdf, "driver"))
    nodes = os.path.join(devices, bdf, "vfio-dev")
    if os.path.isdir(nodes):
        for n in os.listdir(nodes):
            for f in os.listdir(os.path.join(nodes, n)):
                os.unlink(os.path.join(nodes, n, f))
            os.rmdir(os.path.join(nodes, n))
        os.rmdir(nodes)


def attach(bdf, driver):
    os.symlink("../../drivers/" + driver, os.path.join(devices, bdf, "driver"))
    if driver == "vfio-pci":
        node = os.path.join(devices, bdf, "vfio-dev", "vfio%d" % sorted(os.listdir(devices)).index(bdf))
        os.makedirs(node)
        with open(os.path.join(node, "dev"), "w", encoding="ascii") as f:
            f.write("511:0\n")


natural = {b: driver_of(b) for b in os.listdir(devices)}


def turn():
    for d in os.listdir(drivers):
        b = take(os.path.join(drivers, d, "unbind"))
        if b and driver_of(b) == d:
            release(b)
    b = take(os.path.join(sys_root, "bus/pci/drivers_probe"))
    if b and not driver_of(b):
        want = read(os.path.join(devices, b, "driver_override")) or natural[b]
        if want and os.path.isdir(os.path.join(drivers, want)) and not (want == "vfio-pci" and b in unwilling):
            attach(b, want)


while os.path.isdir(devices):
    try:
        turn()
    except FileNotFoundError:
        break
    time.sleep(0.005)
