#!/bin/bash
# How well the chat workload finds passages: 40 questions over the Debian handbook (../shared/retrieval says how
# they are scored), by words alone and with the embedding model, run by the image's own llama.cpp on this machine.
# TAP output, the table as comments. What cannot be had makes a skip.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(realpath -m "${B:-build}")
questions=${VECTORS:-../shared/vectors}/../retrieval/questions.json
packages=${LLAMA_TREE:-$build/root/cdvm/groups/chat}
model=${EMBED:-$build/model/tree/embed.gguf}
book=debian-handbook_11.20220922_all.deb
book_sha256=3d5dbeac1f1afc9c094eab9d0f701f6ecff99c4927d5a4794cf6c85678134faa
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT

skip() {
    echo "ok 1 - retrieval # SKIP $*"
    exit 0
}

# The handbook's text and nothing else of the package; a mirror that has another version cannot be scored.
fetch_book() {
    (cd "$T" && apt-get -q download debian-handbook=11.20220922 >fetch.log 2>&1 &&
        printf '%s  %s\n' "$book_sha256" "$book" | sha256sum --status -c - && dpkg-deb -x "$book" book)
}

# of RANKER KIND COLUMN  per mille
of() {
    awk -v r="$1" -v k="$2" -v c="$3" '$1 == r && $2 == k {print $c}' "$T/out"
}

n=0 failed=0
check() { # NAME VALUE LEAST
    n=$((n + 1))
    if ((${2:-0} >= $3)); then
        echo "ok $n - $1 ($2 of 1000, at least $3)"
    else
        failed=1
        echo "not ok $n - $1 (${2:-nothing} of 1000, at least $3)"
    fi
}

[[ -r $questions ]] || skip "no questions: $questions"
fetch_book || skip "debian-handbook 11.20220922 cannot be fetched: $(tail -n 1 "$T/fetch.log")"
make -s "${B:-build}/retrieval" || exit 1
run=("$build/retrieval" "$(realpath "$questions")" "$T/book/usr/share/doc/debian-handbook/html/en-US")
libs=$packages/usr/lib/x86_64-linux-gnu
if [[ -x $packages/usr/bin/llama-server && -s $model ]]; then
    # Its processor back ends are looked for in the working directory.
    run+=("$(realpath "$model")" "$libs/ld-linux-x86-64.so.2" --library-path "$libs:$libs/llama"
        "$packages/usr/bin/llama-server")
    cd "$libs"/ggml/backends* || exit 1
fi
if ! "${run[@]}" >"$T/out" 2>"$T/err"; then
    cat "$T/err"
    echo "not ok 1 - the documents are read and searched"
    exit 1
fi
cat - "$T/out" <<<"# ranker kind questions recall@1 recall@3 recall@5 (per mille)" | sed 's/^[^#]/# &/'
check "words alone: recall at 3 of all" "$(of words all 5)" 350
check "words alone: recall at 3 of the lexical ones" "$(of words lexical 5)" 900
if ((${#run[@]} > 3)); then
    check "with vectors: recall at 3 of all" "$(of fused all 5)" 700
    check "with vectors: recall at 3 of the lexical ones" "$(of fused lexical 5)" 950
else
    echo "ok $((n += 1)) - with vectors # SKIP no llama-server in $packages or no model $model: make image"
fi
echo "1..$n"
exit $failed
