#!/bin/bash
# The table workload on its own, over its pipes, without a guest: right sums, big files, hostile SQL.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"

TABLE=$PWD/$B/workload-table
[[ -x $TABLE ]] || skip_all "no $TABLE: run make"

# talk FILES-AND-QUESTIONS...: "@path" loads a file, anything else is a question. Output in $T/said.
# The input stays open until the last answer, as in the guest.
talk() {
    local a n=0 fifo=$T/fifo
    rm -rf "$T/out" "$fifo"
    mkdir "$T/out"
    mkfifo "$fifo"
    timeout 300 "$TABLE" "$T/out" <"$fifo" >"$T/said" 2>"$T/complaints" &
    local pid=$!
    exec 9>"$fifo"
    echo '{"t":"start","params":{}}' >&9
    for a in "$@"; do
        n=$((n + 1))
        if [[ $a == @* ]]; then
            printf '{"t":"file","id":"m%d","name":"%s","path":"%s","sha256":"00"}\n' "$n" "${a##*/}" "${a#@}" >&9
        else
            printf '{"t":"ask","id":"m%d","text":"%s"}\n' "$n" "$a" >&9
        fi
    done
    wait_for 300 ended "$n"
    echo '{"t":"end"}' >&9
    exec 9>&-
    wait "$pid"
}
ended() { (($(grep -cE '"t":"(done|error)"' "$T/said") >= $1)); }
code_of() { grep -oE "\"t\":\"error\",\"id\":\"$1\",\"code\":\"[a-z-]+\"" "$T/said" | grep -oE '[a-z-]+"$' | tr -d '"'; }

# --- sums, against awk ---
talk "@$PWD/examples/sales.csv" "SELECT region, count(*) AS n, round(sum(amount), 2) AS total FROM sales GROUP BY region ORDER BY region" \
    summary columns
awk -F, 'NR > 1 {n[$2]++; s[$2] += $5} END {for (r in n) printf "%s,%d,%.2f\n", r, n[r], s[r]}' examples/sales.csv | sort >"$T/want"
tail -n +2 "$T/out/result-1.csv" | awk -F, '{printf "%s,%d,%.2f\n", $1, $2, $3}' >"$T/got"
check "grouped sums are right" cmp -s "$T/want" "$T/got"
rows=$(($(wc -l <examples/sales.csv) - 1))
same "summary counts every row" "$rows" "$(awk -F, 'NR == 2 {print $4}' "$T/out/result-2.csv")"
same "columns are named as in the file" "$(head -n 1 examples/sales.csv)" \
    "$(tail -n +2 "$T/out/result-3.csv" | cut -d, -f2 | paste -sd,)"
check "the program exits by itself" test -s "$T/said"
same "nothing is written to standard error" 0 "$(stat -c %s "$T/complaints")"

# --- a million rows ---
awk 'BEGIN {print "id,region,amount"; for (i = 0; i < 1000000; i++) printf "%d,r%d,%d.25\n", i, i % 7, i % 1000}' >"$T/big.csv"
start=$SECONDS
talk "@$T/big.csv" "SELECT region, count(*), sum(amount) FROM big GROUP BY 1 ORDER BY 1" "SELECT * FROM big"
took=$((SECONDS - start))
awk -F, 'NR > 1 {n[$2]++; s[$2] += $3} END {for (r in n) printf "%s,%d,%.2f\n", r, n[r], s[r]}' "$T/big.csv" | sort >"$T/want"
tail -n +2 "$T/out/result-1.csv" | awk -F, '{printf "%s,%d,%.2f\n", $1, $2, $3}' >"$T/got"
check "a million rows: sums are right" cmp -s "$T/want" "$T/got"
check "a million rows: progress is told" test "$(grep -c '"t":"progress"' "$T/said")" -ge 3
check "a million rows: under 60 s (took $took)" test "$took" -lt 60
same "a million rows come back as they went in" "$(sha256sum <"$T/big.csv")" "$(sha256sum <"$T/out/result-2.csv")"
check "a table line stays under 64 KiB" test "$(grep '"t":"table"' "$T/said" | wc -L)" -lt 65536

# --- hostile SQL ---
echo secret-of-the-host >"$T/host-file"
hostile=("ATTACH '$T/host-file' AS x" "SELECT load_extension('/tmp/x.so')" "VACUUM INTO '$T/leak'" "DROP TABLE sales"
    "PRAGMA writable_schema=1" "CREATE TABLE x AS SELECT 1" "SELECT 1; SELECT 2" "UPDATE sales SET amount = 0"
    "PRAGMA temp_store_directory = '/tmp'")
talk "@$PWD/examples/sales.csv" "${hostile[@]}"
for i in "${!hostile[@]}"; do same "refused: ${hostile[i]%%"$T"*}" denied "$(code_of "m$((i + 2))")"; done
for f in readfile writefile edit fts3_tokenizer; do
    talk "@$PWD/examples/sales.csv" "SELECT $f('$T/host-file')"
    same "there is no function $f" bad-sql "$(code_of m2)"
done
check "no file was made" test ! -e "$T/leak"
same "no host file was read" 0 "$(grep -c secret-of-the-host "$T/said")"

# --- wrong input ---
printf 'a,b\n1,2\n3\n' >"$T/ragged.csv"
head -c 3000 /dev/urandom >"$T/noise.csv"
printf '\xef\xbb\xbfname,"a ""b"""\r\n"x, y",1\r\n' >"$T/bom.csv"
: >"$T/empty.csv"
talk "@$T/ragged.csv" "@$T/noise.csv" "@$T/empty.csv" "@$T/bom.csv" "SELECT name FROM bom" "SELEC 1" "@$T/not-there.csv"
for m in m1 m2 m3; do same "bad file $m has a code" bad-csv "$(code_of $m)"; done
check "the line is named" grep -q 'line 3 has 1 field' "$T/said"
check "BOM, CRLF and quotes are understood" grep -q 'name = x, y' "$T/said"
same "wrong SQL has a code" bad-sql "$(code_of m6)"
same "an absent file has a code" system "$(code_of m7)"

# --- cancel ---
rm -f "$T/fifo" && mkfifo "$T/fifo"
mkdir -p "$T/out2"
timeout 60 "$TABLE" "$T/out2" <"$T/fifo" >"$T/said" &
pid=$!
exec 9>"$T/fifo"
printf '%s\n' '{"t":"start","params":{}}' "{\"t\":\"file\",\"id\":\"f\",\"name\":\"s.csv\",\"path\":\"$PWD/examples/sales.csv\",\"sha256\":\"00\"}" \
    '{"t":"ask","id":"endless","text":"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c"}' >&9
sleep 0.5
printf '%s\n' '{"t":"ask","id":"next","text":"SELECT 42 AS n"}' '{"t":"cancel","id":"endless"}' >&9
wait_for 10 said "$T/said" '"t":"done","id":"next"'
same "an endless question is cancelled" cancelled "$(code_of endless)"
check "the next one is answered" grep -q 'n = 42' "$T/said"
exec 9>&-
wait "$pid"
same "end of input ends the program" 0 $?
finish
