#!/bin/bash
# Somebody's first job from beginning to end, as tests/tui/person.keys has it: keys into the real program in a
# terminal, the demo's provider, a real guest; and what is seen on the way compared with tests/tui/*.txt.
# UPDATE=1 writes those anew.
# shellcheck source=tests/e2e/terminal.bash
. "$(dirname "$0")/terminal.bash"
# shellcheck source=tests/tui/play.bash
. "$(dirname "$0")/../tui/play.bash"
[[ -s $IMAGE/initrd && -x $B/e2e/reader ]] || skip_all "no guest image or no build/e2e/reader (make image test-programs)"

# shellcheck disable=SC2317 # called by the player
on_screen() { compare_screen "$1"; }
# shellcheck disable=SC2317
terminal_is_as_before() { check "the terminal's settings are as before" cmp "$T/before" "$T/after"; }
# shellcheck disable=SC2317
is_private() { same "only its owner can read $1" 600 "$(find "$OUT" -name "$1" -printf %m)"; }
reader_image
pin_image "$IMAGE" || exit 1
start_provider "$T/provider.log" --run-relay --relay-port 0 || exit 1
# shellcheck disable=SC2034 # in the script of keys
URL=$(relay_of "$T/provider.log") OUT=$T/out
mkdir "$OUT"
cp examples/lease.md examples/medical-note.txt "$T/"
rm "$XDG_CONFIG_HOME/cdvm/cdvm.conf"
play tests/tui/person.keys
finish
