#!/bin/bash
# `cdvm verify` and `cdvm measure` as programs: exit codes, JSON, usage, no network, no test hook.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
V=$(realpath "${VECTORS:-../shared/vectors}" 2>/dev/null)/snp

# field FILE PYTHON-EXPRESSION over the JSON as d
field() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }
# code WANT NAME COMMAND...
code() {
    local want=$1 name=$2
    shift 2
    "$@" >"$T/out" 2>"$T/err"
    same "$name" "$want" $?
}

code 64 "no argument is a usage error" "$CDVM" verify
code 64 "an unknown option is a usage error" "$CDVM" verify --what
code 64 "bundle and report together are a usage error" "$CDVM" verify x.json --snp-report y
code 64 "a bad time is a usage error" "$CDVM" verify x.json --at yesterday
code 64 "a bad nonce is a usage error" "$CDVM" verify --snp-report /dev/null --nonce 00
code 66 "a missing file is named" "$CDVM" verify "$T/nothing.json"
check "... in one sentence" grep -q nothing.json "$T/err"
echo '{}' >"$T/empty.json"
code 65 "a bundle that is none" "$CDVM" verify "$T/empty.json"
code 0 "--help" "$CDVM" verify --help
code 0 "--list-checks" "$CDVM" verify --list-checks
check "... lists the signature" grep -q '^snp.signature ' "$T/out"
code 1 "an empty report fails" "$CDVM" verify --snp-report /dev/null
echo 'profile = demo' >"$T/policy"
code 64 "demo in a policy file is refused" "$CDVM" verify --snp-report /dev/null --policy "$T/policy"
echo 'check = snp.signature note' >"$T/policy"
code 64 "a fixed check in a policy file is refused" "$CDVM" verify --snp-report /dev/null --policy "$T/policy"

# A firmware of our own, one page with the tables at its end.
{ head -c $((4096 - 160)) /dev/zero; cat tests/fuzz/corpus/ovmf/two; } >"$T/fw"
code 0 "measure" "$CDVM" measure --ovmf "$T/fw" --vcpus 2 --vcpu-type EPYC-v4
check "... prints 96 hex digits" grep -qxE '[0-9a-f]{96}' "$T/out"
plain=$(cat "$T/out")
code 0 "measure --json" "$CDVM" measure --ovmf "$T/fw" --vcpus 2 --vcpu-type EPYC-v4 --json
same "... says the same" "$plain" "$(field "$T/out" 'd["launch_digest"]')"
code 0 "measure with a kernel" "$CDVM" measure --ovmf "$T/fw" --kernel /dev/null --append quiet --vcpus 2 --vcpu-type EPYC-v4
check "... differs" test "$plain" != "$(cat "$T/out")"
code 64 "an initrd without a kernel" "$CDVM" measure --ovmf "$T/fw" --initrd /dev/null --vcpus 1 --vcpu-type EPYC
code 64 "an unknown CPU" "$CDVM" measure --ovmf "$T/fw" --vcpus 1 --vcpu-type host
code 65 "no firmware" "$CDVM" measure --ovmf /dev/null --vcpus 1 --vcpu-type EPYC
code 65 "no vCPU" "$CDVM" measure --ovmf "$T/fw" --vcpus 0 --vcpu-type EPYC

check "the program has no test hook (strings)" test -z "$(strings "$CDVM" | grep -iE 'test-root|TEST_ROOTS')"
check "the program has no test hook (symbols)" test -z "$(nm "$CDVM" | grep -E 'roots_test|_test_root')"

# Saved jobs of our own making.
check "jobs to verify" "$B/e2e/bundle" "$T"
cp "$T/pins" "$T/sim-roots" "$XDG_CONFIG_HOME/cdvm/"
code 0 "a receipt passes under demo" "$CDVM" verify "$T/receipt.json" --policy demo
check "... as of then" grep -q '^SIMULATED AS OF THEN, .*: PASS$' "$T/out"
check "... and as of now" grep -q '^SIMULATED VERDICT PASS' "$T/out"
same "... every line is marked" 0 "$(grep -vc '^ *SIMULATED ' "$T/out")"
check "... the guest signed it" grep -q 'PASS.*(receipt.guest)' "$T/out"
code 1 "... not under standard" "$CDVM" verify "$T/receipt.json"
code 0 "a receipt as JSON" "$CDVM" verify "$T/receipt.json" --policy demo --json
same "... says then and now" "PASS True PASS 0" \
    "$(field "$T/out" '" ".join(map(str, (d["verdict"], d["simulated"], d["then"]["verdict"], len(d["then"]["changes"]))))')"
code 1 "twenty years later its certificates have ended" "$CDVM" verify "$T/receipt.json" --policy demo --at 2047-01-01
check "... it was good then" grep -q 'AS OF THEN, .*: PASS$' "$T/out"
check "... and what differs is named" grep -q 'SIMULATED .*(snp.chain.dates)' "$T/out"
code 2 "a receipt that does not cover the last message" "$CDVM" verify "$T/short.json" --policy demo
check "... says so" grep -q 'does not cover your last 1' "$T/out"

code 0 "one message is disclosed" "$CDVM" verify "$T/receipt.json" --disclose "$T/message.json"
cp "$T/out" "$T/disclosed.json"
code 0 "... and proven" "$CDVM" verify "$T/receipt.json" --policy demo --message "$T/disclosed.json"
check "... with its text" grep -q '^SIMULATED   message 1' "$T/out"
sed 's/message 1/message 7/' "$T/disclosed.json" >"$T/forged.json"
code 65 "a message with other words has another id" "$CDVM" verify "$T/receipt.json" --policy demo --message "$T/forged.json"
code 1 "a message of another job is not proven" "$CDVM" verify "$T/other.json" --policy demo --message "$T/disclosed.json"
code 65 "nor disclosed" "$CDVM" verify "$T/other.json" --disclose "$T/message.json"
code 64 "two of these at once" "$CDVM" verify "$T/other.json" --disclose x --diff y

