#!/bin/bash
# The chat: the program on its own against the engine of the image, then in a real guest. The models are toys
# that know children's stories; where they are not beside this clone those tests are skipped.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"

CHAT=$PWD/$B/workload-chat
MODELS=${VECTORS:-../shared/vectors}/../models
STORIES=$(realpath -m "$MODELS/stories260K-f32.gguf")
TINY=$(realpath -m "$MODELS/TinyStories-656K-f16.gguf")
TREE=$PWD/$B/root/cdvm/groups/chat
LIBS=$TREE/usr/lib/x86_64-linux-gnu
[[ -x $CHAT ]] || skip_all "no $CHAT: run make"

# --- on its own ---

# The engine through its own loader; it looks for its backends in the folder it is started in.
start_chat() { # MODELS  [PARAM JSON]; sets PID; lines go to descriptor 9, answers to $T/said
    rm -f "$T/fifo" "$T/said"
    mkfifo "$T/fifo"
    mkdir -p "$T/run-chat"
    (cd "$LIBS/ggml/backends0" 2>/dev/null || cd "$T" || exit
        exec "$CHAT" "$1" "$T/run-chat" "$LIBS/ld-linux-x86-64.so.2" --library-path "$LIBS:$LIBS/llama" \
            "$TREE/usr/bin/llama-server") <"$T/fifo" >"$T/said" 2>"$T/complaints" &
    PID=$!
    exec 9>"$T/fifo"
    echo '{"t":"start","params":'"${2:-{\}}"'}' >&9
    wait_for 60 said "$T/said" '"t":"(ready|error)"'
}
end_chat() {
    echo '{"t":"end"}' >&9
    exec 9>&-
    wait "$PID"
}
ended() { grep -qE '"t":"(done|error)","id":"'"$1"'"' "$T/said"; }
ask() { # ID TEXT
    printf '{"t":"ask","id":"%s","text":"%s"}\n' "$1" "$2" >&9
    wait_for 120 ended "$1"
}
attach() { # ID FILE
    printf '{"t":"file","id":"%s","name":"%s","path":"%s","sha256":"00"}\n' "$1" "${2##*/}" "$2" >&9
    wait_for 120 ended "$1"
}
text_of() { # ID
    python3 -c 'import json, sys
print("".join(o["text"] for o in map(json.loads, open(sys.argv[1])) if o["t"] == "delta" and o["id"] == sys.argv[2]), end="")' \
        "$T/said" "$1"
}
usage_of() { # ID KEY
    python3 -c 'import json, sys
for o in map(json.loads, open(sys.argv[1])):
    if o["t"] == "done" and o["id"] == sys.argv[2]: print(o.get("usage", {}).get(sys.argv[3]))' "$T/said" "$1" "$2"
}
code_of() { grep -oE "\"t\":\"error\",\"id\":\"$1\",\"code\":\"[a-z-]+\"" "$T/said" | grep -oE '[a-z-]+"$' | tr -d '"'; }
sources_of() { # ID -> names of documents, best first
    python3 -c 'import json, sys
for o in map(json.loads, open(sys.argv[1])):
    if o["t"] == "sources" and o["id"] == sys.argv[2]: print(*(s["doc"] for s in o["sources"]))' "$T/said" "$1"
}
model_folder() { # FILE CARD
    rm -rf "$T/models"
    mkdir "$T/models"
    [[ -z $1 ]] || ln -s "$1" "$T/models/llm.gguf"
    [[ -z ${2:-} ]] || echo "$2" >"$T/models/card.json"
}

# Without weights it answers with the passages.
printf 'The lease of the house in Lisbon ends on 31 May.\n' >"$T/lease.txt"
printf 'The cat of the neighbour is called Schroedinger.\n' >"$T/cat.md"
printf 'The invoice of the plumber was paid in April.\n' >"$T/plumber.txt"
model_folder ''
start_chat "$T/models"
check "no weights: said in ready" said "$T/said" '"no-model"'
for f in lease.txt cat.md plumber.txt; do attach "$f" "$T/$f"; done
ask q1 "When does the lease of the house end?"
check "no weights: the passage is the answer" grep -q "ends on 31 May" <(text_of q1)
check "no weights: that is said" grep -q "no language model" <(text_of q1)
same "no weights: the right document comes first" lease.txt "$(sources_of q1 | cut -d' ' -f1)"
line_of() { grep -n -m 1 "\"t\":\"$1\",\"id\":\"$2\"" "$T/said" | cut -d: -f1; }
check "sources come before the answer" test "$(line_of sources q1)" -lt "$(line_of delta q1)"
attach bad "$PWD/cdvm"
check "a file that is no document is refused by itself" test -n "$(code_of bad)"
ask q2 "Who is Schroedinger?"
same "and the others stay" cat.md "$(sources_of q2 | cut -d' ' -f1)"
end_chat
same "no weights: the program ends by itself" 0 $?
start_chat "$T/models" '{"temperature":"hot"}'
check "a parameter that is no number is refused" said "$T/said" '"code":"bad-request"'
end_chat

