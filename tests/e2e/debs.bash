# shellcheck shell=bash
# Packages of Debian that a test reads or runs and does not install.

# fetch_debs FOLDER 'SUITE COMPONENT' PACKAGE...   into FOLDER; false when one cannot be had. With lists of its
# own: the machine's stay as they are.
fetch_debs() {
    local d=$1 source=$2 mirror options
    shift 2
    mirror=${MIRROR:-$(. qemu-scripts/lib.sh && apt_mirror)}
    mkdir -p "$d/lists/partial" "$d/cache/archives/partial"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $source" >"$d/sources.list"
    options=(-qq -o "Dir::Etc::sourcelist=$d/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o "Dir::State::lists=$d/lists" -o "Dir::Cache=$d/cache" -o APT::Sandbox::User=root)
    (cd "$d" && apt-get "${options[@]}" update && apt-get "${options[@]}" download "$@") >"$T/apt.log" 2>&1
}
