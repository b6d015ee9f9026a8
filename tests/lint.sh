#!/bin/bash
# House rules that grep can check, and the shape of the code. Prints one TAP line for each rule with the
# offenders below it; exit 1 when a rule is broken. A tool that is missing makes its rule a skip.
# usage: tests/lint.sh      (make lint)
set -u
cd "$(dirname "$0")/.." || exit 1
n=0 failed=0
bare=$(mktemp -d)
trap 'rm -rf "$bare"' EXIT

mapfile -t c_files < <(git ls-files '*.c' '*.h')
mapfile -t scripts < <(git ls-files '*.sh' .ci/run)
mapfile -t product < <(printf '%s\n' "${c_files[@]}" | grep -v '^tests/')

# verdict NAME OFFENDERS: no offenders is ok.
verdict() {
    n=$((n + 1))
    if [[ -z $2 ]]; then
        echo "ok $n - $1"
        return
    fi
    failed=1
    echo "not ok $n - $1"
    awk '{print "#   " $0}' <<<"$2"
}

skipped() {
    n=$((n + 1))
    echo "ok $n - $1 # SKIP $2"
}

# Copies without comments and with empty strings, line for line, so that greps see code only.
strip_all() {
    local f
    for f in "${c_files[@]}"; do
        mkdir -p "$bare/$(dirname "$f")"
        perl -0777 -pe '
            s{("(?:\\.|[^"\\\n])*"|\x27(?:\\.|[^\x27\\\n])*\x27)|(/\*.*?\*/|//[^\n]*)}
             {my ($q, $c) = ($1, $2);
              !defined $q ? join "", $c =~ /\n/g
              : $q =~ /^"[^"]*\.[ch]"$/ ? $q : substr($q, 0, 1) x 2}gse' "$f" >"$bare/$f"
    done
}

