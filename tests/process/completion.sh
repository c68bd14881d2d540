#!/bin/bash
# completion.sh - what bash and zsh offer for `cfshim`, asked of their own completion with the files that were built; and the manual
# and the help, which come from the same list.
set -uo pipefail
# shellcheck source=tests/tap.sh
source tests/tap.sh
build=$(realpath "${BUILD:-build}") || exit 1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
mkdir 'a folder' && touch policy.conf 'with blank.conf'

# What bash offers for the words, of which the last is the one being typed.
offers() { # WORD...
	bash --norc --noprofile -c '
		source "$1"
		shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_cfshim
		printf "%s\n" "${COMPREPLY[@]}"' offers "$build/completions/cfshim.bash" "$@" 2>&1 | sort | paste -sd'|'
}
offered() { # TEXT WORD...: these and no others
	local output
	output=$(offers "${@:2}")
	printf 'expected: %s\noffered:  %s\n' "$1" "$output"
	[[ $output == "$1" ]]
}
among() { # TEXT WORD...: this too
	local output
	output="|$(offers "${@:2}")|"
	echo "offered: $output"
	[[ $output == *"|$1|"* ]]
}
verbs=$("$build/cfshim" --help | awk '/^VERB/ { seen = 1; next } seen && /^[a-z]/ { print $1 }' | sort | paste -sd'|')

check 'bash: the verbs are those of the command' offered "--help|--version|$verbs" cfshim ''
check 'bash: a verb that is begun' offered 'test-ca' cfshim test
check 'bash: the options of a verb' offered '--help|--print' cfshim check -
check 'bash: an option that is begun' offered '--peer|--policy|--port' cfshim explain --p
check 'bash: a file where the policy is expected' offered 'policy.conf' cfshim check pol
check 'bash: a file behind an option that takes one' offered 'policy.conf' cfshim explain --policy pol
check 'bash: the same behind an equals sign' offered 'policy.conf' cfshim explain --policy = pol
check 'bash: and behind one with nothing typed' among 'policy.conf' cfshim explain --policy =
check 'bash: nothing behind an option that takes a number' offered '' cfshim explain --port ''
check 'bash: a directory where one is expected' offered 'a folder' cfshim test-ca a
check 'bash: nothing where a verb takes nothing' offered '' cfshim version ''
check 'bash: a command for run' among 'bash' cfshim run bas
check 'bash: a command behind the policy' among 'bash' cfshim run --policy policy.conf bas
check 'bash: a command behind --' among 'bash' cfshim run -- bas
check 'bash: what the command takes is not ours' offered 'policy.conf' cfshim run --policy x cat pol
check 'bash: an option of the command is not ours' offered '' cfshim run cat --poli
check 'bash: an unknown verb has nothing' offered '' cfshim nothing ''
# What a terminal shows of a shell in which TEXT is typed; the command is one that says how it was called.
mkdir bin
# shellcheck disable=SC2016 # the variable is that of the script
printf '#!/bin/sh\necho "called: $*"\n' >bin/cfshim
chmod 755 bin/cfshim
types() { # SHELL-COMMAND SETTING-UP TEXT
	local turn
	rm -f ready
	{
		printf '%s; touch %s/ready\n' "$2" "$scratch"
		for ((turn = 0; turn < 100; turn++)); do
			if [[ -e ready ]]; then break; fi
			sleep 0.2
		done
		sleep 0.5
		printf '%s' "$3"
		sleep 2
		printf '\nexit 0\n'
	} | TERM=dumb PATH=$scratch/bin:$PATH timeout 60 script -qec "$1" /dev/null | tr -d '\r'
}
in_bash() { types 'bash --norc --noprofile -i' "PS1=; source $build/completions/cfshim.bash" "$1"; }
in_zsh() {
	types 'zsh -f -i' "PS1=; fpath=($build/completions \$fpath); autoload -U compinit; compinit -u -D; cd $scratch" "$1"
}
if ! command -v script >/dev/null; then
	skip 'bash: a tab completes what is typed' 'script is not installed'
	skip 'zsh: the completion works' 'script is not installed'
else
	check 'bash: a tab completes what is typed' refuses 0 'called: check --print' in_bash $'cfshim check --pr\t\n'
	check 'bash: a name with a blank is one word' refuses 0 'called: check with blank\.conf' in_bash $'cfshim check with\t\n'
	if command -v zsh >/dev/null; then
		check 'zsh: a tab completes what is typed' refuses 0 'called: check --print' in_zsh $'cfshim check --pr\t\n'
		check 'zsh: a file is completed where one is expected' refuses 0 'called: explain --policy policy\.conf' \
			in_zsh $'cfshim explain --policy pol\t\n'
		check 'zsh: verbs are offered with what they do' refuses 0 'probe +-- try a server from outside' in_zsh $'cfshim \t\t'
		check 'zsh: options are offered with what they mean' refuses 0 '--port +-- the port that it arrives at' in_zsh $'cfshim explain --\t\t'
		check 'zsh: a command behind run is completed as it would be alone' refuses 0 'called: run cat policy\.conf' in_zsh $'cfshim run cat pol\t\n'
	else
		skip 'zsh: the completion works' 'zsh is not installed'
	fi
fi

# --- the manual and the help say the same

every_option() { # FILE: has each option of the list
	local option
	while read -r option; do
		grep -qF -- "$option" "$1" || { echo "not there: $option" && return 1; }
	done < <(sed -n 's/^OPTION([a-z_]*, [a-z_]*, "\([^"]*\)".*/\1/p' "$OLDPWD/cli/verbs.def")
}
if command -v mandoc >/dev/null; then
	mandoc -T ascii "$build/man/cfshim.1" | sed 's/.\x08//g' >manual
	check 'the manual has every option' every_option manual
	check 'the manual has every verb in its synopsis' refuses 0 '^ +cfshim probe host:port \[--server-name name\]' cat manual
	check 'the manual has no mistake' mandoc -T lint -W warning "$build/man/cfshim.1"
else
	skip 'the manual has every option' 'mandoc is not installed'
fi
for verb in ${verbs//|/ }; do "$build/cfshim" "$verb" --help; done >help
check 'the help has every option' every_option help
usage_has_options() { # each option of a verb stands in its usage, and no other does
	local verb usage
	for verb in ${verbs//|/ }; do
		usage=$("$build/cfshim" "$verb" --help | sed -z 's/\n  */ /g' | grep -oE '^usage:.*')
		diff <(grep -oE -- '--[a-z]+[a-z-]*' <<<"$usage" | sort -u) \
			<("$build/cfshim" "$verb" --help | sed -n 's/^\(--[a-z-]*\).*/\1/p' | sort -u) || { echo "of $verb" && return 1; }
	done
}
check 'the usage has the options that are explained, and no others' usage_has_options
finish
