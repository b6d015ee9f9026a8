#!/usr/bin/python3
"""Writes the card of a model: card.json with what its GGUF file says of itself (llama.cpp's format, GGUF
version 2 and 3). Reads the head of the file alone.

usage: gguf-card.py FILE.gguf [KEY=VALUE]... >card.json
  KEY=VALUE  put into the card, over what the file says; a value of digits becomes a number
"""

import json
import os
import re
import struct
import sys

SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
STRING, ARRAY = 8, 9
STRING_MAX, COUNT_MAX = 1 << 26, 1 << 24
# general.file_type of llama.cpp (enum llama_ftype)
TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K",
    19: "IQ2_XXS", 20: "IQ2_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 30: "IQ4_XS", 32: "BF16",
}


def die(text):
    sys.exit(f"gguf-card: {text}")


def fixed(f, form):
    raw = f.read(struct.calcsize(form))
    if len(raw) < struct.calcsize(form):
        die(f"{f.name} is cut off")
    return struct.unpack(form, raw)[0]


def string(f):
    n = fixed(f, "<Q")
    if n > STRING_MAX:
        die(f"{f.name} has a text of {n} bytes in its head")
    return f.read(n).decode("utf-8", "replace")


def value(f, kind):
    if kind == STRING:
        return string(f)
    if kind == ARRAY:
        of, n = fixed(f, "<I"), fixed(f, "<Q")
        if n > COUNT_MAX or of == ARRAY:
            die(f"{f.name} has a list in its head that cannot be read")
        for _ in range(n):
            value(f, of)
        return None
    if kind not in SCALARS:
        die(f"{f.name} has a value of an unknown type, {kind}, in its head")
    return fixed(f, SCALARS[kind])


def head(f):
    """(what the file says of itself, number of its parameters)"""
    if f.read(4) != b"GGUF" or fixed(f, "<I") not in (2, 3):
        die(f"{f.name} is no GGUF file of version 2 or 3")
    tensors, pairs = fixed(f, "<Q"), fixed(f, "<Q")
    if tensors > COUNT_MAX or pairs > COUNT_MAX:
        die(f"{f.name} has an impossible number of tensors")
    said = {}
    for _ in range(pairs):
        key = string(f)
        said[key] = value(f, fixed(f, "<I"))
    parameters = 0
    for _ in range(tensors):
        string(f)
        size = 1
        for _ in range(min(fixed(f, "<I"), 8)):
            size *= fixed(f, "<Q")
        fixed(f, "<I"), fixed(f, "<Q")
        parameters += size
    return said, parameters


def card(path):
    with open(path, "rb") as f:
        said, parameters = head(f)
    out = {"name": said.get("general.name") or re.sub(r"\.gguf$", "", os.path.basename(path)), "parameters": parameters}
    if said.get("general.file_type") in TYPES:
        out["quantization"] = TYPES[said["general.file_type"]]
    if said.get("general.license"):
        out["licence"] = said["general.license"]
    return out


def main():
    if len(sys.argv) < 2:
        die("usage: gguf-card.py FILE.gguf [KEY=VALUE]...")
    out = card(sys.argv[1])
    for pair in sys.argv[2:]:
        key, _, text = pair.partition("=")
        out[key] = int(text) if text.isdigit() else text
    json.dump(out, sys.stdout, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    print()


main()
