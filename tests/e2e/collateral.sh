#!/bin/bash
# fetch-collateral.sh and `cdvm collateral`, with a server of the test in the place of AMD's and NVIDIA's that
# gives their real bytes, or not: what is kept, what is not, what is said. Alone in a network of its own.
# shellcheck disable=SC2016 # for the inner shell
if [[ ! ${APART:-} ]] && unshare -rn true 2>/dev/null; then
    exec unshare -rn bash -c 'ip link set lo up && APART=1 exec "$0"' "$0"
fi
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
V=$(realpath "${VECTORS:-../shared/vectors}" 2>/dev/null)
FETCH=qemu-scripts/fetch-collateral.sh CACHE=$T/cache
out() { # WANT NAME COMMAND...   checks its exit code; what it says is in $T/out
    local want=$1 name=$2
    shift 2
    "$@" >"$T/out" 2>&1 </dev/null
    same "$name" "$want" "$?"
}
says() { check "$1" grep -qE -- "$2" "$T/out"; }

out 64 "no evidence" "$FETCH"
out 64 "an unknown option" "$FETCH" --bundel x
out 64 "an option without its value" "$FETCH" --snp-report
out 64 "no number" "$FETCH" --tries many --snp-report x
out 0 "its help" "$FETCH" --help
out 64 "cdvm collateral without evidence" "$CDVM" collateral
out 64 "half a GPU" "$CDVM" collateral --gpu-report x
out 64 "half an answer" "$CDVM" collateral --snp-report x --keep y
out 66 "evidence that is not there" "$CDVM" collateral --snp-report "$T/nothing"
[[ -e /dev/sev ]] || out 69 "a machine without secure processor" "$FETCH" --this-host --cache "$T/none" --tries 1
out 65 "what is no report" "$CDVM" collateral --snp-report /dev/null
out 65 "a GPU that signed nothing" "$CDVM" collateral --gpu-report /dev/null --gpu-chain /dev/null
[[ -d $V/gpu ]] || { echo "# the vectors are not here" && finish; }

# --- the server ---

h=$V/gpu/h100-550.90.07 driver=NV_GPU_DRIVER_GH100_550.90.07 vbios=NV_GPU_VBIOS_1010_0200_882_96009F0001
gpu=(--gpu-report "$h/report.bin" --gpu-chain "$h/chain.pem")
cpu=(--snp-report "$V/snp/real/genoa_v5_gcp.report.bin")
D=$T/served
mkdir -p "$D"/{rim,ocsp} "$D/get/vcek/v1/Genoa"
cp "$h"/*.xml "$D/rim" && cp "$h"/ocsp/*.der "$D/ocsp" && echo 'something else' >"$D/wrong"
for c in ask ark; do openssl x509 -inform DER -in "$V/snp/roots/${c}_genoa.der"; done >"$D/get/vcek/v1/Genoa/cert_chain"
chip=$("$CDVM" collateral "${cpu[@]}" --cache "$CACHE" | sed -nE 's|.*/vcek/v1/Genoa/([0-9a-f]{128}).*|\1|p')
cp "$V/snp/real/genoa_v5_gcp.vek.der" "$D/get/vcek/v1/Genoa/$chip"
tests/e2e/collateral_server.py "$D" >"$T/server" &
PIDS+=($!)
wait_for 30 said "$T/server" http
URL=$(cat "$T/server")
# shellcheck disable=SC2317 # called through out
at() { # TIME OPTION...
    local when=$1
    shift
    "$FETCH" --cache "$CACHE" --kds "$URL" --rim "$URL" --ocsp "$URL" --crl "$URL" --spacing 0 --at "$when" "$@"
}
faults() { printf '%s\n' "$@" >"$D/faults"; }
files() { (cd "$CACHE" 2>/dev/null && find . -type f ! -name last-request | sed 's|^./||' | sort); }
asked() { grep -c . "$D/asked" 2>/dev/null; }
anew() { rm -rf "$CACHE" "$D/asked" "$D/faults"; }
AUGUST=2025-08-21T12:00:00Z OCTOBER=2025-10-24T12:00:00Z

# --- the processor ---

