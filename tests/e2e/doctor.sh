#!/bin/bash
# cdvm doctor on this very machine: its facts against what other programs say, in seconds, leaving nothing behind.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"

# state ID FILE: the state of a line in the JSON;  found ID FILE
line() { python3 -c 'import json, sys; print(*[c[sys.argv[3]] for c in json.load(open(sys.argv[2]))["checks"] if c["id"] == sys.argv[1]][:1])' "$1" "$2" "$3"; }
state() { line "$1" "$2" state; }
found() { line "$1" "$2" found; }
# either WORD-IF-TRUE WORD-IF-FALSE COMMAND...
either() {
    local yes=$1 no=$2
    shift 2
    if "$@" >/dev/null 2>&1; then echo "$yes"; else echo "$no"; fi
}

if [[ -s $IMAGE/initrd ]]; then
    "$CDVM" image manifest "$IMAGE" --version test >/dev/null || fail "the image is described"
fi

began=${EPOCHREALTIME/./}
"$CDVM" doctor --json --image "$IMAGE" >"$T/doctor.json" 2>"$T/doctor.err"
code=$?
took=$(((${EPOCHREALTIME/./} - began) / 1000))
check "it answers in seconds ($took ms)" test "$took" -lt 15000
same "and says nothing besides" "" "$(cat "$T/doctor.err")"
check "no process of it is left" eval "! pgrep -f '^$CDVM doctor'"
same "its exit status is the one in the JSON" "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["exit"])' "$T/doctor.json")" "$code"

# The processor: the kernel's own list of features.
has_flag() { grep -m 1 '^flags' /proc/cpuinfo | grep -qw "$1"; }
same "SEV, as /proc/cpuinfo has it" "$(either ok missing has_flag sev)" "$(state cpu.sev "$T/doctor.json")"
if has_flag sev; then
    same "SEV-SNP, as /proc/cpuinfo has it" "$(either ok missing has_flag sev_snp)" "$(state cpu.snp "$T/doctor.json")"
else
    same "SEV-SNP waits for SEV" "not checked" "$(state cpu.snp "$T/doctor.json")"
fi
same "the kernel's version" "Linux $(uname -r)" "$(found kernel.version "$T/doctor.json")"

# KVM: a whole Linux is booted by hand, and has to come as far as its first words.
linux_boots() {
    timeout 8 qemu-system-x86_64 -nodefaults -display none -no-reboot -accel kvm -cpu Nehalem -m 512 -kernel "$IMAGE/kernel" \
        -append 'console=ttyS0 panic=-1' -serial stdio 2>/dev/null </dev/null | grep -aqm 1 'Linux version'
}
if (exec 3<>/dev/kvm) 2>/dev/null && [[ -s $IMAGE/kernel ]]; then
    runs=$(either ok missing linux_boots)
    same "/dev/kvm opens, and Linux booted by hand under it says as the small guest does ($runs)" "$runs" "$(state kvm.runs "$T/doctor.json")"
    if [[ $runs == missing ]]; then
        check "a device that opens is not taken for one that runs guests" grep -q '^/dev/kvm opens, but ' <<<"$(found kvm.runs "$T/doctor.json")"
    fi
else
    same "no KVM to open" missing "$(state kvm.runs "$T/doctor.json")"
fi

version=$(qemu-system-x86_64 --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)
check "QEMU's version ($version)" grep -qF "QEMU $version " <<<"$(found qemu.snp "$T/doctor.json")"
same "its SEV-SNP, by its own list of objects" \
    "$(either ok missing eval 'qemu-system-x86_64 -object help | grep -q sev-snp-guest')" "$(state qemu.snp "$T/doctor.json")"
same "/dev/sev" "$(either true false test -e /dev/sev)" "$(either true false test "$(state sev.device "$T/doctor.json")" = ok)"
same "NVIDIA GPUs, counted in sysfs" \
    "$(cat /sys/bus/pci/devices/*/{vendor,class} 2>/dev/null | paste - - | grep -c '0x10de.*0x0302' || true)" \
    "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["host"]["gpus"])' "$T/doctor.json")"
same "the image" "$(either ok missing test -s "$IMAGE/ovmf.fd")" "$(state image.firmware "$T/doctor.json")"

