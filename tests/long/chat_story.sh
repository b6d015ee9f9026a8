#!/bin/bash
# The story of the three private documents, with the demo's language model in a real guest: the right source is
# named, the answer is streamed, the model is named with its size and its root stands in the tree.
# shellcheck source=/dev/null
. "$(dirname "$0")/../e2e/lib.sh"
export DEMO_DIR=$T/demo

MODEL=$(sed -n 's/^model = //p' "$IMAGE/chat.offer" 2>/dev/null)
[[ -n $MODEL && $MODEL != none ]] || skip_all "the image has no language model (make image fetches one)"

qemu-scripts/demo.sh headless chat >"$T/out" 2>"$T/err"
same "the story exits 0" 0 $?
check "an answer came" test "$(sed -n '/^$/,/^From these passages:/p' "$T/out" | grep -v '^From' | wc -w)" -ge 3
check "the first source is the right document" grep -qE '^\[1\] medical-note.txt, at byte [0-9]+: ".*penicillin' "$T/out"
check "the model is named with its size" said "$T/err" 'model: .* M parameters, Q'
check "and that it is small" said "$T/err" 'This model is very small'
root=$(sed -n 's/.*"root":"\([0-9a-f]*\)".*/\1/p' "$IMAGE/$MODEL.manifest")
check "the tree has the sha256 root of the model's volume" said "$T/err" "\[PASS\] model volume, by its sha256 root: $root"
check "progress tells rate and rest" said "$T/err" '[0-9]+ of [0-9]+ tokens, [0-9.]+/s, left '
finish
