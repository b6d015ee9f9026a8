#!/bin/bash
# Pictures of real jobs, for the README and for review, as tests/tui/pictures-*.keys have them: each is
# screenshots/NAME.png with its text in screenshots/NAME.txt beside it.
# The GPU's is of a saved job with a captured GPU, where there are vectors (tests/e2e/gpu_bundle.c).
# usage: screenshots.sh SHOT_PROGRAM   (STORIES: those to play, "table chat gpu")
# shellcheck source=tests/e2e/terminal.bash
. "$(dirname "$0")/../e2e/terminal.bash"
# shellcheck source=tests/tui/play.bash
. "$(dirname "$0")/../tui/play.bash"
shot=$PWD/$1
to=$PWD/screenshots
mkdir -p "$to"

# shellcheck disable=SC2317 # called by the player
on_screen() {
    sleep 0.4
    tm capture-pane -epN -t t | "$shot" "$(flag pane_width)x$(flag pane_height)" >"$T/$1.svg"
    rsvg-convert -o "$to/$1.png" "$T/$1.svg"
    screen >"$to/$1.txt"
    echo "screenshots/$1.png"
}

# As on a machine with nothing set: everything under the home folder.
export HOME=$T/home XDG_CONFIG_HOME=$T/home/.config XDG_DATA_HOME=$T/home/.local/share
export XDG_STATE_HOME=$T/home/.local/state
# shellcheck disable=SC2034 # in the scripts of keys
OUT=$HOME
mkdir -p "$XDG_CONFIG_HOME/cdvm" "$XDG_DATA_HOME" "$XDG_STATE_HOME"
STORIES=${STORIES:-table chat gpu}
if [[ $STORIES != gpu ]]; then
    pin_image "$IMAGE" || exit 1
    start_provider "$T/provider.log" --name "local simulator" --run-relay --relay-port 0 || exit 1
    # shellcheck disable=SC2034
    URL=$(relay_of "$T/provider.log")
    cp examples/{sales.csv,lease.md,medical-note.txt,ledger-note.txt} "$T/"
fi
# Its pins are those of no image here: it comes last.
gpu_job() {
    "$B/e2e/gpu_bundle" "$V" "$T" || return 1
    cp "$T/pins" "$T/sim-roots" "$XDG_CONFIG_HOME/cdvm/"
    : >"$XDG_CONFIG_HOME/cdvm/cdvm.conf"
    rm -rf "$XDG_DATA_HOME/cdvm/receipts"
    install -D "$T/receipt.json" "$XDG_DATA_HOME/cdvm/receipts/7f21aa01bb02cc03.json"
}
V=$(realpath "${VECTORS:-../shared/vectors}" 2>/dev/null)/gpu
for story in $STORIES; do
    if [[ $story == chat && ! -f $IMAGE/chat.offer ]]; then
        echo "no chat in the image: its pictures stay as they were" >&2
    elif [[ $story == gpu && ! -f $V/MANIFEST.md ]]; then
        echo "no captured GPUs: their picture stays as it was" >&2
    else
        if [[ $story == gpu ]]; then gpu_job || exit 1; fi
        play "tests/tui/pictures-$story.keys" || exit 1
    fi
done