# code REGEX FILE...: where the regex occurs in code, as file:line:text.
code() {
    local re=$1
    shift
    (($#)) && (cd "$bare" && grep -nHP "$re" "$@" /dev/null)
}

# Product files whose name does not match the regex.
except() {
    printf '%s\n' "${product[@]}" | grep -vP "$1"
}

banned_functions() {
    local names='strcpy|strcat|sprintf|vsprintf|gets|[sf]?scanf|atoi|system|popen|rand|strtok|alloca'
    verdict 'no banned functions' "$(code "\\b($names)\\s*\\(" "${c_files[@]}")"
}

# Folder, then the folders whose headers it may include.
layering() {
    local folder allowed files found=''
    while read -r folder allowed; do
        mapfile -t files < <(printf '%s\n' "${product[@]}" | grep "^$folder/")
        found+=$(code "^\\s*#\\s*include\\s+\"(?!($allowed)/)[^\"]*/" "${files[@]}")
    done <<'EOF'
core core
attest core|attest
provider core|attest|provider
tui core|attest|tui
guest core|guest
EOF
    verdict 'layers include only what they may' "$found"
}

ncurses() {
    local files
    mapfile -t files < <(except '^tui/')
    verdict 'ncurses only in tui/' \
        "$(code '#\s*include\s+<(ncursesw?/)?(n?curses|panel|form|menu|term)\.h>' "${files[@]}")"
}

printing() {
    local files std='\b(printf|vprintf|puts|putchar|perror)\s*\(' \
        stream='\b(v?fprintf|fputs|fputc|putc|fwrite)\s*\(.*\bstd(out|err)\b' \
        fd='\bv?dprintf\s*\(\s*([12]|STD(OUT|ERR)_FILENO)\b'
    mapfile -t files < <(except '^(main\.c|tui/draw\.c|(tui|provider)/cli_[^/]*\.c|guest/workloads/.*)$')
    verdict 'printing only where it is allowed' "$(code "$std|$stream|$fd" "${files[@]}")"
}

one_way_out() {
    local files
    mapfile -t files < <(printf '%s\n' "${product[@]}" | grep '^tui/' | grep -v '^tui/outbox\.c$')
    verdict 'tui/ wraps messages only in outbox.c' "$(code '\bwrap_make\s*\(' "${files[@]}")"
}

unfinished() {
    verdict 'nothing unfinished' \
        "$(git grep -InwE 'TODO|FIXME|XXX' -- . ':!tests/lint.sh' ':!*.md')"
}

layout() {
    local version
    version=$(clang-format --version 2>/dev/null | grep -oP 'version \K[0-9]+')
    if [[ $version != 14 ]]; then # other versions lay some lines out otherwise
        skipped 'clang-format layout' "clang-format 14 is the one that decides"
        return
    fi
    verdict 'clang-format layout' \
        "$(clang-format --dry-run "${c_files[@]}" 2>&1 | grep -oP '^[^:]+(?=:\d+:\d+: )' | sort | uniq -c)"
}

programs() {
    verdict 'test programs can be run' "$(find tests/e2e tests/long tests/interop -name '*.sh' ! -name lib.sh ! -perm -u+x)"
}

shell() {
    if ! command -v shellcheck >/dev/null; then
        skipped shellcheck 'not installed'
        return
    fi
    verdict shellcheck "$(shellcheck -x -f gcc "${scripts[@]}" 2>&1)"
}

# A script and the files that it sources, a line each.
with_sourced() { # FILE
    local f
    echo "$1"
    sed -nE 's/"//g; s|^ *\. \$\(.*\)/|. '"${1%/*}"'/|; s/^ *\. //p' "$1" | while read -r f; do with_sourced "$f"; done
}

# Programs that our scripts call and not every machine has.
OTHER_PROGRAMS='cdvm cpio ctags curl git gpg gpgconf make man mkswap mmdebstrap objcopy openssl pgrep pkill python3
    readelf sqlite3 strace strip sudo tmux udevadm umoci veritysetup wish xz zstd'

# The first call in a file of what nobody has defined. The shell itself finds it: only where a command stands does
# it replace an alias, and each word that is no function and no program is one here that spoils the syntax.
calls_nothing() { # FILE KNOWN-WORDS
    grep -oE '\b[a-z_][a-z0-9_]*\b' "$1" | LC_ALL=C sort -u | LC_ALL=C comm -23 - "$2" |
        bash --posix -O expand_aliases -c '
            while read -r word; do alias "$word=$word )"; done
            eval "$(printf "parsed_not_run() {\n%s\n}" "$(cat "$1")")"' - "$1" 2>&1 | sed -nE "2s|^.*line [0-9]+:|$1:|p"
}

calls() {
    local script f found='' all
    if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 502)); then # older ones do not look into $(...)
        skipped 'scripts call what there is' 'the shell is older than bash 5.2'
        return
    fi
    compgen -bkc | cat - <(tr -s ' ' '\n' <<<"$OTHER_PROGRAMS") >"$bare/programs"
    for script in "${scripts[@]}"; do
        [[ -x $script ]] || continue
        mapfile -t all < <(with_sourced "$script" | LC_ALL=C sort -u)
        grep -ohE '\b[A-Za-z0-9_]+\(\)' "${all[@]}" | tr -d '()' | LC_ALL=C sort -u - "$bare/programs" >"$bare/known"
        for f in "${all[@]}"; do found+=$(calls_nothing "$f" "$bare/known")$'\n'; done
    done
    verdict 'scripts call what there is' "$(sort -u <<<"$found" | grep .)"
}

# Lines of each function, as "lines file:line name".
function_lengths() {
    ctags -x --_xformat='%{end} %n %F %N' --kinds-C=f --kinds-C++=f --language-force=C \
        "${product[@]}" | awk '$1 {print $1 - $2 + 1, $3 ":" $2, $4}' | sort -n
}

# percentile SHARE, over lines that start with a number, sorted.
percentile() {
    awk -v share="$1" '{v[NR] = $1} END {i = int((NR - 1) * share) + 1; print NR ? v[i] : 0}'
}

shape() {
    local files functions p90
    files=$(wc -l "${product[@]}" | grep -v ' total$' | sort -n)
    verdict 'no file above 800 lines' "$(awk '$1 > 800' <<<"$files")"
    if ! command -v ctags >/dev/null; then
        skipped 'function lengths' 'ctags is not installed'
        return
    fi
    functions=$(function_lengths)
    verdict 'no function above 100 lines' "$(awk '$1 > 100' <<<"$functions")"
    p90=$(percentile 0.9 <<<"$functions")
    verdict '90 % of functions under 45 lines' "$( ((p90 < 45)) || echo "the 90th percentile is $p90")"
    echo "# files: $(wc -l <<<"$files"), median .c $(grep '\.c$' <<<"$files" | percentile 0.5) lines," \
        "longest $(tail -n 1 <<<"$files" | awk '{print $1 " (" $2 ")"}')"
    echo "# functions: $(wc -l <<<"$functions"), median $(percentile 0.5 <<<"$functions") lines," \
        "90 % within $p90, longest $(tail -n 1 <<<"$functions" | awk '{print $1 " (" $3 ", " $2 ")"}')"
}

# Every module of the product stands in the README's list, by the name it has in its folder.
files_section() {
    local f name
    local -a absent=()
    for f in "${product[@]}"; do
        name=${f%.[ch]}
        [[ $name == main ]] && name=main.c || name=${name#*/}
        grep -qF "\`$name\`" README.md || absent+=("$f")
    done
    verdict 'README names every module' "$(printf '%s\n' "${absent[@]}" | sort -u)"
}

# What the manual says of keys and commands is made of the program's tables.
manual() {
    if [[ ! -x cdvm ]]; then
        skipped 'cdvm(1) has the keys as they are' 'cdvm is not built'
        return
    fi
    verdict 'cdvm(1) has the keys as they are (make man)' \
        "$(diff <(./cdvm tui --list-keys | doc/make-keys.pl doc/cdvm.1) doc/cdvm.1 | head -n 5)"
}

strip_all
banned_functions
layering
ncurses
printing
one_way_out
unfinished
files_section
manual
layout
programs
shell
calls
shape
echo "1..$n"
exit $failed