code 0 "two jobs of one machine and guest" "$CDVM" verify "$T/receipt.json" --policy demo --diff "$T/other.json"
check "... nothing changed" grep -q '^SIMULATED   nothing$' "$T/out"
code 2 "a job whose receipt covers less" "$CDVM" verify "$T/receipt.json" --policy demo --diff "$T/short.json" --json
same "... is what changed" "receipt.coverage" "$(field "$T/out" 'd["changes"][0]["id"]')"

echo "gone 31880 $(printf '0a%.0s' {1..32}) 2 cdvm-guest/0.1.0" >"$XDG_STATE_HOME/cdvm/memory"
echo "endorser $(printf '0a%.0s' {1..32})" >>"$XDG_CONFIG_HOME/cdvm/pins"
code 1 "what an endorser took back once stays so" "$CDVM" verify "$T/receipt.json" --policy demo
check "... with the reason" grep -q 'has revoked cdvm-guest/0.1.0' "$T/out"
echo nonsense >"$XDG_STATE_HOME/cdvm/memory"
code 78 "a memory that is not understood stops everything" "$CDVM" verify "$T/receipt.json" --policy demo
rm "$XDG_STATE_HOME/cdvm/memory"
cp "$T/pins" "$XDG_CONFIG_HOME/cdvm/pins"

# Offline: with no route anywhere the result is the same, and not one socket is asked for.
alone() { if ((UID == 0)); then unshare -n "$@"; else unshare -rn "$@"; fi; }
if alone true 2>"$T/err"; then
    code 0 "the same without any network" alone "$CDVM" verify "$T/receipt.json" --policy demo
    code 0 "... compared" alone "$CDVM" verify "$T/receipt.json" --policy demo --diff "$T/other.json"
    code 0 "--fetch without a network says so, and judges what is there" alone "$CDVM" verify "$T/receipt.json" --policy demo --fetch
    check "... in one sentence" grep -q "key server: " "$T/err"
fi
if strace -f -e trace=network -o "$T/trace" "$CDVM" verify "$T/receipt.json" --policy demo >/dev/null 2>&1 || [[ -s $T/trace ]]; then
    same "no network call is made for a bundle" 0 "$(grep -cE '(socket|connect|sendto|bind)\(' "$T/trace")"
fi

[[ -d $V ]] || { echo "# the vectors are not here" && finish; }
real=("$V/real/genoa_v5_gcp.report.bin" --vek "$V/real/genoa_v5_gcp.vek.der" --ask "$V/roots/ask_genoa.der" --ark "$V/roots/ark_genoa.der")
part() { python3 -c 'import sys; print(open(sys.argv[1],"rb").read()[int(sys.argv[2],0):][:int(sys.argv[3])].hex())' "${real[0]}" "$1" "$2"; }
expected=(--nonce "$(part 0x50 64)" --measurement "$(part 0x90 48)" --at 2026-11-22)
code 2 "a real Genoa report" "$CDVM" verify --snp-report "${real[@]}" "${expected[@]}" --json
same "... SMT is all there is to say" "WARN False Genoa 2026-11-22T00:00:00Z" \
    "$(field "$T/out" '" ".join(map(str, (d["verdict"], d["simulated"], d["product"], d["as_of"])))')"
code 3 "without expectations it is not checked" "$CDVM" verify --snp-report "${real[@]}"
code 1 "with another nonce it fails" "$CDVM" verify --snp-report "${real[@]}" "${expected[@]}" --nonce "$(printf '00%.0s' {1..64})"
code 1 "under strict it fails" "$CDVM" verify --snp-report "${real[@]}" "${expected[@]}" --policy strict
pem() { echo '-----BEGIN CERTIFICATE-----' && base64 -w 64 "$1" && echo '-----END CERTIFICATE-----'; }
pem "$V/real/genoa_v5_gcp.vek.der" >"$T/vek.pem"
pem "$V/roots/ask_genoa.der" >"$T/ask.pem"
pem "$V/roots/ark_genoa.der" >"$T/ark.pem"
code 2 "the same from PEM" "$CDVM" verify --snp-report "${real[0]}" --vek "$T/vek.pem" --ask "$T/ask.pem" --ark "$T/ark.pem" "${expected[@]}"

sim=(--snp-report "$V/simpki/turin_good.report.bin" --vek "$V/simpki/sim_vcek_turin.der" --ask "$V/simpki/sim_ask_turin.der" --ark "$V/simpki/sim_ark_turin.der")
code 1 "a forged root fails" "$CDVM" verify "${sim[@]}"
check "... at the root" grep -q 'FAIL.*snp.chain.root' "$T/out"
code 64 "--test-root is no option of the program" "$CDVM" verify "${sim[@]}" --test-root "$V/simpki/sim_ark_turin.der"
code 3 "the test program takes it" "$B/cdvm-testroots" "${sim[@]}" --test-root "$V/simpki/sim_ark_turin.der" --at 2026-11-22
code 1 "... and finds it revoked" "$B/cdvm-testroots" "${sim[@]}" --test-root "$V/simpki/sim_ark_turin.der" --at 2026-11-22 --crl "$V/simpki/sim_crl_turin_ask_revoked.der"

# Offline: not one socket is opened.
if strace -f -e trace=network -o "$T/trace" "$CDVM" verify --snp-report "${real[@]}" "${expected[@]}" >/dev/null 2>&1 || [[ -s $T/trace ]]; then
    same "no network call is made" 0 "$(grep -cE '(socket|connect|sendto|bind)\(' "$T/trace")"
fi
finish
