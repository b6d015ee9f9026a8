#!/bin/bash
# The first ten minutes of a newcomer, on machines that are not as one would wish: no root, no apt, apt
# locked, no network, no room, nothing writable, a path with a space, limits, no relay. Each is one clear
# sentence, or just works.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
chmod 755 "$T"
user=$EUID
((user != 0)) || user=65534

# as_user COMMAND...  as somebody without rights: nobody where this is root
as_user() {
    if ((EUID == 0)); then
        setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all "$@"
    else "$@"; fi
}
# says NAME EXIT PATTERN COMMAND...  its exit status, and a line of what it says
says() {
    local name=$1 want=$2 pattern=$3 rc=0
    shift 3
    "$@" >"$T/said" 2>&1 || rc=$?
    if [[ $rc == "$want" ]] && grep -qE -- "$pattern" "$T/said"; then pass "$name"; else
        fail "$name" "exit $rc, wanted $want and '$pattern'" "$T/said"
    fi
}

[[ -s $IMAGE/initrd ]] || skip_all "there is no guest image (make image)"
B=$B qemu-scripts/build-image.sh >/dev/null || exit 1

# --- packages ---

# A machine where tmux is missing, apt-get does as told, and nobody is asked for a password.
fakes=$T/fakes
mkdir "$fakes"
cat >"$fakes/dpkg-query" <<'FAKE'
#!/bin/sh
for last; do :; done
[ "$last" = tmux ] || echo installed
FAKE
cat >"$fakes/apt-get" <<'FAKE'
#!/bin/sh
echo "$@" >>"$FAKE_LOG"
[ ! -e "$FAKE_LOCKED" ] || { n=$(cat "$FAKE_LOCKED"); [ "$n" = 0 ] || {
    echo $((n - 1)) >"$FAKE_LOCKED"
    echo "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1 (apt)" >&2; exit 100; }; }
