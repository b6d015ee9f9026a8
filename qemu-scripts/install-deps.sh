#!/bin/bash
# Installs the Debian packages that are missing. Says what it will install and touches no configuration.
# usage: install-deps.sh demo|test|long|screenshots [--print]
#   demo  what building and `make demo` need
#   test  the same, and what `make test` needs
#   long  the same, and what `make test-long` needs
#   screenshots  as demo, and what `make screenshots` needs
# Another program that holds apt's lock is waited for: 120 s, or CDVM_APT_WAIT.
set -euo pipefail

demo=(gcc make pkg-config libc6-dev binutils libncurses-dev libsecp256k1-dev libwebsockets-dev libssl-dev
    libcjson-dev libcurl4-openssl-dev libsqlite3-dev libseccomp-dev libxml2-dev libxmlsec1-dev
    libxmlsec1-openssl libarchive-dev libsodium-dev libutf8proc-dev qemu-system-x86 seabios tmux erofs-utils
    cryptsetup-bin cpio mount util-linux ca-certificates debian-archive-keyring python3 python3-pip)
test=(clang clang-format libclang-rt-dev libcmocka-dev libvterm-dev universal-ctags shellcheck mandoc sqlite3
    poppler-utils unzip umoci busybox-static strace iproute2 procps git gpg gpg-agent gpgconf
    curl xmlsec1 xz-utils)
long=(mmdebstrap valgrind python3-venv)
screenshots=(libvterm-dev librsvg2-bin fonts-dejavu-core)

set_name=${1:-demo}
case $set_name in
demo) want=("${demo[@]}") need_mb=2100 ;;
test) want=("${demo[@]}" "${test[@]}") need_mb=3700 ;;
long) want=("${demo[@]}" "${test[@]}" "${long[@]}") need_mb=6200 ;;
screenshots) want=("${demo[@]}" "${screenshots[@]}") need_mb=2100 ;;
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

for place in . /usr /var; do
    free_mb=$(($(df -Pk "$place" | awk 'NR == 2 { print $4 }') / 1024))
    if ((free_mb < need_mb)); then
        echo "Only $free_mb MB are free on $(realpath "$place"); packages and build need about $need_mb MB." >&2
        echo "Nothing was installed." >&2
        exit 73
    fi
done

# apt ARGUMENT...  waits for a lock that another program holds, saying so
apt() {
    local waited out
    for ((waited = 0; ; waited += 5)); do
        if out=$("${root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -qq "$@" 2>&1); then return 0; fi
        if [[ $out != *'Could not get lock'* && $out != *'Unable to lock'* && $out != *'Unable to acquire'* ]]; then
            printf '%s\n' "$out" >&2
            echo "apt-get $1 failed (above). With the packages in place by other means: make DEPS=0 ..." >&2
            exit 69
        fi
        if ((waited >= ${CDVM_APT_WAIT:-120})); then
            echo "apt is still in use by another program after $waited s; nothing was installed, try again later." >&2
            exit 75
        fi
        echo "apt is in use by another program; waiting ($waited of ${CDVM_APT_WAIT:-120} s)"
        sleep 5
    done
}

echo "Installing ${#missing[@]} packages: $line"
apt update
apt install -y --no-install-recommends "${missing[@]}"
echo "Installed."
