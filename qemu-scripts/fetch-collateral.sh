#!/bin/bash
# Fetches what AMD and NVIDIA sign about this host's processor and GPUs, for customers to verify with: the
# chip's certificate, its chain and revocation list; reference values, OCSP answers, revocation lists. Which of
# it, and where it is served, `cdvm collateral` reads out of evidence of this very machine, such as the saved job
# of a first customer. An answer is kept only when it is authentic, in force and what was asked for, and then in
# one step, so that a provider that is running never reads half of one. OCSP answers last a day: run it daily.
#
# usage: fetch-collateral.sh [OPTION]... EVIDENCE-OPTION...
#   --this-host      of the processor of this machine, asked itself (root)
#   --bundle FILE | --snp-report FILE | --gpu-report FILE --gpu-chain FILE | --gpu-evidence FILE
#                    of what signed this evidence; more than one kind may be given
#   --dry-run        print what would be asked where, and ask nothing
#   --cache DIR      where it is kept (default: what the provider reads, ~/.cache/cdvm/collateral)
#   --ahead HOURS    fetch anew what ends within that time (default 6)
#   --at TIME        instead, what is not in force at that time, such as 2026-11-22T10:00:00Z
#   --refresh DAYS   fetch reference values anew after that time: they are re-issued under one name (default 30)
#   --tries N        questions for one answer, where a server is busy or silent (default 5)
#   --spacing SECS   between two questions to AMD's server, which throttles its callers; the pause before a
#                    second try, doubled before each that follows (default 10)
#   --kds URL, --rim URL, --ocsp URL, --crl URL
#                    another server in the place of AMD's and NVIDIA's: a mirror on your own network
#   --prune          remove from the cache what this evidence does not call for
# Exit: 0 all that is required is there; 1 something required is not; 64 usage; 65, 66 the evidence cannot be
# read; 69 no curl, no cdvm, no /dev/sev.
set -euo pipefail
# shellcheck source=qemu-scripts/host.sh
. "$(dirname "$(realpath "$0")")/host.sh"

cache='' ahead=6 at='' refresh=30 tries=5 spacing=10 prune='' evidence=()
declare -A server=([https://kdsintf.amd.com]='' [https://rim.attestation.nvidia.com]=''
    [https://ocsp.ndis.nvidia.com]='' [http://crl.ndis.nvidia.com]='')
while (($#)); do
    case $1 in
    --dry-run) DRY=1 ;;
    --prune) prune=1 ;;
    --this-host) evidence+=("$1") ;;
    -h | --help) help ;;
    --*)
        (($# > 1)) || refuse "$USAGE" "$1 wants a value (--help)"
        case $1 in
        --bundle | --snp-report | --gpu-report | --gpu-chain | --gpu-evidence) evidence+=("$1" "$2") ;;
        --cache) cache=$2 ;;
        --ahead) ahead=$2 ;;
        --at) at=$2 ;;
        --refresh) refresh=$2 ;;
        --tries) tries=$2 ;;
        --spacing) spacing=$2 ;;
        --kds) server[https://kdsintf.amd.com]=${2%/} ;;
        --rim) server[https://rim.attestation.nvidia.com]=${2%/} ;;
        --ocsp) server[https://ocsp.ndis.nvidia.com]=${2%/} ;;
        --crl) server[http://crl.ndis.nvidia.com]=${2%/} ;;
        *) refuse "$USAGE" "option '$1' is not known (--help lists them)" ;;
        esac
        shift ;;
    *) refuse "$USAGE" "'$1' is no option (--help)" ;;
    esac
    shift
done
for n in "$ahead" "$refresh" "$tries" "$spacing"; do
    [[ $n =~ ^(0|[1-9][0-9]{0,3})$ ]] || refuse "$USAGE" "'$n' is not a number"
