# bash completion of cdvm: commands and options as `cdvm --help` and `cdvm COMMAND --help` name them.

# The words that an option takes, where they are few.
_cdvm_words() { # OPTION
    case $1 in
    --policy) echo standard strict demo ;;
    --theme) echo auto dark light mono 8 256 ;;
    --symbols) echo auto ascii unicode ;;
    --mouse) echo off wheel ;;
    --bell) echo on off ;;
    --notify) echo auto off osc9 osc777 ;;
    --accel) echo auto kvm tcg ;;
    --backend) echo sim snp ;;
    --gpu | --clear-gpu) cdvm provider --list-gpus 2>/dev/null | cut -d' ' -f1 ;;
    --mode) echo plain contract ;;
    --vcpu-type) echo EPYC EPYC-Rome EPYC-Milan EPYC-Genoa EPYC-Turin ;;
    esac
}

# What follows an option, by the word behind it in the help: FILE, DIR, URL ...; nothing for a switch.
_cdvm_argument() { # HELP OPTION
    sed -nE "s/^.*$2 ([A-Z][A-Za-z=|:,.[]*).*/\1/p" <<<"$1" | head -n 1
}

_cdvm() {
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} program=${COMP_WORDS[0]} command=tui
    local help words more=()
    if ((COMP_CWORD == 1)) && [[ $word != -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$program" --help | sed -n 's/^  cdvm \([a-z]*\) .*/\1/p')" -- "$word")
        return
    fi
    if ((COMP_CWORD > 1)) && [[ ${COMP_WORDS[1]} != -* ]]; then command=${COMP_WORDS[1]}; fi
    if [[ $command == image ]] && ((COMP_CWORD == 2)) && [[ $word != -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W 'build base pack model manifest inspect endorse seal' -- "$word")
        return
    fi
    if [[ $command == image ]] && ((COMP_CWORD > 2)); then more=("${COMP_WORDS[2]}"); fi
    help=$("$program" "$command" "${more[@]}" --help)
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(grep -oE -- '--[a-z][a-z0-9-]*' <<<"$help")" -- "$word")
        return
    fi
    words=
    if [[ $previous == --* ]]; then words=$(_cdvm_words "$previous"); fi
    if [[ -n $words ]]; then mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word"); else COMPREPLY=(); fi
    if [[ -n $words && $previous != --policy ]]; then return; fi
    compopt -o filenames 2>/dev/null
    case $previous:$(_cdvm_argument "$help" "$previous") in
    --image:* | --state:* | --root:* | --manifests:* | --dir:* | --*:DIR) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
    --*:URL | --*:N | --*:SECONDS | --*:MIB | --*:BITS | --*:HEX | --*:ID* | --*:K* | --*:TIME | --*:TEXT | --*:ADDRESS | --*:WHICH | \
        --*:ROOT* | --relay:* | --blossom:* | --name:* | --about:* | --endorser:*) ;;
    *) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word") ;;
    esac
}
complete -F _cdvm cdvm
