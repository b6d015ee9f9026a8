# shellcheck shell=bash
# A QEMU that knows confidential guests: Debian's backport, fetched for the tests and not installed. Kept
# beside what is built, since the next test wants it too.

# fetch_qemu   sets qemu; false when it cannot be had or does not run here
fetch_qemu() {
    local d=$PWD/$B/e2e/qemu10 options
    qemu=$d/root/usr/bin/qemu-system-x86_64
    if "$qemu" --version >/dev/null 2>&1; then return; fi
    rm -rf "$d"
    mkdir -p "$d/lists/partial" "$d/cache/archives/partial" "$d/root" # its own lists: the machine's stay as they are
    echo 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]' \
        'http://deb.debian.org/debian bookworm-backports main' >"$d/sources.list"
    options=(-qq -o "Dir::Etc::sourcelist=$d/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o "Dir::State::lists=$d/lists" -o "Dir::Cache=$d/cache" -o APT::Sandbox::User=root)
    (cd "$d" && apt-get "${options[@]}" update && apt-get "${options[@]}" download qemu-system-x86 &&
        dpkg-deb -x qemu-system-x86_*.deb root && rm -rf lists cache qemu-system-x86_*.deb) >"$T/apt.log" 2>&1 &&
        "$qemu" --version >/dev/null 2>&1
}
