#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What bash and zsh offer behind "activemm ...".
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")/../.." && pwd)

"$here/scripts/completion" "$activemm" bash >"$tmp/activemm.bash" 2>"$tmp/err"
check "the completion of bash is shell text" bash -n "$tmp/activemm.bash"
check "options of every command are in it" python3 - "$activemm" "$tmp/activemm.bash" <<'PY'
import re, subprocess, sys
text = open(sys.argv[2]).read()
run = lambda *a: subprocess.run([sys.argv[1], *a], capture_output=True, text=True).stdout
for command in re.findall(r"^  ([a-z]+) +\w", run("--help"), re.M):
    offered = re.search(rf'^\t{command}\) options="(.*)"', text, re.M)[1].split()
    for option in re.findall(r"^  (?:-\w, )?(--[a-z-]+)", run(command, "--help"), re.M):
        assert option in offered, (command, option)
PY

# offers LINE WORD...: with the cursor behind LINE bash offers these words and no others.
offers() {
	local line=$1 got
	shift
	# shellcheck disable=SC2016 # the inner shell expands
	got=$(bash -c '
		. /usr/share/bash-completion/bash_completion && . "$1" || exit
		COMP_LINE=$2 COMP_POINT=${#2}
		eval "COMP_WORDS=($(printf %s "$2" | sed "s/[:=]/ & /g"))"
		case $2 in *[\ :=]) COMP_WORDS+=("") ;; esac
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_activemm 2>/dev/null
		echo "${COMPREPLY[*]}"' - "$tmp/activemm.bash" "$line")
	check "bash, behind '$line'" [ "$got" = "$*" ]
}
if [ -e /usr/share/bash-completion/bash_completion ]; then
	offers "activemm expl" explain
	offers "activemm run sho" shootdown
	offers "activemm run --tri" --trial-time --trials
	offers "activemm run shootdown:o" op=
	offers "activemm run shootdown:op=" op=mprotect op=madvise op=munmap
	offers "activemm run shootdown:op=madvise,state=la" op=madvise,state=lazy
	offers "activemm run --cpu "
else
	skip "bash-completion is not installed"
fi

if command -v zsh >/dev/null; then
	mkdir "$tmp/functions"
	"$here/scripts/completion" "$activemm" zsh >"$tmp/functions/_activemm"
	cat >"$tmp/zsh" <<'ZSH'
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1=; fpath=($1 \$fpath); autoload -U compinit; compinit -u -D; bindkey '^I' complete-word; print BEGUN"
zpty -r -m z out '*BEGUN*BEGUN*'
zpty -w -n z "$2"$'\t\n'
zpty -r -t z out
for i in {1..40}; do sleep 0.1; while zpty -r -t z more; do out+=$more; done; [[ $out == *"$3"* ]] && exit 0; done
print -r -- $out >&2
exit 1
ZSH
	for pair in "activemm expl:explain" "activemm run shootdown:op=mu;op=munmap" "activemm run ring:hand;handover="; do
		case $pair in *\;*) line=${pair%;*} want=${pair#*;} ;; *) line=${pair%:*} want=${pair#*:} ;; esac
		check "zsh, behind '$line'" timeout 20 zsh -f "$tmp/zsh" "$tmp/functions" "$line" "$want"
	done
else
	skip "zsh is not installed"
fi
