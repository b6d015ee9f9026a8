#!/bin/sh
# What the container `ocr` runs for each question: prints the text of every picture in /in, and leaves it as a
# file, and each as a PDF in which it can be searched. (Only words of the shell itself: the image has no other
# programs.)
set -eu
n=0
for picture in /in/*; do
    [ -f "$picture" ] || continue
    n=$((n + 1))
    name=${picture##*/}
    echo "--- $name"
    /usr/bin/tesseract "$picture" "/out/$name" -l eng txt pdf 2>/dev/null || {
        echo "it cannot be read as a picture: PNG, JPEG, TIFF, GIF, WebP and BMP can"
        exit 1
    }
    while IFS= read -r line; do printf '%s\n' "$line"; done <"/out/$name.txt"
done
[ $n -gt 0 ] || {
    echo "attach one or more pictures of text"
    exit 1
}