if [[ -x $TREE/usr/bin/llama-server && -f $STORIES ]]; then
    want=$(sed -n 's/^Sample, stories260K, greedy: "Once upon a time\(.\{40\}\).*/\1/p' "$MODELS/MANIFEST.md")
    model_folder "$STORIES" '{"name":"stories260K","parameters":260032,"quantization":"F32"}'
    start_chat "$T/models" '{"max_tokens":"60","profile":"full"}'
    check "ready names model and size" said "$T/said" '"name":"stories260K, 260 K parameters, F32"'
    ask q1 "Once upon a time"
    same "the text is the model's own" "$want" "$(text_of q1 | head -c 40)"
    same "the limit of tokens is told" length "$(usage_of q1 finish)"
    same "tokens are counted by the engine" 60 "$(usage_of q1 completion)"
    check "it is streamed" test "$(grep -c '"t":"delta","id":"q1"' "$T/said")" -gt 10
    before=$(usage_of q1 prompt)
    ask q2 "The next day"
    check "a second turn has the first in its prompt" test "$(usage_of q2 prompt)" -gt $((before + 60))
    printf '{"t":"ask","id":"q3","text":"Then"}\n{"t":"cancel","id":"q3"}\n' >&9
    check "a cancel ends an answer" wait_for 30 ended q3
    for i in $(seq 10 19); do ask "q$i" "And then they went home and had dinner with all of their friends"; done
    same "a long conversation stays within the context" stop-or-length \
        "$(for i in $(seq 10 19); do usage_of "q$i" finish; done | sort -u | paste -sd' ' | sed -E 's/^(length|stop|length stop)$/stop-or-length/')"
    check "every prompt fits" test "$(for i in $(seq 10 19); do usage_of "q$i" prompt; done | sort -n | tail -n 1)" -le 512
    ask long "$(for i in $(seq 600); do printf 'dinner %d ' "$i"; done)"
    same "a question over the context is refused" too-long "$(code_of long)"
    ask after "Once upon a time"
    check "and the next one is answered" test -n "$(text_of after)"
    pkill -KILL -P "$PID"
    ask dead "Once upon a time"
    ask revived "Once upon a time"
    check "an engine that dies is started again" test -n "$(text_of revived)"
    end_chat
    same "the program ends by itself" 0 $?
    same "no engine is left" '' "$(pgrep -f "^$LIBS/ld-linux.*$T")"
    same "nothing of it is written to standard error" 0 "$(stat -c %s "$T/complaints")"

    model_folder "$TINY" '{"name":"TinyStories-656K","stop":["<|end_story|>"]}'
    start_chat "$T/models" '{"max_tokens":"200"}'
    ask q1 "Once upon a time"
    check "a second model answers" test "$(text_of q1 | wc -c)" -gt 100
    check "its card's end of text is obeyed" test -z "$(text_of q1 | grep end_story)"
    same "it stops by itself" stop "$(usage_of q1 finish)"
    end_chat

    head -c 500000 "$STORIES" >"$T/short.gguf"
    model_folder "$T/short.gguf"
    start_chat "$T/models"
    check "a broken model is said with the engine's reason" said "$T/said" 'not within the file bounds'
    end_chat
else
    pass "stories # SKIP no engine in $TREE, or no $STORIES"
fi

# --- in a guest ---
[[ -f $IMAGE/chat.vol && -f $STORIES ]] || { pass "guest # SKIP no $IMAGE/chat.vol, or no $STORIES" && finish; }
mkdir "$T/image"
ln "$IMAGE"/* "$T/image/" 2>/dev/null || cp "$IMAGE"/* "$T/image/"
rm -f "$T/image"/*.{offer,manifest}
"$CDVM" image model stories "$STORIES" --image "$T/image" --name stories260K --parameters 260032 --quantization F32 \
    --licence MIT >"$T/pack" 2>&1 || fail "cdvm image model" "$T/pack"
printf 'workload = chat\nmodel = stories\nkind = chat\nmemory = 512\n' >"$T/image/stories.offer"
IMAGE=$T/image
pin_image "$IMAGE" || fail "image manifests"
start_relay "$T/relay.log" --port 0 || fail "relay" "$T/relay.log"
URL=$(relay_of "$T/relay.log")
start_provider "$T/provider.log" --relay "$URL" || fail "provider" "$T/provider.log"
"$CDVM" ask --relay "$URL" --policy demo --accept-simulated --offer stories --timeout 180 --param max_tokens=40 \
    --param profile=full "Once upon a time" >"$T/out" 2>"$T/err"
same "guest: answered" 0 $?
same "guest: the text is the model's own" "$want" "$(head -c 40 "$T/out")"
check "guest: the model and its size are named" said "$T/err" 'stories260K, 260 K parameters, F32'
check "guest: an emulated processor is named" said "$T/err" 'emulated'
end_process "$PROVIDER"
finish
