#!/bin/bash
# `make install` puts everything where a system looks for it, and the completions work there: in bash by
# its own hands, as a function for every option, and by the keys of a person.
# shellcheck source=tests/e2e/terminal.bash
. "$(dirname "$0")/terminal.bash"
R=$T/root/usr
make -s install DESTDIR="$T/root" PREFIX=/usr >"$T/install.log" 2>&1
same "make install with DESTDIR and PREFIX" 0 $?
for f in bin/cdvm share/bash-completion/completions/cdvm share/zsh/site-functions/_cdvm \
    share/man/man1/cdvm.1 share/man/man5/cdvm.conf.5 share/man/man7/cdvm-{protocol,attestation,host}.7; do
    check "$f is there" test -s "$R/$f"
done
same "nothing outside of PREFIX" usr "$(ls "$T/root")"
same "the program is the one that was built" 0 "$(cmp "$CDVM" "$R/bin/cdvm" >/dev/null && echo 0)"
if command -v man >/dev/null && man --version >/dev/null 2>&1; then
    check "man finds the page" grep -q . <<<"$(MANPATH=$R/share/man man -w cdvm.conf 2>/dev/null)"
else
    pass "man finds the page # SKIP man is not installed"
fi

same "the scripts for a host find the program that was installed with them" "    $R/bin/cdvm doctor" \
    "$("$R/share/cdvm/qemu-scripts/check-host.sh" --dry-run)"
for s in prepare-host bind-gpu unbind-gpu launch-guest fetch-collateral; do
    check "$s is there" grep -q "^usage: $s.sh" <<<"$("$R/share/cdvm/qemu-scripts/$s.sh" --help)"
done

# --- the function, as readline calls it ---

export PATH=$R/bin:$PATH
# offers WORD...: what is offered for the last word
offers() {
    # shellcheck disable=SC2016
    bash --norc --noprofile -c '. "$0"; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _cdvm; printf "%s\n" "${COMPREPLY[@]}"' \
        "$R/share/bash-completion/completions/cdvm" "$@" 2>/dev/null
}
alike() { # NAME WANT GOT: two lists, in any order
    same "$1" "$(sort -u <<<"$2" | paste -sd' ')" "$(sort -u <<<"$3" | paste -sd' ')"
}
commands=$(cdvm --help | sed -n 's/^  cdvm \([a-z]*\) .*/\1/p')
alike "every command is offered" "$commands" "$(offers cdvm '')"
alike "by its beginning" "$(grep ^me <<<"$commands")" "$(offers cdvm me)"
for c in $commands; do
    alike "every option of cdvm $c" "$(cdvm "$c" --help | grep -oE -- '--[a-z][a-z0-9-]*')" "$(offers cdvm "$c" --)"
done
alike "the options without a command are those of tui" "$(offers cdvm tui --)" "$(offers cdvm --)"
for s in $(cdvm image --help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
    check "cdvm image $s is offered" grep -qx "$s" <<<"$(offers cdvm image '')"
    alike "every option of cdvm image $s" "$(cdvm image "$s" --help | grep -oE -- '--[a-z][a-z0-9-]*')" "$(offers cdvm image "$s" --)"
done
# The program itself names the words of a choice when it gets another one.
for o in theme symbols mouse bell notify; do
    alike "the words of --$o" \
        "$(cdvm tui --$o nonsense 2>&1 | sed -n "s/.* one of //; s/ (.*//p" | tr -d , | tr ' ' '\n')" "$(offers cdvm --$o '')"
done
mkdir -p "$T/here/folder"
touch "$T/here/a file.txt"
cd "$T/here" || exit 1
same "files where a file goes" "a file.txt folder" "$(offers cdvm ask --attach '' | sort | paste -sd' ')"
same "folders where a folder goes" folder "$(offers cdvm ask --out '' | paste -sd' ')"
same "nothing where an address goes" "" "$(offers cdvm ask --relay '')"
check "profiles and files where a policy goes" grep -qx strict <<<"$(offers cdvm --policy '')"

# --- by hand ---

new_terminal 80x24 "bash --norc --noprofile -i"
wait_for 30 shows '[$#] '
text ". '$R/share/bash-completion/completions/cdvm'; clear"
keys Enter
wait_for 30 shows '^[^ ]*[$#] *$'
text 'cdvm off'
keys Tab
expect "bash completes a command" 'cdvm offers' 10
text '--re'
keys Tab
expect "and an option" 'cdvm offers --relay' 10
keys C-u
text 'cdvm ask --attach a'
keys Tab
expect "and a file with a space in its name" 'cdvm ask --attach a\\ file.txt' 10
stop

if command -v zsh >/dev/null; then
    check "zsh reads its completion" zsh -n "$R/share/zsh/site-functions/_cdvm"
else
    pass "zsh reads its completion # SKIP zsh is not installed"
fi
cd "$OLDPWD" || exit 1
make -s uninstall DESTDIR="$T/root" PREFIX=/usr
same "make uninstall leaves no file" "" "$(find "$T/root" -type f)"
finish
