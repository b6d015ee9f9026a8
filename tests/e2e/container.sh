#!/bin/bash
# Other people's containers: an OCI image made by umoci becomes a volume, the same one wherever it is packed;
# it answers in a real guest through `cdvm ask`; hostile archives and layouts are refused with a sentence.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
command -v umoci >/dev/null || skip_all "umoci is not installed"
BUSYBOX=/bin/busybox
[[ -x $BUSYBOX && -f $IMAGE/initrd ]] || skip_all "no busybox-static, or no image: run make image"

# --- an image of two layers, made by somebody else's tool ---
layout() { # FOLDER  a layout with the image `tool`
    local rootfs=$T/bundle/rootfs name
    rm -rf "$T/bundle"
    umoci init --layout "$1" && umoci new --image "$1:tool" && umoci unpack --rootless --image "$1:tool" "$T/bundle" || return 1
    mkdir -p "$rootfs"/{bin,etc,opt/old,dev}
    cp "$BUSYBOX" "$rootfs/bin/busybox"
    for name in sh cat wc ls id sort sleep ps env; do ln -s busybox "$rootfs/bin/$name"; done
    ln -s /bin/busybox "$rootfs/bin/tr" # absolute, as distributions have them
    echo 'app:x:1234:1234::/:/bin/sh' >"$rootfs/etc/passwd"
    echo old >"$rootfs/opt/old/file"
    ln "$rootfs/etc/passwd" "$rootfs/etc/passwd-"
    chmod 4755 "$rootfs/bin/busybox"
    umoci repack --refresh-bundle --image "$1:tool" "$T/bundle" || return 1
    rm -r "$rootfs/opt/old" && echo new >"$rootfs/opt/new" && echo changed >>"$rootfs/etc/passwd"
    umoci repack --image "$1:tool" "$T/bundle" &&
        umoci config --image "$1:tool" --config.entrypoint sh --config.user app --config.workingdir /opt --config.env GREETING=hello
}
pack() { "$CDVM" image pack "$@" >"$T/root" 2>"$T/packed"; }
root_of() { cut -d: -f1 "$1/tool.volume"; }

check "umoci makes an image" layout "$T/layout" >"$T/umoci" 2>&1
mkdir -p "$T/else/where"
cp -r "$T/layout" "$T/else/where/copy"
tar -C "$T/layout" -cf "$T/layout.tar" .
gzip -k "$T/layout.tar"
check "it is packed" pack tool --oci "$T/layout" --image "$T/one"
(umask 077 && cd "$T/else" && TZ=Asia/Tokyo pack tool --oci where/copy --image "$T/two")
same "from another folder, under another umask: the same root" "$(root_of "$T/one")" "$(root_of "$T/two")"
pack tool --oci "$T/layout.tar" --image "$T/three"
same "from a tar of it: the same root" "$(root_of "$T/one")" "$(root_of "$T/three")"
pack tool --oci "$T/layout.tar.gz" --image "$T/four"
same "from a compressed one: the same root" "$(root_of "$T/one")" "$(root_of "$T/four")"
pack tool --oci "$T/layout" --image "$T/five" --unpacked "$T/tree"
same "--unpacked makes no volume" "" "$(ls "$T/five" 2>/dev/null)"
same "what a layer removes is gone, what it adds is there" "new" "$(ls "$T/tree/opt")"
same "a second name is the same file" "$(stat -c %i "$T/tree/etc/passwd-")" "$(stat -c %i "$T/tree/etc/passwd-" "$T/tree/etc/passwd" | head -n 1)"
same "no set-id bit is left" 755 "$(stat -c %a "$T/tree/bin/busybox")"
same "a link keeps its target" /bin/busybox "$(readlink "$T/tree/bin/tr")"
same "its user, folder, environment and program are the job's" \
    '{"argv":["/bin/sh"],"cwd":"/opt","env":["GREETING=hello","HOME=/tmp","PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"limits":{"files":256,"processes":64,"system":1,"tmp_mib":64},"mode":"plain","name":"tool","uid":1234}' \
    "$(cat "$T/tree/cdvm/job.json")"
