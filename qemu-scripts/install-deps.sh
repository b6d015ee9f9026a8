#!/bin/bash
# Installs the Debian packages that are missing. Says what it will install and touches no configuration.
# usage: install-deps.sh demo|test|long|screenshots [--print]
#   demo  what building and `make demo` need
#   test  the same, and what `make test` needs
#   long  the same, and what `make test-long` needs
#   screenshots  as demo, and what `make screenshots` needs
set -euo pipefail

demo=(gcc make pkg-config libc6-dev binutils libncurses-dev libsecp256k1-dev libwebsockets-dev libssl-dev
    libcjson-dev libcurl4-openssl-dev libsqlite3-dev libseccomp-dev qemu-system-x86
    seabios tmux erofs-utils cryptsetup-bin cpio zstd xz-utils kmod ca-certificates
    debian-archive-keyring)
test=(clang clang-format libclang-rt-dev libcmocka-dev libvterm-dev universal-ctags shellcheck mandoc sqlite3
    python3 strace iproute2 procps git)
long=(mmdebstrap valgrind)
screenshots=(libvterm-dev librsvg2-bin fonts-dejavu-core)

set_name=${1:-demo}
case $set_name in
demo) want=("${demo[@]}") need_mb=900 ;;
test) want=("${demo[@]}" "${test[@]}") need_mb=2500 ;;
long) want=("${demo[@]}" "${test[@]}" "${long[@]}") need_mb=5000 ;;
screenshots) want=("${demo[@]}" "${screenshots[@]}") need_mb=900 ;;
*) echo "usage: install-deps.sh demo|test|long|screenshots [--print]" >&2; exit 64 ;;
esac
if [[ ${2:-} == --print ]]; then printf '%s\n' "${want[@]}"; exit 0; fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "This machine has no apt. cdvm needs the equivalents of these Debian packages:" >&2
    printf '  %s\n' "${want[@]}" >&2
    echo "Install them, then run make with DEPS=0." >&2
    exit 69
fi

missing=()
for p in "${want[@]}"; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null || true)
    [[ $status == installed ]] || missing+=("$p")
done
((${#missing[@]} == 0)) && exit 0

line="apt-get install --no-install-recommends ${missing[*]}"
root=()
if ((EUID != 0)); then
    if command -v sudo >/dev/null && { [[ -t 0 ]] || sudo -n true 2>/dev/null; }; then root=(sudo)
    else
        echo "These packages are missing, and you are neither root nor able to use sudo here." >&2
        echo "Nothing was installed. Have root run:" >&2
        echo "  $line" >&2
        exit 77
    fi
fi

free_mb=$(($(df -Pk . | awk 'NR == 2 { print $4 }') / 1024))
if ((free_mb < need_mb)); then
    echo "Only $free_mb MB are free here; packages and build need about $need_mb MB." >&2
    exit 73
fi

echo "Installing ${#missing[@]} packages: $line"
apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq)
for ((waited = 0; ; waited += 5)); do
    if out=$("${apt[@]}" update 2>&1); then break; fi
    if [[ $out != *lock* ]]; then
        printf '%s\napt-get update failed (above).\n' "$out" >&2
        exit 69
    fi
    if ((waited >= 120)); then
        echo "apt is still locked by another program after 120 s; try again later." >&2
        exit 75
    fi
    echo "apt is in use by another program; waiting ($waited of 120 s)"
    sleep 5
done
"${apt[@]}" -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "${missing[@]}" >/dev/null
echo "Installed."