# How it reads.
"$CDVM" doctor --image "$IMAGE" >"$T/doctor.txt"
same "as text it ends the same" "$code" $?
same "no line is over 80 columns" "" "$(grep -nE '.{81}' "$T/doctor.txt")"
check "no colour where it is no terminal" eval "! grep -q $'\033' '$T/doctor.txt'"
TERM=xterm script -qec "$CDVM doctor --image $IMAGE" "$T/tty" >/dev/null
check "colour on one" grep -q $'\033\\[31mmissing' "$T/tty"
check "and what it is looking at, meanwhile" grep -q 'looking at KVM' "$T/tty"
TERM=xterm NO_COLOR=1 script -qec "$CDVM doctor --image $IMAGE 2>/dev/null" "$T/tty" >/dev/null
check "none with NO_COLOR" eval "! grep -q $'\033\\[3' '$T/tty'"

# Relays are really asked.
start_relay "$T/relay.log" --port 0 || fail "relay" "$T/relay.log"
"$CDVM" doctor --json --image "$IMAGE" --relay "$(relay_of "$T/relay.log")" --relay ws://127.0.0.1:1 >"$T/relays.json"
same "a relay that answers" ok "$(state relay "$T/relays.json")"
same "one that does not" "ok missing" "$(python3 -c 'import json, sys; print(*[c["state"] for c in json.load(open(sys.argv[1]))["checks"] if c["id"] == "relay"])' "$T/relays.json")"

# A relay's server says what time it is.
python3 - >"$T/port" <<'PY' &
import email.utils, http.server, time
class Late(http.server.BaseHTTPRequestHandler):
    def date_time_string(self, timestamp=None): return email.utils.formatdate(time.time() - 300, usegmt=True)
    def do_GET(self): self.send_response(200), self.end_headers()
    def log_message(self, *args): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Late)
print(server.server_port, flush=True)
server.serve_forever()
PY
PIDS+=($!)
wait_for 30 test -s "$T/port"
"$CDVM" doctor --json --image "$IMAGE" --relay "ws://127.0.0.1:$(<"$T/port")" >"$T/late.json"
check "a clock five minutes ahead of a relay's" grep -qE '^(299|30[01]) s ahead of ' <<<"$(found host.clock "$T/late.json")"

# A provider of confidential guests heeds the same lines; the simulator is asked nothing.
timeout 60 "$CDVM" provider --backend snp --image "$IMAGE" --run-relay --state "$T/snp" >"$T/snp.log" 2>&1
refused=$?
if ((code == 1)); then
    same "the provider refuses to sell confidential guests here" 69 "$refused"
    first=$(python3 -c 'import json, sys; print(next(c["id"] for c in json.load(open(sys.argv[1]))["checks"] if c["state"] == "missing" and c["level"] == "cpu"))' "$T/doctor.json")
    check "and says which line, and how to mend it" eval "said '$T/snp.log' 'missing: $first: ' && said '$T/snp.log' 'to mend it: '"
    check "nothing was published" eval "! said '$T/snp.log' 'offers |relay ws'"
fi

# Another machine, from a folder that describes it (tests/unit/host.h has the whole language of these lines).
while read -r path op words; do
    [[ $path != '#' ]] || continue
    mkdir -p "$(dirname "$T/laptop/$path")"
    if [[ $op == = ]]; then echo "$words" >"$T/laptop/$path"; else echo "$words" >>"$T/laptop/$path"; fi
done <tests/hosts/doctor/nothing.tree
"$CDVM" doctor --root "$T/laptop" >"$T/laptop.txt"
same "a laptop described by a folder: exit" 1 $?
check "and its lines" diff tests/hosts/doctor/nothing.txt "$T/laptop.txt"

"$CDVM" doctor --nothing >"$T/usage" 2>&1
same "an option that is none" 64 $?
"$CDVM" doctor --root "$T/none" >"$T/root" 2>&1
same "a folder that describes no machine" 65 $?
check "is said so" said "$T/root" "none/cpuid' cannot be read"

# A log: each cause once, and no control byte of it on the terminal.
printf '%s\n' 'Linux is up' $'\e[31mNVRM: RmInitAdapter failed! (0x22:0x56:884)' \
    'NVRM: RmInitAdapter failed! (0x22:0x56:885)' 'No devices were found' >"$T/log"
"$CDVM" doctor --explain "$T/log" >"$T/explained"
same "a log with lines that are known" 0 $?
same "is told by cause" 2 "$(grep -c '^    gpu-failed: ' "$T/explained")"
check "without what it does to a terminal" eval "! grep -q $'\e' '$T/explained'"
same "one that is all unknown" 1 "$("$CDVM" doctor --explain - <<<$'PV qspinlock hash table entries: 256\nPCI host bridge to bus 0000:00' >"$T/unknown"; echo $?)"
"$CDVM" doctor --explain "$T/none" 2>"$T/no-log"
same "one that is not there" 66 $?
finish