case "$*" in *update*) exit "${FAKE_UPDATE:-0}" ;; esac
FAKE
printf '#!/bin/sh\nexit 1\n' >"$fakes/sudo"
chmod 755 "$fakes"/*
export FAKE_LOG=$T/apt.log FAKE_LOCKED=$T/locked CDVM_APT_WAIT=10
faked() { PATH=$fakes:$PATH "$@" </dev/null; }

says "no root and no sudo: it stops" 77 'Nothing was installed' faked as_user qemu-scripts/install-deps.sh demo
check "and prints the line for root" grep -qx '  apt-get install --no-install-recommends tmux' "$T/said"
check "apt was not run" test ! -e "$FAKE_LOG"

bare=$T/bare # what any distribution has
mkdir "$bare"
for tool in bash env dirname; do ln -s "$(command -v "$tool")" "$bare/"; done
says "another distribution: it lists the packages" 69 '^  qemu-system-x86$' \
    env PATH="$bare" bash qemu-scripts/install-deps.sh demo
check "and says how to go on" said "$T/said" 'DEPS=0'

cat >"$fakes/df" <<'FAKE'
#!/bin/sh
for last; do :; done
echo head
if [ "$last" = /var ]; then echo "d 1 1 102400 1% /"; else echo "d 1 1 99999999 1% /"; fi
FAKE
chmod 755 "$fakes/df"
if ((EUID == 0)); then
    says "too little room where packages go: said first" 73 'Only 100 MB are free on /var' \
        faked qemu-scripts/install-deps.sh demo
    check "and apt was not run" test ! -e "$FAKE_LOG"
    rm "$fakes/df"
    echo 1 >"$FAKE_LOCKED"
    says "apt locked for a while: it waits and says so" 0 'apt is in use by another program; waiting' \
        faked qemu-scripts/install-deps.sh demo
    check "and then installs" said "$T/said" '^Installed'
    same "never with recommended packages" "install -y --no-install-recommends tmux" \
        "$(grep -oE 'install .*' "$FAKE_LOG" | tail -n 1)"
    echo 1000 >"$FAKE_LOCKED"
    says "apt locked for good: it gives up in words" 75 'still in use by another program after 10 s' \
        faked qemu-scripts/install-deps.sh demo
    rm "$FAKE_LOCKED"
    FAKE_UPDATE=100 says "apt without network: in words, and what to do" 69 'apt-get update failed.*DEPS=0' \
        faked qemu-scripts/install-deps.sh demo
else
    pass "apt as root # SKIP this is not root"
fi
same "the wait is 120 s unless told otherwise" 1 "$(grep -c 'CDVM_APT_WAIT:-120} s)' qemu-scripts/install-deps.sh)"

# --- no relay: what to do, from every command ---

for c in "ask x" offers provider; do
    # shellcheck disable=SC2086 # words
    says "no relay: cdvm $c names the simulator" 78 'no relay is configured.*make demo' "$CDVM" $c
done

# --- a user without rights, in a clone of their own, whose path has spaces ---

clone="$T/a clone of mine"
mkdir -p "$clone" "$T/home"
git ls-files -z | cpio --quiet -0pdm "$clone" 2>/dev/null
cp -rp --reflink=auto "$B" "$clone/build.tmp" 2>/dev/null
rm -rf "$clone/build.tmp/fuzz" "$clone/build.tmp/unit" "$clone/build.tmp/image" "$clone/build.tmp/demo" \
    "$clone/build.tmp/root" "$clone/build.tmp/e2e"
mv "$clone/build.tmp" "$clone/build"
cp -p "$CDVM" "$clone/cdvm"
if ((EUID == 0)); then chown -R 65534:65534 "$clone" "$T/home"; fi
in_clone() { # COMMAND... with a home and nothing of this test's environment; no XDG_RUNTIME_DIR either
    (cd "$clone" && as_user env -i PATH="$PATH" HOME="$T/home" LANG=C TERM=xterm "$@")
}

# Killed while it packs: the next one starts from what is there and makes the same.
# shellcheck disable=SC2016
in_clone setsid bash -c 'echo $$ >"$HOME/group"; exec make -s DEPS=0 all image' >"$T/log" 2>&1 &
builder=$!
if wait_for 120 said "$T/log" 'image: (compiling|packing) '; then
    pass "the image builds in a path with spaces, as a user without rights"
else fail "the image builds in a path with spaces, as a user without rights" "$T/log"; fi
kill -KILL -- "-$(cat "$T/home/group")"
wait "$builder" 2>/dev/null
rm "$T/home/group"
check "interrupted: it does not look finished" test ! -e "$clone/build/image/.state"
says "and the next one completes it" 0 'image: done' in_clone make -s DEPS=0 all image
for f in kernel initrd table.vol table.volume; do
    check "with the same bytes: $f" cmp "$IMAGE/$f" "$clone/build/image/$f"
done

find "$T/home" | sort >"$T/home.before"
in_clone make DEPS=0 demo-headless >"$T/out" 2>"$T/err"
same "make demo-headless there exits 0" 0 $?
check "its relay has a port of its own choosing, printed" grep -qE '^relay +ws://127\.0\.0\.1:[1-9][0-9]+$' "$T/out"
check "its answer is there" said "$T/out" '^north +17 +9000.51'
same "nothing in the home folder changed" "" "$(find "$T/home" | sort | diff "$T/home.before" -)"
same "no process is left" "" "$(pgrep -f "$clone" | grep -vx $$)"
same "no socket or run directory is left" "" "$(find "$clone/build/demo" -type s -o -path '*/run*')"

# --- folders and limits ---

# The provider as that user, without XDG_RUNTIME_DIR and with nothing to lock keys in.
# shellcheck disable=SC2016
in_clone env TMPDIR="$T/home" bash -c 'echo $$ >"$HOME/pid"; ulimit -l 0; exec ./cdvm provider --state "$HOME/state" --accel auto --run-relay --relay-port 0' \
    >"$T/provider.log" 2>&1 &
