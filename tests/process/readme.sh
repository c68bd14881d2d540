#!/bin/bash
# readme.sh - what the README says can be done as it says: its commands, its transcript, its policy, its links.
# A ```sh block is run line by line; a ```console block is typed into a shell and what comes back is compared.
set -uo pipefail
# shellcheck source=tests/tap.sh
source tests/tap.sh
BUILD=$(realpath "${BUILD:-build}")
export BUILD
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

blocks() { awk -v fence="\`\`\`$1" '$0 == fence { inside = 1; next } /^```/ { inside = 0 } inside' README.md; } # LANGUAGE

# Numbers differ from run to run (processes, ports, versions), a server's lines may come before or after a client's, and of what
# curl says the alert is what counts.
essence() { sed -E 's/^(curl: \([0-9]+\)).*(alert [a-z ]+).*/\1 \2/; s/[0-9]+/N/g; s/ +/ /g' | sort; }

# The transcript NUMBER, the first being 1.
console() { awk -v wanted="$1" '$0 == "```console" { inside = ++number == wanted; next } /^```/ { inside = 0 } inside' README.md; }

# The transcript with a folder and a port of this run; a server in the background is waited for, and stopped at the end.
transcript_as_script() { # NUMBER PORT
	console "$1" | sed -n 's/^\$ //p' | sed -e "s,/tmp/try,$scratch/try,g" -e "s,8443,$2,g" -e "s,build/,$BUILD/,g" \
		-e "s,&\$,\& await_port $2,"
}
transcript() { # NUMBER
	local port
	port=$(free_port)
	{
		cat <<-'END'
			await_port() {
				for ((turn = 0; turn < 100; turn++)); do
					# Not by a connection, which would be counted.
					if grep -q ":$(printf %04X "$1") 00000000:0000 0A" /proc/net/tcp; then return; fi
					sleep 0.1
				done
			}
			trap 'kill $!; wait $!' EXIT
		END
		transcript_as_script "$1" "$port"
	} >"$scratch/script"
	console "$1" | grep -v '^\$ ' | sed "s,/tmp/try,$scratch/try,g" | essence >"$scratch/expected"
	timeout 60 bash "$scratch/script" >"$scratch/output" 2>&1 </dev/null
	essence <"$scratch/output" | diff "$scratch/expected" -
}

policy_is_good() {
	blocks ini >"$scratch/policy.conf"
	[[ -s $scratch/policy.conf ]] && "$BUILD/cfshim" check "$scratch/policy.conf"
}

first_commands() { # what a reader sees first, and in this order
	diff <(printf 'make setup demo\nmake setup test\n') <(awk '/^```/ { getline; print; getline; print; exit }' README.md | sed 's/ *#.*//')
}

first_screen() { # before the first heading after the title
	local lines
	lines=$(awk 'NR > 1 && /^## / { print NR - 1; exit }' README.md)
	echo "$lines lines"
	((lines <= 45))
}

links_lead_somewhere() {
	local link missing=0
	while read -r link; do
		case $link in
		http*) ;;
		'#'*) grep -qiE "^#+ ${link:1}$" <(sed 's/[?,]//g; s/ /-/g; s/^\(#*\)-/\1 /' README.md) || missing=1 ;;
		*) [[ -e $link ]] || missing=1 ;;
		esac
		if ((missing)); then echo "leads nowhere: $link" && return 1; fi
	done < <(grep -oE '\]\([^)]+\)' README.md | tr -d '])(')
	# shellcheck disable=SC2016 # the backquotes are those of the README
	for link in $(grep -oE '`(shim|policy|cli|tests|examples|man)/[A-Za-z0-9_./-]*`' README.md | tr -d '`'); do
		[[ -e $link ]] || { echo "not here: $link" && return 1; }
	done
}

targets_exist() { # those that the README names, in the list that make gives
	local target
	for target in all demo test lint check-asan check-tsan check-valgrind check-matrix install; do
		make --no-print-directory help | grep -qE "^ +$target +[a-z]" || { echo "no such target: $target" && return 1; }
	done
}

check 'the first two commands are those that show it and prove it' first_commands
check 'the first screen is short' first_screen
while read -r line; do
	line=${line%%  *#*}
	case $line in
	'') ;;
	'make setup test') skip "README: $line" 'this is that very run' ;;
	sudo*) skip "README: $line" 'it changes this machine; install.sh does the same below a folder of its own' ;;
	*) check "README: $line" bash -c "${line//build\//$BUILD/}" ;;
	esac
done < <(blocks sh)
check 'the transcript is what one sees' transcript 1
check 'and so is that of the shared port' transcript 2
check 'the policy of the first screen is one' policy_is_good
check 'every link leads somewhere' links_lead_somewhere
check 'the targets that are named exist' targets_exist
finish