same "nothing is left beside the volumes" "" "$(find "$T"/one "$T"/three -name '.*' -mindepth 1)"

# --- in a guest, as a job: the question is the shell's script ---
only
cp "$T/one"/tool.* "$IMAGE"
printf 'workload = tool\nname = A shell\nmemory = 384\nkind = tool\n' >"$IMAGE/shell.offer"
pin_image || fail "manifests"
"$CDVM" image inspect "$IMAGE" >"$T/inspected"
check "inspect names the offer" said "$T/inspected" '^offer +shell: tool on tool, model none, 384 MiB$'
start_provider "$T/provider.log" --run-relay --relay-port 0 || fail "provider" "$T/provider.log"
URL=$(relay_of "$T/provider.log")
# Nothing is pinned but a key, which vouches for it in public.
"$CDVM" image endorse "$IMAGE" --relay "$URL" 2>"$T/who"
same "endorse: the relay takes it" 0 $?
check "endorse: a new key is made and said" said "$T/who" 'a new one is in'
same "endorse: release and volume are taken" 2 "$(grep -c ' taken$' "$T/who")"
echo "endorser $(grep -oE 'npub1[a-z0-9]+' "$T/who")" >"$XDG_CONFIG_HOME/cdvm/pins"
ask() { # NAME QUESTION OPTION...
    local name=$1 question=$2
    shift 2
    mkdir -p "$T/$name"
    "$CDVM" ask --relay "$URL" --policy demo --accept-simulated --offer shell --timeout 120 --out "$T/$name" "$@" \
        "$question" >"$T/$name.out" 2>"$T/$name.err"
}
cp examples/sales.csv "$T/my sales.csv"
# shellcheck disable=SC2016 # the guest's
SCRIPT='echo "$GREETING $(id -u) $(pwd)"
wc -l <"/in/my sales.csv"; sort "/in/my sales.csv" >/out/sorted.csv; echo two >/out/b.txt
: >/dev/null && ls /dev | tr "\n" " "; ps | wc -l
cat /etc/shadow /proc/1/environ 2>/dev/null | tr "\0" "\n"
echo x 2>/dev/null >/opt/new || echo read-only
echo not-shown >&2'
ask answer "$SCRIPT" --attach "$T/my sales.csv"
same "the job is done" 0 $?
check "endorse: its word counts" said "$T/answer.err" '\[PASS\] workload vouched for: 1 endorsers'
check "its user, folder and environment are the image's" said "$T/answer.out" '^hello 1234 /opt$'
check "the file is there under its own name" said "$T/answer.out" "^ *$(wc -l <examples/sales.csv)\$"
check "/dev holds what holds nothing" said "$T/answer.out" 'fd full null random shm stderr stdin stdout urandom zero'
check "the image cannot be written to" said "$T/answer.out" '^read-only$'
check "standard error does not leave" eval "! said '$T/answer.out' not-shown && ! said '$T/answer.err' not-shown"
check "files of /out come back" cmp -s <(LC_ALL=C sort examples/sales.csv) <(cat "$T"/answer/sorted*.csv)
same "all of them" two "$(cat "$T"/answer/b*.txt)"
check "the offer says its memory" said "$T/provider.log" 'offers shell'
ask failure 'echo before; exit 7'
check "an exit status is an error" test $? -ne 0
check "with its number" said "$T/failure.err" 'ended with status 7'
end_process "$PROVIDER"

# --- what is refused ---
refused() { # NAME WORDS OPTION...
    local name=$1 words=$2
    shift 2
    rm -rf "$T/no"
    pack bad --image "$T/no" "$@"
    same "$name: refused" 65 $?
    check "$name: says why" said "$T/packed" "$words"
    same "$name: leaves nothing" "" "$(ls -A "$T/no")"
}
python3 - "$T" <<'PY'
import io, sys, tarfile
T = sys.argv[1]
def tar(name, *entries):
    with tarfile.open(f'{T}/{name}.tar', 'w') as t:
        for path, kind, data in entries:
            i = tarfile.TarInfo(path)
            i.type, i.mode = kind, 0o755
            if kind == tarfile.REGTYPE:
                i.size = len(data)
                t.addfile(i, io.BytesIO(data))
            else:
                i.linkname = data
                if kind == tarfile.CHRTYPE: i.devmajor, i.devminor = 1, 3
                t.addfile(i)
