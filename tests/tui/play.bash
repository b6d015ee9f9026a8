# shellcheck shell=bash
# Plays a person: FILE.keys holds what somebody types and what they wait to see, one act a line. On top of
# tests/e2e/terminal.bash; source that first.
#
#   start COLSxROWS OPTION...   the program in a terminal; ${NAME} is a variable of the test
#   key NAME...                 keys by tmux's names: Enter Escape C-c M-s F3 PPage q
#   type WORDS                  typed as it stands
#   see [SECONDS] PATTERN       waits (30 s) for an extended regular expression on the screen
#   hold SECONDS                looks at the conversation for so long: it does not move
#   size COLSxROWS              somebody pulls at the window
#   screen NAME                 what is seen now: `on_screen NAME` of the test, a comparison or a picture
#   do COMMAND...               a function of the test
#   stop                        the terminal is closed
#
# An empty line or one that begins with # is nobody's act.

play_see() {
    local within=30
    if [[ $1 =~ ^([0-9]+)\ (.*)$ ]]; then
        within=${BASH_REMATCH[1]}
        set -- "${BASH_REMATCH[2]}"
    fi
    expect "$PLAYED sees: $1" "$1" "$within"
}

# What is being read: without the lines above, which count the seconds, and what comes in below the mark.
conversation() { screen | sed -E '1,6d; /v [0-9]+ new/,$d'; }
play_hold() {
    local before
    before=$(conversation)
    sleep "$1"
    same "$PLAYED: the view stays" "$before" "$(conversation)"
}

play_act() { # ACT REST
    local words
    read -ra words <<<"$2"
    case $1 in
    start) start "${words[@]}" ;;
    key)
        keys "${words[@]}"
        if [[ $2 == *Escape ]]; then sleep 0.2; fi # what follows at once would be taken for Alt
        ;;
    type) text "$2" ;;
    see) play_see "$2" ;;
    hold) play_hold "$2" ;;
    size) tm resize-window -t t -x "${2%x*}" -y "${2#*x}" ;;
    screen) on_screen "$2" ;;
    do) "${words[@]}" ;;
    stop) stop ;;
    *) fail "$PLAYED" "no such act: $1" ;;
    esac
}

# play FILE   stops at the first thing that was not seen: what comes after would be typed blindly
play() {
    local act rest failed=$FAILED PLAYED=${1##*/}
    PLAYED=${PLAYED%.keys}
    while read -r act rest <&3; do
        if [[ -z $act || $act == \#* ]]; then continue; fi
        while [[ $rest =~ \$\{([A-Za-z_]+)\} ]]; do rest=${rest/"${BASH_REMATCH[0]}"/"${!BASH_REMATCH[1]}"}; done
        play_act "$act" "$rest"
        if ((FAILED > failed)); then return 1; fi
    done 3<"$1"
}

# What a screen says without what changes from run to run: folders, hashes, keys and their marks, numbers, times,
# and the room they take.
screen_words() {
    screen | sed -E 's_([0-9a-z]{4} ){4,}[0-9a-z]{2,4}_K_g; s#/[^ ]*/cdvm-e2e\.[A-Za-z0-9]+#T#g; s/[0-9]+ m [0-9]{2} s/10.0 s/g; s/[0-9]+:[0-9]{2}(:[0-9]{2})?/TIME/g; s/\b[0-9a-f]{2,}(\.\.[0-9a-f]+)?\b/H/g; s/ [[:punct:]]H/ H/g; s/\b(H|H ){2,}/H /g; s/[0-9]+([.,:][0-9]+)*/N/g; s/[─━═=_-]{3,}/---/g; s/ +/ /g; s/ $//'
}
# compare_screen NAME   with tests/tui/NAME.txt; UPDATE=1 writes it anew
compare_screen() {
    local want=tests/tui/$1.txt
    sleep 0.3
    if [[ -n ${UPDATE:-} ]]; then screen_words >"$want"; fi
    if diff -u "$want" <(screen_words) >"$T/difference"; then
        pass "the screen is $1"
    else
        fail "the screen is $1" "$T/difference"
    fi
}