done
((${#evidence[@]})) || refuse "$USAGE" "of which machine? --this-host, or --bundle FILE with a saved job of it (--help)"

: "${cache:=${XDG_CACHE_HOME:-$HOME/.cache}/cdvm/collateral}"
[[ $at ]] || at=$(date -u -d "+$ahead hours" +%Y-%m-%dT%H:%M:%SZ)
cdvm=$(find_cdvm) || exit
command -v curl >/dev/null || [[ $DRY ]] || refuse "$UNAVAILABLE" "there is no curl: apt-get install curl"
collateral() { "$cdvm" collateral "${evidence[@]}" --cache "$cache" --at "$at" "$@"; }

# --- asking ---

address() { # URL   the same below the server that stands for it
    local s
    for s in "${!server[@]}"; do
        if [[ ${server[$s]} && $1 == "$s"* ]]; then
            echo "${server[$s]}${1#"$s"}"
            return
        fi
    done
    echo "$1"
}
host_in() { sed -E 's|^[a-z]+://([^/]*).*|\1|' <<<"$1"; } # URL

# AMD's server is asked by one program at a time; the lock is that of the provider's own requests.
polite() { # URL
    local wait
    [[ $1 == "$(address https://kdsintf.amd.com)"* ]] || return 0
    exec {turn}>>"$cache/last-request"
    flock "$turn"
    if [[ -s $cache/last-request ]]; then
        wait=$(($(stat -c %Y "$cache/last-request") + spacing - $(date +%s)))
        ((wait <= 0)) || sleep "$((wait < spacing ? wait : spacing))"
    fi
    printf x >"$cache/last-request"
}

# once URL POST   sets STATUS: what HTTP said, or 000 and WHY; the answer is in $work/answer. curl's own bound counts
# only for a length that the server tells, so that the shell sets one too.
once() {
    local more=() rc=0
    if [[ $2 != - ]]; then
        base64 -d <<<"$2" >"$work/question"
        more=(--data-binary "@$work/question" -H 'Content-Type: application/ocsp-request')
    fi
    polite "$1"
    STATUS=$(trap '' XFSZ && ulimit -f 1024 && curl -q -sS --globoff --proto '=http,https' --connect-timeout 15 --max-time 60 --max-filesize 1048576 \
        -A cdvm -o "$work/answer" -D "$work/headers" -w '%{http_code}' "${more[@]}" "$1" 2>"$work/why") || rc=$?
    [[ ! ${turn:-} ]] || { exec {turn}>&- && turn=''; }
    WHY=$(sed -n '$s/^curl: //p' "$work/why" | tr -cd '[:print:]')
    ((rc == 0)) || STATUS=000
    # Names and connections that fail do so for every address of that server.
    ((rc != 6 && rc != 7 && rc != 28)) || OFF=$(host_in "$1")
}

# pause TRY   what the server wants, else twice as long each time; at most ten minutes
pause() {
    local asked
    asked=$(sed -nE 's/^[Rr]etry-[Aa]fter: *0*([0-9]{1,6})\r?$/\1/p' "$work/headers" 2>/dev/null | tail -n 1)
    [[ $asked ]] || asked=$((spacing << ($1 < 11 ? $1 - 1 : 10)))
    asked=$((asked < 600 ? asked : 600))
    tell "      ${STATUS/000/no answer}${WHY:+ ($WHY)}: again in $asked s, $(($1 + 1)) of $tries"
    sleep "$asked"
}

# get URL POST   tries until there is an answer that could be it
get() {
    local try
    for ((try = 1; ; try++)); do
        STATUS='' WHY='' OFF=''
        : >"$work/answer"
        once "$1" "$2"
        case $STATUS in
        200) return 0 ;;
        000 | 429 | 5??) ((try < tries)) || return 1 ;;
        *) return 1 ;;
        esac
        pause "$try"
    done
}

why_not() { # URL
    case $STATUS in
    000) echo "$(host_in "$1") gives no answer: ${WHY:-nothing came}" ;;
    404) echo "$(host_in "$1") knows none under this name" ;;
    429) echo "$(host_in "$1") asks for patience: try again in some minutes" ;;
    *) echo "$(host_in "$1") answers $STATUS" ;;
    esac
}

