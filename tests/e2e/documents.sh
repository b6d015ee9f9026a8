#!/bin/bash
# The chat workload's documents: every format, broken and hostile ones, without a model; then a PDF and a Word
# document in a real guest, where the tools that open them run inside the sandbox.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
CHAT=$PWD/$B/workload-chat
[[ -x $CHAT ]] || skip_all "no $CHAT: run make"
for tool in pdftotext unzip; do
    command -v $tool >/dev/null || skip_all "no $tool: qemu-scripts/install-deps.sh test"
done
mkdir "$T/documents"
python3 tests/e2e/documents.py "$CHAT" "$T/documents" >"$T/alone"
rc=$?
while IFS= read -r line; do
    case $line in
    'ok '*) pass "${line#* - }" ;;
    'not ok '*) fail "${line#* - }" ;;
    '#'*) echo "$line" ;;
    esac
done <"$T/alone"
same "documents: all of them were tried" 0 $rc

# --- in a guest ---
[[ -f $IMAGE/chat.vol ]] || { pass "guest # SKIP no $IMAGE/chat.vol" && finish; }
mkdir "$T/image"
ln "$IMAGE"/* "$T/image/" 2>/dev/null || cp "$IMAGE"/* "$T/image/"
rm -f "$T/image"/*.{offer,manifest}
printf 'workload = chat\nmodel = none\nkind = chat\nmemory = 512\n' >"$T/image/papers.offer"
IMAGE=$T/image
pin_image "$IMAGE" || fail "image manifests"
start_relay "$T/relay.log" --port 0 || fail "relay" "$T/relay.log"
URL=$(relay_of "$T/relay.log")
start_provider "$T/provider.log" --relay "$URL" || fail "provider" "$T/provider.log"
"$CDVM" ask --relay "$URL" --policy demo --accept-simulated --offer papers --timeout 180 --json \
    --attach "$T/documents/policy.pdf" --attach "$T/documents/offer.docx" \
    --attach "$T/documents/page.html" "How many oak tables are delivered?" >"$T/out" 2>"$T/err"
same "guest: answered" 0 $?
check "guest: the Word document has the answer" grep -qE '"doc":"offer.docx".*12 oak tables' "$T/out"
end_process "$PROVIDER"
finish
