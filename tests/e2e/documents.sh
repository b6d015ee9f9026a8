#!/bin/bash
# The chat workload's documents: every format, broken and hostile ones, without a model and without a guest.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
CHAT=$PWD/$B/workload-chat
[[ -x $CHAT ]] || skip_all "no $CHAT: run make"
for tool in pdftotext unzip; do
    command -v $tool >/dev/null || skip_all "no $tool: qemu-scripts/install-deps.sh test"
done
mkdir "$T/documents" && python3 tests/e2e/documents.py "$CHAT" "$T/documents"
rc=$?
FAILED=$rc
exit $rc
