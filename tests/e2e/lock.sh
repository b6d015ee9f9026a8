#!/bin/bash
# Where the image's packages come from: a dated mirror (made here of the saved packages), a folder of saved
# ones; what is taken, or said, when neither has what image.lock names.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"

saved=$(realpath "${DEBS:-$B/apt/debs}")
[[ -d $saved ]] || skip_all "no packages were fetched: run make image"
LOCK=$(realpath "$(lock_in_use)")
command -v gpg >/dev/null || skip_all "no gpg"

# --- a mirror of the packages of one group, with a key of its own; its lists ran out long ago ---

mirror=$T/mirror
mkdir -p "$mirror/pool" "$T/gpg"
chmod 700 "$T/gpg"
new_key() { # NAME
    gpg --homedir "$T/gpg" --batch --quiet --pinentry-mode loopback --passphrase '' --quick-gen-key "$1@localhost" ed25519 sign never
    gpg --homedir "$T/gpg" --batch --export "$1@localhost" >"$T/$1.gpg"
}
new_key keeper 2>"$T/log"
new_key other 2>>"$T/log"

paragraphs() {
    local deb
    for deb in "$mirror"/pool/*.deb; do
        dpkg-deb -f "$deb"
        printf 'Filename: pool/%s\nSize: %s\nSHA256: %s\n\n' "${deb##*/}" "$(stat -c %s "$deb")" \
            "$(sha256sum <"$deb" | cut -d' ' -f1)"
    done
}
publish() { # KEY [WHEN]  lists of a year ago that hold for a week, or of WHEN
    local suite dir when=${2:-2025-11-01}
    for suite in trixie sid; do
        dir=$mirror/dists/$suite
        mkdir -p "$dir/main/binary-amd64"
        paragraphs >"$dir/main/binary-amd64/Packages"
        {
            printf 'Origin: Debian\nSuite: %s\nCodename: %s\n' "$suite" "$suite"
            date -u -d "$when" +'Date: %a, %d %b %Y %T UTC'
            date -u -d "$when + 7 days" +'Valid-Until: %a, %d %b %Y %T UTC'
            printf 'Architectures: amd64\nComponents: main\nSHA256:\n %s %s main/binary-amd64/Packages\n' \
                "$(sha256sum <"$dir/main/binary-amd64/Packages" | cut -d' ' -f1)" \
                "$(stat -c %s "$dir/main/binary-amd64/Packages")"
        } >"$dir/Release"
        gpg --homedir "$T/gpg" --batch --quiet --yes -u "$1@localhost" --clearsign -o "$dir/InRelease" "$dir/Release"
        rm "$dir/Release"
    done
}
while read -r _ _ package version _; do
    cp "$saved/${package}_${version//:/%3a}"_*.deb "$mirror/pool/"
done < <(grep '^ocr ' "$LOCK")
(cd "$mirror/pool" && for f in *%3a*; do mv "$f" "${f/\%3a/-epoch-}"; done) # mirrors have names of their own
publish keeper

# --- a clone that knows this one group ---

clone=$T/clone
mkdir -p "$clone"
cp -r --parents qemu-scripts "$clone/"
grep -E '^ocr ' image.packages >"$clone/image.packages"
echo 'ocr2 sid libgif7' >>"$clone/image.packages"
fetch() { # VARIABLE=VALUE... COMMAND  its exit status and words in $T/said
    env -i PATH="$PATH" HOME="$T" KEYRING="$T/keeper.gpg" "${@:1:$#-1}" "$clone/qemu-scripts/fetch-debs.sh" "${@: -1}" >"$T/said" 2>&1
}
refuses() { # NAME PATTERN VARIABLE=VALUE... COMMAND
    local name=$1 pattern=$2
    shift 2
    if fetch "$@"; then fail "$name" "it was not refused" "$T/said"; return; fi
    if grep -qE -- "$pattern" "$T/said"; then pass "$name"; else fail "$name" "wanted '$pattern'" "$T/said"; fi
}
dated=SNAPSHOT=file://$mirror

