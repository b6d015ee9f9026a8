#!/bin/bash
# The container of the image, an OCR program that knows nothing of cdvm: a picture in, its text and a PDF out.
# shellcheck source=/dev/null
. "$(dirname "$0")/../e2e/lib.sh"
[[ -f $IMAGE/ocr.vol ]] || skip_all "no image with the container ocr: run make image"

pin_image || fail "manifests"
start_provider "$T/provider.log" --run-relay --relay-port 0 || fail "provider" "$T/provider.log"
mkdir "$T/results"
"$CDVM" ask --relay "$(relay_of "$T/provider.log")" --policy demo --accept-simulated --offer ocr --timeout 600 \
    --attach examples/receipt.png --out "$T/results" "read it" >"$T/answer" 2>"$T/said"
same "a picture is read" 0 $?
check "its words are the answer" said "$T/answer" 'Beeswax, one kilogram 24.50'
check "its text comes as a file" said "$T/results/receipt.png.txt" 'Total in euros 204.50'
same "and a PDF" "%PDF" "$(head -c 4 "$T/results/receipt.png.pdf")"
finish
