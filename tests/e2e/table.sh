#!/bin/bash
# The table workload on its own, over its pipes, without a guest: right sums, every format, big files, hostile
# SQL. Once as the lean build of this machine, once as it is in the guest image: the program and libraries of
# the volume itself, under the volume's own loader.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"

[[ -x $B/workload-table ]] || skip_all "no $B/workload-table: run make"
ENDLESS="WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c"

# engine NAME PROGRAM...
engine() {
    ENGINE=$1
    shift
    TABLE=("$@")
}

# talk FILES-AND-QUESTIONS...: "@path" loads a file, anything else is a question. Output in $T/said.
# The input stays open until the last answer, as in the guest. PARAMS: of the job, as JSON.
talk() {
    local a n=0 fifo=$T/fifo
    rm -rf "$T/out" "$fifo"
    mkdir "$T/out"
    mkfifo "$fifo"
    timeout 300 "${TABLE[@]}" "$T/out" "$T" <"$fifo" >"$T/said" 2>"$T/complaints" &
    local pid=$!
    exec 9>"$fifo"
    echo "{\"t\":\"start\",\"params\":${PARAMS:-{\}}}" >&9
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
cell_of() { grep "\"t\":\"table\",\"id\":\"$1\"" "$T/said" | sed 's/.*"rows":\[\[//; s/\]\],"total".*//'; }
ok() { check "$ENGINE: $1" "${@:2}"; }
is() { same "$ENGINE: $1" "$2" "$3"; }

sums() { # against awk
    talk "@$PWD/examples/sales.csv" "SELECT region, count(*) AS n, round(sum(amount), 2) AS total FROM sales GROUP BY region ORDER BY region" \
        summary columns
    awk -F, 'NR > 1 {n[$2]++; s[$2] += $5} END {for (r in n) printf "%s,%d,%.2f\n", r, n[r], s[r]}' examples/sales.csv | sort >"$T/want"
    tail -n +2 "$T/out/result-1.csv" | awk -F, '{printf "%s,%d,%.2f\n", $1, $2, $3}' >"$T/got"
    ok "grouped sums are right" cmp -s "$T/want" "$T/got"
    is "summary counts every row" "$(($(wc -l <examples/sales.csv) - 1))" "$(awk -F, 'NR == 2 {print $4}' "$T/out/result-2.csv")"
    is "columns are named as in the file" "$(head -n 1 examples/sales.csv)" \
        "$(tail -n +2 "$T/out/result-3.csv" | cut -d, -f2 | paste -sd,)"
    ok "the program exits by itself" test -s "$T/said"
    is "nothing is written to standard error" 0 "$(stat -c %s "$T/complaints")"
}

million() { # SECONDS-ALLOWED
    local start=$SECONDS took
    talk "@$T/big.csv" "SELECT region, count(*), sum(amount) FROM big GROUP BY 1 ORDER BY 1" "SELECT * FROM big"
    took=$((SECONDS - start))
    awk -F, 'NR > 1 {n[$2]++; s[$2] += $3} END {for (r in n) printf "%s,%d,%.2f\n", r, n[r], s[r]}' "$T/big.csv" | sort >"$T/want"
    tail -n +2 "$T/out/result-1.csv" | awk -F, '{printf "%s,%d,%.2f\n", $1, $2, $3}' >"$T/got"
    ok "a million rows: sums are right" cmp -s "$T/want" "$T/got"
    ok "a million rows: progress is told" test "$(grep -c '"t":"progress"' "$T/said")" -ge 1
    ok "a million rows: under $1 s (took $took)" test "$took" -lt "$1"
    is "a million rows come back as they went in" "$(sha256sum <"$T/big.csv")" "$(sha256sum <"$T/out/result-2.csv")"
    ok "a table line stays under 64 KiB" test "$(grep '"t":"table"' "$T/said" | wc -L)" -lt 65536
}

# hostile CODES SQL...  each is refused with one of the codes, and nothing is made or read by it
hostile() {
    local codes=$1 i
    shift
    talk "@$PWD/examples/sales.csv" "$@" "SELECT count(*) AS n FROM sales"
    for ((i = 1; i <= $#; i++)); do
        ok "refused: $(sed "s|$T||g; s|^\(.\{60\}\).*|\1...|" <<<"${!i}")" grep -qw -- "$(code_of "m$((i + 1))")" <<<"$codes"
    done
    ok "the tables are as they were" grep -q '"text":"n = 60"' "$T/said"
    ok "no file was made" test ! -e "$T/leak"
    is "no host file was read" 0 "$(grep -c secret-of-the-host "$T/said")"
}

wrong_input() {
    talk "@$T/ragged.csv" "@$T/noise.csv" "@$T/empty.csv" "@$T/bom.csv" "SELECT name FROM bom" "SELEC 1" "@$T/not-there.csv" \
        "SELECT 1; SELECT 2" ";" "@$T/semicolons.csv" "SELECT \\\"b c\\\" FROM semicolons"
    for m in m1 m2 m3; do is "bad file $m has a code" bad-csv "$(code_of $m)"; done
    ok "the line is named" grep -q 'line 3 has 1 field' "$T/said"
    ok "BOM, CRLF and quotes are understood" grep -q 'name = x, y' "$T/said"
    is "wrong SQL has a code" bad-sql "$(code_of m6)"
    is "an absent file has a code" system "$(code_of m7)"
    is "two statements at once have a code" denied "$(code_of m8)"
    is "no statement has a code" bad-sql "$(code_of m9)"
    ok "semicolons separate" grep -q 'b c = 2,5' "$T/said"
}

cancel() {
    rm -rf "$T/fifo" "$T/out2" && mkfifo "$T/fifo" && mkdir "$T/out2"
    timeout 60 "${TABLE[@]}" "$T/out2" "$T" <"$T/fifo" >"$T/said" &
    local pid=$!
    exec 9>"$T/fifo"
    printf '%s\n' '{"t":"start","params":{}}' "{\"t\":\"file\",\"id\":\"f\",\"name\":\"s.csv\",\"path\":\"$PWD/examples/sales.csv\",\"sha256\":\"00\"}" \
        "{\"t\":\"ask\",\"id\":\"endless\",\"text\":\"$ENDLESS\"}" >&9
    sleep 1
    printf '%s\n' '{"t":"ask","id":"next","text":"SELECT 42 AS n"}' '{"t":"cancel","id":"endless"}' >&9
    wait_for 30 said "$T/said" '"t":"done","id":"next"'
    is "an endless question is cancelled" cancelled "$(code_of endless)"
    ok "the next one is answered" grep -q 'n = 42' "$T/said"
    exec 9>&-
    wait "$pid"
    is "end of input ends the program" 0 $?
}

# --- what only the engine of the image has ---

formats() {
    local rows='"1","12345678901234567890123","12.50","1000.0","2024-02-29","2024-02-29 13:00:00","007",null,"","say \"x\""'
    printf '%s\n' 'id,big,money,sci,day,at,zip,none,empty,quoted' \
        '1,12345678901234567890123,12.5,1e3,2024-02-29,2024-02-29 13:00,007,,"","say ""x"""' \
        '-2,5,-0.05,2.5e-3,0001-01-01,1969-12-31T23:59:59.25,010,,x,b' >"$T/types.csv"
    talk "@$T/types.csv" "SELECT * FROM types ORDER BY id DESC LIMIT 1" "parquet SELECT * FROM types ORDER BY id DESC" \
        "SELECT sum(money), sum(big) FROM types" "SELECT 0.1::DOUBLE, 'nan'::DOUBLE, '-inf'::FLOAT, [1, NULL], {'a': 1}, 2::DECIMAL(9,3)" \
        "parquet SELECT sum(big) AS s, 1 AS s FROM types" "parquet SELECT id FROM types WHERE false"
    is "values of a CSV are exact" "$rows" "$(cell_of m2)"
    is "sums are exact" '"12.45","12345678901234567890128"' "$(cell_of m4)"
    is "values of SQL are exact" '"0.1","nan","-inf","[1, NULL]","{'"'a'"': 1}","2.000"' "$(cell_of m5)"
    is "Parquet is announced as such" "result-2.parquet application/vnd.apache.parquet" \
        "$(grep '"t":"file","id":"m3"' "$T/said" | sed 's/.*"name":"\([^"]*\)","mime":"\([^"]*\)".*/\1 \2/')"
    mv "$T/out/result-2.parquet" "$T/back.parquet"
    mv "$T/out/result-5.parquet" "$T/sums.parquet"
    printf '{"id":1,"who":"Ann","tags":["a"]}\n{"id":2,"who":null,"tags":[]}\n' >"$T/people.jsonl"
    printf '{"id":1}\n{"id":\n' >"$T/cut.jsonl"
    { printf PAR1 && head -c 300 /dev/urandom && printf PAR1; } >"$T/noise.parquet"
    PARAMS='{"format":"parquet"}' talk "@$T/back.parquet" "csv SELECT * FROM back LIMIT 1" "@$T/people.jsonl" "SELECT tags FROM people WHERE id = 1" \
        "@$T/sums.parquet" "csv SELECT * FROM sums" "@$T/cut.jsonl" "@$T/noise.parquet" columns
    is "Parquet comes back as it went out" "$rows" "$(cell_of m2)"
    is "JSON lines are read" '"[a]"' "$(cell_of m4)"
    ok "the job's parameter asks for Parquet" test -s "$T/out/result-2.parquet"
    is "a sum of 128 bits is exact in Parquet" '"12345678901234567890128","1"' "$(cell_of m6)"
    is "cut JSON has a code" bad-json "$(code_of m7)"
    is "noise as Parquet has a code" bad-parquet "$(code_of m8)"
    ok "columns are always CSV" test -s "$T/out/result-4.csv"
    PARAMS='{"format":"xlsx"}' talk "@$T/types.csv" "SELECT 1"
    is "another format has a code" unsupported "$(code_of m2)"
}

# Questions that would take more than there is end with a code, and the next one is answered.
bounded() {
    local q queries=("SELECT repeat('x', 4000000000)" "SELECT list(x) FROM range(1000000000) t(x)" "SELECT range(10000000000)"
        "SELECT string_agg(repeat('x', 1000), '') FROM range(10000000)" "SELECT unnest(range(1000000000000))"
        "SELECT array_agg(a) FROM (SELECT repeat('y', 100000) AS a FROM range(1000000))"
        "SELECT $(printf '(%.0s' {1..3000})1$(printf ')%.0s' {1..3000})" "SELECT 1$(printf '+1%.0s' {1..9000})")
    talk "@$PWD/examples/sales.csv" "${queries[@]}" "SELECT regexp_matches(repeat('a', 30000) || '!', '(a|aa)+\$') AS m" "SELECT 42 AS n"
    for q in "${!queries[@]}"; do
        ok "bounded: ${queries[q]:0:60}" grep -qxE 'too-large|bad-sql' <<<"$(code_of "m$((q + 2))")"
    done
    ok "a regular expression takes no exponential time" grep -q 'm = false' "$T/said"
    ok "the next one is answered" grep -q 'n = 42' "$T/said"
}

# One step of the engine that cannot be interrupted: the program says so and ends, 10 s after the cancel.
stuck() {
    rm -rf "$T/fifo" "$T/out2" && mkfifo "$T/fifo" && mkdir "$T/out2"
    timeout 60 "${TABLE[@]}" "$T/out2" "$T" <"$T/fifo" >"$T/said" &
    local pid=$!
    exec 9>"$T/fifo"
    printf '%s\n' '{"t":"start","params":{}}' "{\"t\":\"file\",\"id\":\"f\",\"name\":\"s.csv\",\"path\":\"$PWD/examples/sales.csv\",\"sha256\":\"00\"}" \
        '{"t":"ask","id":"long","text":"SELECT levenshtein(repeat('"'a', 3000000), repeat('b', 3000000))"'"}' >&9
    sleep 1
    printf '%s\n' '{"t":"cancel","id":"long"}' >&9
    wait "$pid"
    is "an engine that does not stop is ended" 1 $?
    is "and that is said" cancelled "$(code_of long)"
    exec 9>&-
}

everywhere=("ATTACH '$T/host-file' AS x" "VACUUM INTO '$T/leak'" "DROP TABLE sales" "CREATE TABLE x AS SELECT 1" "SELECT 1; SELECT 2"
    "UPDATE sales SET amount = 0" "DELETE FROM sales" "INSERT INTO sales SELECT * FROM sales" "BEGIN" "ROLLBACK")
of_sqlite=("SELECT load_extension('/tmp/x.so')" "PRAGMA writable_schema=1" "PRAGMA temp_store_directory = '/tmp'")
no_functions=("SELECT readfile('$T/host-file')" "SELECT writefile('$T/host-file')" "SELECT edit('x')" "SELECT fts3_tokenizer('x')")
of_duckdb=("COPY sales TO '$T/leak'" "COPY (SELECT 1) TO '/dev/stdout'" "COPY sales FROM '$T/host-file'" "EXPLAIN ANALYZE COPY sales TO '$T/leak'"
    "ATTACH ':memory:' AS m" "ATTACH '$T/leak'" "DETACH memory" "USE memory" "SELECT * FROM read_csv('/etc/passwd')"
    "SELECT * FROM read_csv('$T/host-file')" "FROM '$T/host-file.csv'" "SELECT * FROM read_text('$T/host-file')" "SELECT * FROM read_blob('/proc/self/environ')"
    "SELECT * FROM glob('/*')" "SELECT * FROM read_json('/etc/passwd')" "SELECT * FROM read_parquet('$T/out/*')" "SELECT * FROM sniff_csv('/etc/passwd')"
    "SELECT * FROM parquet_metadata('/etc/passwd')" "SELECT * FROM read_duckdb('$T/x.db')" "SELECT * FROM 'https://example.com/x.parquet'"
    "SELECT * FROM read_parquet('s3://bucket/x')" "INSTALL httpfs" "LOAD httpfs" "LOAD '/tmp/x.so'" "FORCE INSTALL json FROM core"
    "PRAGMA enable_profiling" "PRAGMA profiling_output='$T/leak'" "SET enable_external_access=true" "SET GLOBAL lock_configuration=false" "SET threads=64"
    "SET memory_limit='1TB'" "SET temp_directory='$T'" "SET allowed_directories=['/']" "SET log_query_path='$T/leak'" "RESET memory_limit"
    "EXPORT DATABASE '$T/leak'" "IMPORT DATABASE '$T'" "CREATE SECRET s (TYPE s3)" "CREATE PERSISTENT SECRET s (TYPE http)" "CALL enable_logging()"
    "SELECT * FROM enable_logging(storage='file', storage_config={'path': '$T/leak'})" "CREATE TEMP TABLE x(i INT)" "CREATE VIEW v AS SELECT 1"
    "CREATE MACRO m() AS 1" "CREATE OR REPLACE TABLE sales AS SELECT 1" "CREATE TYPE t AS ENUM ('a')" "ALTER TABLE sales RENAME TO x" "CHECKPOINT" "VACUUM"
    "PREPARE p AS SELECT 1" "EXECUTE p" "EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1" "EXPLAIN ANALYZE DROP TABLE sales" "TRUNCATE sales"
    "WITH x AS (INSERT INTO sales SELECT * FROM sales RETURNING *) SELECT * FROM x" "MERGE INTO sales USING sales AS s ON true WHEN MATCHED THEN DELETE"
    "SELECT getenv('HOME')" "SELECT * FROM query('DROP TABLE sales')" "SELECT * FROM query_table('/etc/passwd')" "FROM '/etc/passwd'" "SELECT * FROM cdvm_rows()")

# --- the tests ---

awk 'BEGIN {print "id,region,amount"; for (i = 0; i < 1000000; i++) printf "%d,r%d,%d.25\n", i, i % 7, i % 1000}' >"$T/big.csv"
echo secret-of-the-host | tee "$T/host-file" >"$T/host-file.csv"
printf 'a,b\n1,2\n3\n' >"$T/ragged.csv"
head -c 3000 /dev/urandom >"$T/noise.csv"
printf '\xef\xbb\xbfname,"a ""b"""\r\n"x, y",1\r\n' >"$T/bom.csv"
printf 'a;b c\n1;2,5\n' >"$T/semicolons.csv"
: >"$T/empty.csv"

engine lean "$PWD/$B/workload-table"
sums
million 60
hostile denied "${everywhere[@]}" "${of_sqlite[@]}"
hostile bad-sql "${no_functions[@]}"
wrong_input
cancel
talk "@$PWD/examples/sales.csv" "parquet SELECT 1"
is "Parquet has a code" unsupported "$(code_of m2)"

if [[ -f $IMAGE/table.vol ]] && fsck.erofs --extract="$T/volume" "$IMAGE/table.vol" >/dev/null 2>&1; then
    LIBS=$T/volume/usr/lib/x86_64-linux-gnu
    engine image "$LIBS/ld-linux-x86-64.so.2" --library-path "$LIBS" "$T/volume/usr/bin/table"
    sums
    million 60
    hostile "denied bad-sql" "${everywhere[@]}" "${of_duckdb[@]}"
    wrong_input
    cancel
    formats
    bounded
    stuck
else
    pass "the engine of the image # SKIP no $IMAGE/table.vol: run make image"
fi
finish
