# shellcheck shell=bash
# A QEMU that knows confidential guests: Debian's backport, fetched for the tests and not installed. Kept
# beside what is built, since the next test wants it too.

# shellcheck source=tests/e2e/debs.bash
. tests/e2e/debs.bash

# fetch_qemu   sets qemu; false when it cannot be had or does not run here. One test at a time looks and fetches.
fetch_qemu() {
    local d=$PWD/$B/e2e/qemu10
    qemu=$d/root/usr/bin/qemu-system-x86_64
    mkdir -p "${d%/*}"
    (
        flock 9
        ! "$qemu" --version || exit 0
        rm -rf "$d"
        fetch_debs "$d" 'bookworm-backports main' qemu-system-x86 && dpkg-deb -x "$d"/qemu-system-x86_*.deb "$d/root" &&
            rm -rf "$d"/{lists,cache} "$d"/*.deb && "$qemu" --version
    ) 9>>"$d.lock" >/dev/null 2>&1
}