fetch "$dated" lock || fail "a lock from a dated mirror" "$T/said"
same "make lock finds the same packages, versions and hashes" "$(grep '^ocr ' "$LOCK")" "$(grep '^ocr ' "$clone/image.lock")"
fetch "$dated" DEBS="$T/debs" fetch || fail "packages from a dated mirror" "$T/said"
same "make image takes them from there, under their names" \
    "$(cd "$saved" && grep '^ocr ' "$LOCK" | while read -r _ _ p v _; do ls "${p}_${v//:/%3a}"_*; done | sort)" \
    "$(find "$T/debs" -type f -printf '%f\n' | sort)"
fetch SNAPSHOT=file:///nowhere DEBS="$T/debs" fetch || fail "a folder of saved packages is enough" "$T/said"
same "with all of them saved nothing is asked of a mirror" "" "$(cat "$T/said")"
rm "$T"/debs/libgif7_*
fetch "$dated" DEBS="$T/debs" fetch || fail "one that is missing" "$T/said"
check "what is missing from the folder is fetched, alone" said "$T/said" 'fetching package 1 of 1, 0 of 0 MiB, libgif7'
cp "$T/debs/libgif7_"* "$T/kept"

refuses "an old mirror that is not said to be dated" 'package lists of Debian .*could not be fetched' \
    "MIRROR=file://$mirror" lock
refuses "a mirror signed by somebody else" 'package lists of Debian .*could not be fetched' "$dated" KEYRING="$T/other.gpg" lock
refuses "a mirror not signed by Debian" 'package lists of Debian .*could not be fetched' "$dated" KEYRING= lock
refuses "a date that is none" "SNAPSHOT='yesterday' is neither a time like" SNAPSHOT=yesterday lock

cp "$clone/image.lock" "$T/lock"
echo 'ocr trixie libnew1' >>"$clone/image.packages"
refuses "a package that image.packages has and the lock has not" "names 'ocr trixie libnew1', which image.lock has not: make lock" \
    "$dated" DEBS="$T/debs" fetch
refuses "make lock says which group cannot be resolved" "apt cannot resolve group 'ocr' .* in trixie" "$dated" lock
sed -i 's/^ocr trixie libnew1$/ocr sid libgif7/' "$clone/image.packages"
refuses "a group of two suites" "the packages of group 'ocr' are not all of one suite" "$dated" lock
sed -i '$d' "$clone/image.packages"
sed -i -E 's/ (libgif7) [^ ]+ / \1 0.0.1 /' "$clone/image.lock"
refuses "a package that is no longer served is named" "no longer served by file:.*: libgif7 0\.0\.1\." "$dated" DEBS="$T/debs" fetch
check "with the ways out: make lock, saved packages, a dated mirror" \
    grep -qE 'make lock.*DEBS=DIR.*SNAPSHOT=YYYYMMDDThhmmssZ' <(tr '\n' ' ' <"$T/said")
sed -E 's/( libgif7 [^ ]+) .*/\1 '"$(printf '%064d' 0)"'/' "$T/lock" >"$clone/image.lock"
refuses "a saved package with other bytes than the lock's" 'libgif7.* has not the SHA-256 that image.lock names' "$dated" DEBS="$T/debs" fetch
rm "$T"/debs/libgif7_*
refuses "a served one, too" 'serves libgif7 .* which is not the one in image.lock' "$dated" DEBS="$T/debs" fetch
same "and nothing of it is kept" "" "$(find "$T/debs" -name 'libgif7*')"

# --- an older clone, and a mirror that has gone on: an image of what is served now, said to be another ---

sed -E 's/ (libgif7) [^ ]+ / \1 0.0.1 /' "$T/lock" >"$clone/image.lock"
publish keeper 'now - 1 hour'
today=MIRROR=file://$mirror
refuses "with LOCKED=1 nothing is taken instead" "no longer served by file:.*: libgif7 0\.0\.1\." "$today" LOCKED=1 DEBS="$T/debs" fetch
rm "$T"/debs/libgif7_*
fetch "$today" DEBS="$T/debs" fetch || fail "an older clone gets what is served now" "$T/said"
check "it is told that this is not the image of image.lock" grep -q 'this image is NOT the one of image.lock' "$T/said"
check "and what of the lock is gone" grep -qF "no longer served by file://$mirror: libgif7 0.0.1" "$T/said"
same "what was taken is in the lock of the build folder" "$(cat "$T/lock")" "$(cat "$clone"/build/apt/instead-of-*.lock)"
fetch MIRROR=file:///nowhere DEBS="$T/debs" fetch || fail "the next time nothing is asked of a mirror" "$T/said"
same "the next time nothing is asked of a mirror" "" "$(cat "$T/said")"
rm "$clone"/build/apt/instead-of-*
fetch "$today" DEBS="$T/debs" fetch || fail "with all that is served now saved" "$T/said"
same "image.lock is as it was" 2 "$(grep -c 'libgif7 0.0.1' "$clone/image.lock")"
fetch "$today" lock || fail "make lock takes it for good" "$T/said"
same "make lock takes it for good" "$(cat "$T/lock")" "$(cat "$clone/image.lock" "$clone"/build/apt/instead-of-*.lock 2>/dev/null)"
rm "$T"/debs/libgif7_*
printf x >>"$(echo "$mirror"/pool/libgif7_*)"
refuses "a package that the mirror changed after it was signed" 'libgif7=.* could not be fetched' "$dated" DEBS="$T/debs" fetch
same "and it is not kept" "" "$(find "$T/debs" -name 'libgif7*')"
gpgconf --homedir "$T/gpg" --kill gpg-agent
finish