out 0 "a dry run for both" at "$AUGUST" "${cpu[@]}" "${gpu[@]}" --dry-run
says "... names the address of the chip's certificate" "curl '$URL/vcek/v1/Genoa/$chip\?blSPL=10&teeSPL=0&snpSPL=25&ucodeSPL=84'"
says "... and the question of OCSP" 'base64 -d <<<[A-Za-z0-9+/=]+ \| curl --data-binary'
check "... asks nothing" test ! -e "$D/asked"
check "... and makes no folder" test ! -e "$CACHE"
out 0 "the chip's certificate and its chain" at "$AUGUST" "${cpu[@]}"
vcek=Genoa-$chip-000a001954.vcek
same "... lie where a provider looks" "$vcek Genoa.chain.pem" "$(files | paste -sd' ')"
check "... the very bytes of AMD" cmp -s "$V/snp/real/genoa_v5_gcp.vek.der" "$CACHE/$vcek"
same "... readable by their owner alone" "600 700" "$(stat -c %a "$CACHE/$vcek" "$CACHE" | paste -sd' ')"
says "a list that is not there is told" 'not kept: .* knows none under this name'
"$CDVM" verify "${cpu[@]}" --vek "$CACHE/$vcek" --ask "$V/snp/roots/ask_genoa.der" --ark "$V/snp/roots/ark_genoa.der" \
    --at "$AUGUST" >"$T/verdict"
check "... with which the report verifies" grep -qE '\[PASS\].*\(snp.signature\)' "$T/verdict"
before=$(asked)
out 0 "a second time" at "$AUGUST" "${cpu[@]}"
same "... only the list is asked for" 1 "$(($(asked) - before))"
anew
cp "$V/snp/real/genoa_v3_aci.vek.der" "$D/wrong"
faults "/vcek/v1/Genoa/$chip wrong 9"
out 1 "another chip's certificate" at "$AUGUST" "${cpu[@]}"
says "... is not kept" 'not it: it is for another chip or firmware level'
same "... the chain is" Genoa.chain.pem "$(files)"
for c in ask ark; do openssl x509 -inform DER -in "$V/snp/roots/${c}_milan.der"; done >"$D/wrong"
anew
faults "/vcek/v1/Genoa/cert_chain wrong 1"
out 1 "another family's chain" at "$AUGUST" "${cpu[@]}"
says "... is not kept" "not it: it is not AMD's chain for Genoa"
same "... nor what would hang on it" "" "$(files)"

# --- the GPU ---

anew
out 1 "a GPU in August" at "$AUGUST" "${gpu[@]}"
ocsp() { find "$CACHE/gpu/ocsp" -name '*.der' | wc -l; }
same "... reference values, and words on the device" "2 3" "$(find "$CACHE/gpu/rim" -name '*.xml' | wc -l) $(ocsp)"
check "... of NVIDIA's bytes" cmp -s "$h/$driver.xml" "$CACHE/gpu/rim/$driver.xml"
says "... those on the signers are not in force yet, which is said" 'not kept: .*HCC RIM|not it: .*'
says "... and are what is missing" "^missing: OCSP answer on 'HCC RIM L4 Signer'"
out 1 "the same in October" at "$OCTOBER" "${gpu[@]}"
same "... adds those" 7 "$(ocsp)"
says "... and lacks what has ended" "^missing: OCSP answer on 'GH100 A01 GSP BROM'"
full=()
for f in "$CACHE"/gpu/rim/*.xml; do full+=(--rim "$f"); done
for f in "$CACHE"/gpu/ocsp/*.der; do full+=(--ocsp "$f"); done
"$CDVM" verify "${gpu[@]}" "${full[@]}" --at "$OCTOBER" >"$T/verdict"
for id in gpu.rim.driver gpu.rim.vbios gpu.measurements; do check "with them $id passes" grep -qE "\[PASS\].*\($id\)" "$T/verdict"; done

# Old ones are asked for anew; one that is no better does not replace them.
before=$(asked)
touch -d '40 days ago' "$CACHE/gpu/rim/$driver.xml"
cp "$V/gpu/bad/driver_rim.incorrect-signature.xml" "$D/rim/$driver.xml"
out 1 "reference values after 40 days" at "$OCTOBER" "${gpu[@]}"
check "... are asked for anew" grep -q "$driver" <(tail -n +"$((before + 1))" "$D/asked")
says "... a bad signature is not kept" "not it: it is not NVIDIA's"
check "... and what was there stays" cmp -s "$h/$driver.xml" "$CACHE/gpu/rim/$driver.xml"
cp "$h/$driver.xml" "$D/rim/$driver.xml"
touch "$CACHE/gpu/ocsp/of-another-gpu.der"
out 0 "--prune --dry-run" at "$AUGUST" "${gpu[@]}" --prune --dry-run
says "... names what would be removed" 'rm -f .*/gpu/ocsp/of-another-gpu.der'
check "... and removes nothing" test -e "$CACHE/gpu/ocsp/of-another-gpu.der"
out 1 "--prune" at "$AUGUST" "${gpu[@]}" --prune --tries 1
check "what this GPU does not call for is removed" test ! -e "$CACHE/gpu/ocsp/of-another-gpu.der"
same "... and nothing else" 9 "$(files | wc -l)"

