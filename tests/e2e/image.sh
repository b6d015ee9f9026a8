#!/bin/bash
# The guest image: the same bytes from another folder, at another time, by another user; small; quick when
# nothing has changed; nothing but what the lock names.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"

[[ -f $IMAGE/initrd ]] || skip_all "no image: run make image"
saved=$(realpath "${DEBS:-$B/apt/debs}")
LOCK=$(lock_in_use)

B=$B qemu-scripts/build-image.sh >/dev/null || fail "the image builds"
start=$(date +%s%N)
out=$(B=$B qemu-scripts/build-image.sh)
took=$((($(date +%s%N) - start) / 1000000))
same "with everything in place nothing is built" "image: up to date" "$out"
check "that takes under 2 s (took $took ms)" test "$took" -lt 2000
check "the initrd has less than 16 MB ($(stat -c %s "$IMAGE/initrd") bytes)" test "$(stat -c %s "$IMAGE/initrd")" -lt 16000000
cpio --quiet -t <"$IMAGE/initrd" >"$T/names"
same "the initrd holds agent, libraries and modules only" "" \
    "$(grep -vE '^(dev|proc|run|sys|init|modules(/[0-9]+-[a-z0-9_]+\.ko)?|lib(64)?(/x86_64-linux-gnu)?(/(ld-linux-x86-64|lib[a-z0-9]+)\.so[.0-9]*)?)$' "$T/names")"
same "its modules are those of the list" \
    "aesni_intel configfs cryptd crypto_simd dm_bufio dm_crypt dm_mod dm_verity erofs gf128mul libcrc32c reed_solomon sev_guest sha256_ssse3 tsm virtio_blk xts" \
    "$(grep -oE '[0-9]+-.*\.ko' "$T/names" | sed -E 's/^[0-9]+-(.*)\.ko/\1/' | sort | paste -sd' ')"
check "the command line is the one of the protocol" grep -qE \
    '^console=null loglevel=0 oops=panic panic=-1 random.trust_cpu=1 ' "$IMAGE/cmdline.template"
same "every line of the lock names group, suite, package, version and SHA-256" "" \
    "$(grep -vE '^[a-z0-9-]+ (trixie|sid) [a-z0-9.+-]+ [^ ]+ [0-9a-f]{64}$' "$LOCK")"
check "the image's lock is that of the source ($LOCK)" cmp -s "$LOCK" "$IMAGE/packages.lock"
same "every group of image.packages is in the lock, and no other" \
    "$(sed 's/#.*//' image.packages | awk 'NF {print $1}' | sort -u)" "$(cut -d' ' -f1 "$LOCK" | sort -u)"

# The same again: another folder, another umask, other file times; as nobody where this is root.
other=$T/elsewhere/deeper
mkdir -p "$other"
chmod 755 "$T" "$T/elsewhere"
git ls-files -z | cpio --quiet -0pdm "$other" 2>/dev/null
mkdir "$other/b"
cp "$LOCK" "$other/image.lock"
cp -p "$CDVM" "$other/cdvm" # stages the container template; what it stages is packed in the root
[[ ! -d $B/model ]] || cp -r "$B/model" "$other/b/" # the weights are not fetched again
find "$other" -exec touch -d '2020-02-02' {} +
as_other() { # COMMAND...
    local as=()
    if ((EUID == 0)); then
        chown -R nobody "$other"
        as=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
    fi
    (cd "$other" && umask 077 && "${as[@]}" env -i PATH="$PATH" HOME="$other" TMPDIR="$other" TZ=Asia/Tokyo \
        LC_ALL=C.UTF-8 CFLAGS=-O0 B=b DEBS="$saved" "$@")
}
as_other qemu-scripts/build-image.sh >"$T/log" 2>&1 || fail "it can be built elsewhere" "$T/log"
for f in kernel ovmf.fd initrd cmdline.template packages.lock $(cd "$IMAGE" && ls ./*.vol); do
    check "the same bytes elsewhere: $f" cmp -s "$IMAGE/$f" "$other/b/image/$f"
done
same "the same digests, printed" "$(cd "$IMAGE" && sha256sum kernel ovmf.fd initrd | cut -d' ' -f1)" \
    "$(grep -E '^image: (kernel|ovmf.fd|initrd) ' "$T/log" | grep -oE '[0-9a-f]{64}')"

sed -i '1s/[0-9a-f]\{64\}$/'"$(printf '%064d' 0)"'/' "$other/image.lock"
same "a saved package that is not the lock's is refused" 1 "$(
    as_other qemu-scripts/build-image.sh >"$T/log" 2>&1
    echo $?
)"
check "with a sentence that names it" grep -qE 'base-files.*has not the SHA-256 that image.lock names' "$T/log"

# A machine on which nobody may make a root of their own.
mkdir -p "$other/no"
printf '#!/bin/sh\necho "unshare: unshare failed: Operation not permitted" >&2\nexit 1\n' >"$other/no/unshare"
chmod 755 "$other/no" "$other/no/unshare"
same "no namespaces and no root: refused" 1 "$(
    as_other PATH="$other/no:$PATH" qemu-scripts/build-image.sh >"$T/log" 2>&1
    echo $?
)"
check "in a sentence with the way out" grep -qE 'Operation not permitted\): allow user namespaces .* or run make image as root' "$T/log"
finish