launcher=$!
check "a provider starts under small limits" wait_for 120 said "$T/provider.log" 'relays 1/1 up'
PIDS+=("$(cat "$T/home/pid")")
same "small RLIMIT_MEMLOCK: it warns once" 1 "$(grep -c 'keys may end up in swap' "$T/provider.log")"
folder=$T/home/cdvm-$user
same "no XDG_RUNTIME_DIR: a private folder instead" 700 "$(stat -c %a "$folder")"
if as_user test -r /dev/kvm -a -w /dev/kvm; then
    pass "/dev/kvm not ours # SKIP it is open to everybody here"
elif [[ -e /dev/kvm ]]; then
    check "/dev/kvm not ours: its group is named" said "$T/provider.log" "/dev/kvm .*group '$(stat -c %G /dev/kvm)'"
else check "no /dev/kvm: said" said "$T/provider.log" 'no /dev/kvm'; fi
# shellcheck disable=SC2016
says "a customer with nothing to lock keys in is warned, and goes on" 69 'keys may end up in swap' \
    in_clone bash -c 'ulimit -l 0; exec ./cdvm ask --relay "$1" --offer none x' - "$(relay_of "$T/provider.log")"
same "once" 1 "$(grep -c 'keys may end up in swap' "$T/said")"
kill -TERM "$(cat "$T/home/pid")"
wait "$launcher"
same "stopped, it leaves its folder empty" "" "$(find "$folder" -mindepth 2)"
in_clone mkdir "$T/home/open" && in_clone chmod 777 "$T/home/open"
as_user mkdir -m 755 "$T/home/open/cdvm-$user"
says "a folder there that is open to others is refused" 71 'is not a folder of yours closed to others' \
    in_clone env TMPDIR="$T/home/open" ./cdvm provider --state "$T/home/state" --run-relay --relay-port 0

# --- no network, no room, nothing writable, no such build folder ---

says "no network for the image: names what could not be fetched" 1 'package lists of Debian sid and trixie could not be fetched from http://127.0.0.1:9/debian' \
    in_clone env MIRROR=http://127.0.0.1:9/debian DEBS="$T/home/debs" qemu-scripts/fetch-debs.sh fetch
check "and what to do" said "$T/said" 'run make again when it is there, or name a mirror'
says "a build folder with a space: make says that it cannot" 2 'cannot build in a folder whose name has a space' \
    make -n B='my build'
if ((EUID == 0)) && unshare --mount true 2>/dev/null; then
    # shellcheck disable=SC2016
    says "a read-only disk: in a sentence" 2 'this folder cannot be written to' unshare --mount bash -c \
        'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && cd "$1" && make DEPS=0 demo-headless' - "$clone"
    # shellcheck disable=SC2016
    says "no room for the image: in a sentence" 1 "has [0-9]+ MiB free and this needs [0-9]+ MiB" unshare --mount bash -c \
        'cd "$1" && mount -t tmpfs -o size=4m none build && make -s DEPS=0 image; exit $(( $? != 0 ))' - "$clone"
    # shellcheck disable=SC2016
    says "no room for the demo: in a sentence" 73 'MiB free and the demo needs 64 MiB' unshare --mount bash -c \
        'cd "$1" && mount -t tmpfs -o size=4m none build/demo && qemu-scripts/demo.sh headless' - "$clone"
    # shellcheck disable=SC2016
    says "a disk that fills up under the provider: in a sentence" 71 'No space left|full' unshare --mount bash -c \
        'cd "$1" && mkdir -p "$2" && mount -t tmpfs -o size=64k none "$2" && dd if=/dev/zero of="$2/x" bs=4k 2>/dev/null
         XDG_DATA_HOME=$2 exec ./cdvm provider --state "$2/state" --run-relay --relay-port 0' - "$clone" "$T/home/full"
else
    pass "disks that are full or read-only # SKIP needs root and mount namespaces"
fi
says "a folder of somebody else's: in a sentence" 73 'cannot be written to: set DEMO_DIR' \
    in_clone env DEMO_DIR=/proc/nowhere qemu-scripts/demo.sh headless
finish
