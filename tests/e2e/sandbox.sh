#!/bin/bash
# A workload that wants out, inside real guests: each attempt by its name and how it ended (probe.c), and each
# limit that it can run into by the code that the customer is told.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
# shellcheck source=/dev/null
. tests/e2e/guest.bash

mkdir "$T/results"
PROBE=$(probe_volume probe)
MODEL=$(model_volume)

# found TEXT: each line of standard input, "name how", is in it
found() {
    local name want
    while read -r name want; do
        same "$1: $name" "$want" "$(grep -oE "(^| )$name=[^ ]*" <<<"$2" | tail -n 1 | cut -d= -f2-)"
    done
}

# --- as usual: no sockets, no /proc, no /dev; a model ---
VOLUME=$T/probe.vol MODEL_VOLUME=$T/model.vol APPEND=$(append "$PROBE" "$MODEL") start
LIMIT=300 job -q escape -q link -q pipe -q folder -q outside -q named -q fill -q fill-tmp -q noise -q flood -q gigabyte \
    -o "$T/results"
found "from inside" "$(line 'ANSWER ok port=')" <<'END'
port ENOENT
report_device ENOENT
report_config ENOENT
disk ENOENT
mapper ENOENT
kmsg ENOENT
agent_memory ENOENT
proc ENOENT
sysfs ENOENT
initrd ENOENT
volume_copy ENOENT
mknod_port EPERM
mknod_disk EPERM
write_root EROFS
write_own EROFS
write_in EROFS
read_model ok
write_model EROFS
write_out ok
write_tmp ok
exec_tmp EACCES
inet EPERM
inet6 EPERM
netlink EPERM
vsock EPERM
packet EPERM
interfaces EPERM
other_process ESRCH
all_processes ESRCH
trace EPERM
mounting EPERM
unmounting EPERM
rooting EPERM
namespaces EPERM
new_user EPERM
becoming_root EPERM
rebooting EPERM
module EPERM
bpf EPERM
keys EPERM
ring EPERM
perf EPERM
handle EPERM
peek EPERM
fault_fd EPERM
hostname EPERM
raise_limit EPERM
attach EPERM
add_key EPERM
set_ns EPERM
pivot EPERM
new_mount EPERM
mount_tree EPERM
swap EPERM
io_ports EPERM
kexec EPERM
poke EPERM
borrow_fd EPERM
kernel_log EPERM
ldt EPERM
set_time EPERM
other_filter EPERM
typing EPERM
local EPERM
pair EPERM
socket_tmp EPERM
socket_out EPERM
hard_link EXDEV
hard_model EXDEV
device_out EPERM
sparse EFBIG
proc_other ENOENT
proc_memory ENOENT
proc_cmdline ENOENT
proc_switches ENOENT
proc_kernel ENOENT
dev_null ENOENT
dev_random ENOENT
dev_memory ENOENT
dev_new EROFS
dev_change ENOENT
int80 SYS
x32 SYS
above itself
group unknown
mounts unknown
cpus 1
pid 1
ppid 0
uid 1000
gid 1000
descriptors 3
environment 0
node workload
END
answers=$(grep -oE 'ANSWER [a-z-]+' "$T/said" | cut -c8- | paste -sd' ')
same "links, pipes, folders and paths outside are not read; floods are cut off" \
    "ok bad-workload bad-workload bad-workload bad-workload ok ok ok ok too-large workload-output" "$answers"
check "a result's name is only a name" grep -q 'FILE file result' "$T/said"
same "its folders have limits" 2 "$(grep -c 'ANSWER ok ENOSPC' "$T/said")"
check "a gigabyte to standard error goes nowhere" grep -q 'ANSWER ok quiet' "$T/said"
check "a gigabyte of lines: the customer is told" grep -qE 'ANSWER workload-output .*more than 32 MiB' "$T/said"

# --- a job file that asks for sockets, /proc and /dev: those, and no more ---
OPEN=$(probe_volume open '"memory_mib":64,"processes":4,"sockets":1,"system":1')
VOLUME=$T/open.vol APPEND=$(append "$OPEN") start
job -q escape -q eat
found "with /proc and /dev" "$(line 'ANSWER ok port=')" <<'END'
port ENOENT
report_device ENOENT
disk ENOENT
mapper ENOENT
kmsg ENOENT
sysfs ENOENT
proc ok
proc_other ENOENT
proc_memory ENOENT
proc_cmdline ENOENT
proc_switches ENOENT
proc_kernel ENOENT
dev_null ok
dev_random ok
dev_memory ENOENT
dev_new EROFS
dev_change EPERM
local ok
pair ok
socket_tmp ok
socket_out EACCES
inet EPERM
inet6 EPERM
netlink EPERM
vsock EPERM
interfaces EPERM
typing EPERM
mknod_disk EPERM
group 0::/
mounts /:/in:/out:/tmp:/proc:/dev:/dev/null:/dev/zero:/dev/full:/dev/random:/dev/urandom
above itself
pid 1
descriptors 3
END
check "all memory: it is ended at the limit of its job file, and the customer is told" \
    grep -qE 'ANSWER workload-memory .*64 MiB' "$T/said"
check "... with a receipt" grep -qE 'RECEIPT (error|end) .* check [01]' "$T/said"

# --- one limit, or one broken rule, after which nothing more can be asked ---
# ended QUESTION CODE
ended() {
    VOLUME=$T/probe.vol APPEND=$(append "$PROBE") start
    job -q "$1"
    check "'$1' ends with $2" grep -qE "ANSWER ($2) " "$T/said"
    check "... and so does the job, with a receipt" grep -qE 'RECEIPT (error|end) .* check [01]' "$T/said"
}
ended bomb workload-processes
ended filled workload-disk
ended eat workload-memory
most=$(grep -oE 'than its [0-9]+ MiB' "$T/said" | grep -oE '[0-9]+')
check "a job file that allows more than the guest has gets less (${most:-none} of 512 MiB)" test "${most:-999}" -le 448
ended long bad-workload
ended garbage bad-workload
ended leave workload-died
finish