R, S, L, C, D = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE
tar('above', ('a/../../escaped', R, b'x'))
tar('absolute', (f'{T}/escaped', R, b'x'))
tar('device', ('etc/null', C, ''))
tar('hard', ('shadow', L, '/etc/shadow'))
tar('hard-above', ('shadow', L, '../../../etc/shadow'))
tar('through', ('etc', D, ''), ('way', S, '/etc'), ('way/escaped', R, b'x'), ('up', S, '../../../etc'), ('up/two', R, b'x'), ('bin/x', R, b'x'))
tar('nowhere', ('way', S, T), ('way/escaped', R, b'x'))
tar('furniture', ('cdvm', S, T), ('out', S, '/etc'), ('bin/x', R, b'x'))
tar('bomb', ('zeros', R, bytes(3 << 20)))
tar('devnode', ('dev/null', C, ''), ('bin/x', R, b'x'))
PY
refused "a name that leads out" 'leads out of its folder' --tar "$T/above.tar" -- /x
refused "an absolute name" 'is absolute' --tar "$T/absolute.tar" -- /x
refused "a device" 'device, pipe or socket' --tar "$T/device.tar" -- /x
refused "a hard link to the host's" 'is absolute' --tar "$T/hard.tar" -- /x
refused "a hard link that leads out" 'leads out' --tar "$T/hard-above.tar" -- /x
gzip -9k "$T/bomb.tar"
refused "more than it may unpack to" 'more than 2 MiB' --tar "$T/bomb.tar.gz" --max-size 2 -- /zeros
refused "a program that is not there" "no program '/bin/none'" --tar "$T/devnode.tar" -- /bin/none
refused "a name through a link that leads nowhere inside" 'leads nowhere' --tar "$T/nowhere.tar" -- /x
head -c 3000 "$T/layout.tar.gz" >"$T/cut.tar.gz"
refused "half an archive" 'cannot be read' --tar "$T/cut.tar.gz" -- /x
cp -r "$T/layout" "$T/spoilt"
blob=$(find "$T/spoilt/blobs" -type f -size +100k)
printf x | dd of="$blob" bs=1 seek=5000 conv=notrunc 2>/dev/null
refused "a layer with one byte changed" 'by which it is named' --oci "$T/spoilt"
rm "$blob"
refused "a layer that is not there" 'has no blobs/sha256/' --oci "$T/spoilt"
refused "a name that the layout has not" 'no image for linux/amd64 of the name other' --oci "$T/layout" --ref other
check "nothing was written elsewhere" test ! -e "$T/escaped" -a ! -e "$T/volume"
pack through --tar "$T/through.tar" --unpacked "$T/through" -- /bin/x
same "a link is followed inside only" 0 $?
check "and its files lie inside" test -f "$T/through/etc/escaped" -a -f "$T/through/etc/two" -a ! -e /etc/escaped -a ! -e /etc/two
pack furniture --tar "$T/furniture.tar" --unpacked "$T/furniture" -- /bin/x
check "links in the places of ours are replaced" test -f "$T/furniture/cdvm/job.json" -a ! -L "$T/furniture/out" -a ! -e "$T/job.json"
pack devnode --tar "$T/devnode.tar" --unpacked "$T/devnode" -- /bin/x
same "devices of /dev are left out" 0 $?

# --- words on it ---
"$CDVM" image endorse "$IMAGE" --print 2>"$T/who" >"$T/events"
same "endorse: --print prints both" 2 "$(wc -l <"$T/events")"
same "endorse: only its owner may read it" 600 "$(stat -c %a "$XDG_DATA_HOME/cdvm/endorser.key")"
"$CDVM" image endorse "$IMAGE" tool --print --revoke 2>"$T/who" >"$T/events"
check "endorse: taken back with nothing in it" said "$T/events" '"content":"".*|.*"content":""'
check "endorse: by the same key" said "$T/who" 'endorsing as npub1'
finish