# --- one after the other ---

# fetch NAME NEED URL POST WHAT
fetch() {
    local url reason
    url=$(address "$3")
    if [[ " $away " == *" $(host_in "$url") "* ]]; then
        reason="$(host_in "$url") cannot be reached"
    elif get "$url" "$4"; then
        if reason=$(collateral --keep "$1" --answer "$work/answer" 2>&1 >/dev/null); then
            kept=$((kept + 1))
            tell "      kept as $1"
            return
        fi
        reason="what $(host_in "$url") gives is not it: ${reason#cdvm collateral: }"
    else
        reason=$(why_not "$url")
        [[ ! $OFF ]] || away+=" $OFF"
    fi
    tell "      not kept: $reason"
    lost+=("$2 $5: $reason")
}

# Those of a list that are to be fetched: what is not there, and reference values that are old.
due() {
    local name need url post what state
    while IFS=$'\t' read -r name need url post what state; do
        if [[ $state != here ]] || [[ $name == gpu/rim/* && $(find "$cache/$name" -mtime "+$refresh" 2>/dev/null) ]]; then
            [[ $done_names == *$'\n'"$name"$'\n'* ]] || printf '%s\t%s\t%s\t%s\t%s\n' "$name" "$need" "$url" "$post" "$what"
        fi
    done <<<"$1"
}

would() { # LIST
    local name need url post what
    while IFS=$'\t' read -r name need url post what; do
        tell "$what ($need)"
        if [[ $post == - ]]; then tell "    curl $(quote "$(address "$url")")"; else
            tell "    base64 -d <<<$post | curl --data-binary @- -H 'Content-Type: application/ocsp-request' $(quote "$(address "$url")")"
        fi
        tell "    to $cache/$name"
    done <<<"$1"
    [[ $1 != *gpu/rim/* ]] || tell "Then, of those who signed these reference values: OCSP answers, revocation lists."
}

listed() { # into `list`
    local rc=0
    list=$(collateral --all) || rc=$?
    ((rc == 0 || rc == 3)) || exit "$rc"
}

# Signers of reference values are known only once those are there, so that a second round may follow.
rounds() {
    local list todo n all name need url post what
    while listed && todo=$(due "$list") && [[ $todo ]]; do
        if [[ $DRY ]]; then
            would "$todo"
            return
        fi
        n=0 all=$(wc -l <<<"$todo")
        while IFS=$'\t' read -r name need url post what <&3; do
            n=$((n + 1)) done_names+=$name$'\n'
            tell "[$n of $all] $what"
            fetch "$name" "$need" "$url" "$post" "$what"
        done 3<<<"$todo"
    done
}

pruned() {
    local f list
    listed
    for f in "$cache"/gpu/*/*; do
        [[ -e $f ]] || continue
        cut -f1 <<<"$list" | grep -qxF "${f#"$cache"/}" || act rm -f "$f"
    done
}

kept=0 lost=() away='' done_names=$'\n'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
[[ $DRY ]] || (umask 077 && mkdir -p "$cache")
rounds
[[ ! $prune ]] || pruned
[[ ! $DRY ]] || exit 0
rc=0
missing=$(collateral) || rc=$?
((rc == 0 || rc == 3)) || exit "$rc"
if ((rc == 0)); then
    tell "$kept fetched, ${#lost[@]} not; all that is required is in $cache"
    exit 0
fi
printf '%s\n' "$missing" | awk -F '\t' '$2 == "required" { print "missing: " $5 " (" $6 ")" }' >&2
[[ ! $away ]] || printf '%s\n' "fetch-collateral: this step needs the network: run it where${away// / } can be reached, with the same evidence" \
    "and --cache, and copy that folder here; or name a mirror (--kds, --rim, --ocsp, --crl)" >&2
refuse 1 "$kept fetched, and something that is required is not there"
