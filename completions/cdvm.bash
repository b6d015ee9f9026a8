# bash completion of cdvm: commands and options as `cdvm --help` and `cdvm COMMAND --help` name them.
_cdvm() {
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} program=${COMP_WORDS[0]} command=tui more=()
    if ((COMP_CWORD == 1)) && [[ $word != -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$program" --help | sed -n 's/^  cdvm \([a-z]*\) .*/\1/p')" -- "$word")
        return
    fi
    if ((COMP_CWORD > 1)) && [[ ${COMP_WORDS[1]} != -* ]]; then command=${COMP_WORDS[1]}; fi
    case $previous in
    --policy) mapfile -t COMPREPLY < <(compgen -W 'standard strict demo' -f -- "$word") ;;
    --theme) mapfile -t COMPREPLY < <(compgen -W 'auto dark light mono 8 256' -- "$word") ;;
    --symbols) mapfile -t COMPREPLY < <(compgen -W 'auto ascii unicode' -- "$word") ;;
    --mouse) mapfile -t COMPREPLY < <(compgen -W 'off wheel' -- "$word") ;;
    --serve) mapfile -t COMPREPLY < <(compgen -W '127.0.0.1:8080 [::1]:8080' -- "$word") ;;
    --out) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
    --accel) mapfile -t COMPREPLY < <(compgen -W 'auto kvm tcg' -- "$word") ;;
    *)
        if [[ $word == -* ]]; then
            if [[ $command == image ]] && ((COMP_CWORD > 2)); then more=("${COMP_WORDS[2]}"); fi
            mapfile -t COMPREPLY < <(compgen -W "$("$program" "$command" "${more[@]}" --help | grep -oE -- '--[a-z][a-z0-9-]*')" -- "$word")
        elif [[ $command == image && $COMP_CWORD == 2 ]]; then
            mapfile -t COMPREPLY < <(compgen -W 'build pack model manifest inspect endorse seal' -- "$word")
        else
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
        fi
        ;;
    esac
}
complete -F _cdvm cdvm