# --- servers that are not well ---

anew
faults "/v1/rim/$driver 429 2" "/v1/rim/$vbios truncated 1"
out 1 "a server that asks for patience, an answer cut short" at "$AUGUST" "${gpu[@]}"
says "... the pause is what it wants" '429: again in 1 s, 2 of 5'
same "... and both come in the end" 2 "$(find "$CACHE/gpu/rim" -type f | wc -l)"
same "... after three questions and two" "3 2" "$(grep -c "$driver" "$D/asked") $(grep -c "$vbios" "$D/asked")"
anew
echo '{"id":"NV_GPU_DRIVER_GH100_550.90.07","rim":"AAAA"}' >"$D/wrong"
faults "/v1/rim/$driver wrong 1" "/v1/rim/$vbios 404 1" "/ redirect 1"
out 1 "wrong content, no content, another place" at "$AUGUST" "${gpu[@]}"
says "... not what it ought to be" "not it: it is not NVIDIA's"
says "... none under this name" 'knows none under this name'
says "... nobody is sent elsewhere" 'answers 302'
check "... and nothing of it is kept" test ! -e "$CACHE/gpu/rim"
echo '{"id":"NV_GPU_DRIVER_GH100_535.86.09","rim":"AAAA"}' >"$D/wrong"
anew
faults "/v1/rim/$driver wrong 2" "/v1/rim/$vbios truncated 9"
out 1 "another document, and answers that are always cut short" at "$AUGUST" "${gpu[@]}" --tries 2
says "... are told apart" 'another document than the one asked for'
says "... from silence" 'gives no answer: \(18\)'
check "... nothing is kept" test ! -e "$CACHE/gpu/rim"
anew
faults "/v1/rim/$driver endless 1"
out 1 "an answer without an end" at "$AUGUST" "${gpu[@]}" --tries 1
says "... is cut off" 'gives no answer: \(23\)'
check "no file is left half-written" test -z "$(find "$CACHE" -name '*.tmp*' -o -name '.*' -type f)"
anew
out 1 "without network" "$FETCH" --cache "$CACHE" --spacing 0 --tries 1 --at "$AUGUST" "${gpu[@]}"
says "... where it could be done is said" 'needs the network: run it where rim.attestation.nvidia.com'
if [[ -x $B/e2e/gpu_bundle ]] && "$B/e2e/gpu_bundle" "$V/gpu" "$T" >/dev/null; then
    out 3 "a saved job" "$CDVM" collateral --bundle "$T/receipt.json" --cache "$T/none" --at "$AUGUST"
    same "... calls for its processor's papers and its GPU's, as the GPU alone does" \
        "$("$CDVM" collateral "${gpu[@]}" --cache "$T/none" --at "$AUGUST" | cut -f1)" "$(grep ^gpu/ "$T/out" | cut -f1)"
    says "... and the chip's" '^Genoa-[0-9a-f]{128}-[0-9a-f]{10}\.vcek'
fi
out 1 "a name that nothing calls for" "$CDVM" collateral "${gpu[@]}" --cache "$CACHE" --keep ../../etc/passwd --answer /dev/null
check "... is not written" test ! -e "$T/etc"
finish
