#!/bin/bash
# mutants.sh [NAME...] - would the tests notice if an enforcement were not there?  One build of the library for each, or for the
# NAMEs, without it; then tests, until one fails twice.
#
# An enforcement is the statement behind a line `/* enforces NAME */` in shim/.  Layers cover each other: where every test
# still passes, the same is done in a build that lacks the layers which cover this one too, and some test must fail there that
# does not fail for want of those alone.  The mark names them, `, as OTHER OTHER do`; else it is the judgement at the end of the
# handshake, `end`.  `, from VERSION`: an OpenSSL before that has nothing to enforce there, and it is skipped.
#
# BUILD  where the tests are built, and where the mutants are kept (BUILD/mutants)
set -euo pipefail
BUILD=$(realpath "${BUILD:-build}")
export LC_ALL=C CMOCKA_MESSAGE_OUTPUT=TAP CFSHIM_BUILD=$BUILD
kept=$BUILD/mutants
limit=300
jobs_at_once=$((2 * $(nproc))) # tests wait more than they work

# Of every mark: "NAME FILE VERSION OTHER...", - for no version.
marks() {
	grep -rnoE '/\* enforces [^*]* \*/' shim | sed -E \
		-e 's,^([^:]*):[0-9]+:/\* enforces ([a-z0-9-]+)(.*) \*/$,\2 \1 - \3,' \
		-e 's/ - (.*), from ([0-9.]+)$/ \2 \1/' -e 's/, as ([a-z0-9 -]+) do(es)?$/\1/' | sort
}

mark_of() { marks | awk -v name="$1" '$1 == name'; } # NAME

# The file without the statement behind the mark: up to the first ; or } that closes what it opened.
without_statement() { # NAME FILE
	awk -v mark="/\\* enforces $1[ ,]" '
		$0 ~ mark { cutting = 1; depth = 0; next }
		!cutting { print; next }
		{
			for (i = 1; i <= length($0); i++) {
				c = substr($0, i, 1)
				if (c ~ /[({]/) depth++
				if (c ~ /[)}]/) depth--
				if (depth == 0 && c ~ /[;}]/) { cutting = 0; print substr($0, i + 1); next }
			}
		}
		END { exit cutting }' "$2"
}

# A library without the enforcements; its path.
build_without() { # NAME...
	local name tree file library
	library=$kept/$(tr ' ' '+' <<<"$*").so
	tree=$(mktemp -d "$kept/tree.XXXXXX")
	cp -a Makefile shim policy man "$tree"
	mkdir "$tree/cli" "$tree/tests"
	for name in "$@"; do
		read -r _ file _ < <(mark_of "$name")
		without_statement "$name" "$tree/$file" >"$tree/mutant.c"
		if [[ -z $file ]] || cmp -s "$tree/mutant.c" "$tree/$file"; then
			echo "mutants: taking $name out of ${file:-shim} changes nothing" >&2
			exit 1
		fi
		mv "$tree/mutant.c" "$tree/$file"
	done
	make -C "$tree" -s BUILD=build WERROR= CFLAGS='-O1 -w' build/libcfshim.so >&2
	mv "$tree/build/libcfshim.so" "$library"
	rm -rf "$tree"
	echo "$library"
}

# The quick ones first.
programs() {
	local source
	for source in tests/attacks/*.c tests/process/*.c; do
		case $source in
		*/costs_little.c | */resumption.c | */session_hosts.c) ;;
		*) echo "$BUILD/${source%.c}" ;;
		esac
	done
	echo "$BUILD/tests/attacks/session_hosts"
	echo "$BUILD/tests/attacks/resumption"
}

# The tests of PROGRAM that fail with LIBRARY, one a line; one that dies says so.
failures() { # LIBRARY PROGRAM
	local output status=0
	output=$(CFSHIM_LIBRARY=$1 timeout -k 10 "$limit" "$2" 2>&1 </dev/null) || status=$?
	sed -nE '/# *SKIP/d; s/^not ok [0-9]+ - //p' <<<"$output"
	if ! grep -q '^[[:space:]]*1\.\.' <<<"$output"; then echo "${2##*/} ended with $status"; fi
}

# The first program with a failure that comes twice: another process may have been in the way of one.
first_to_notice() { # LIBRARY
	local program
	while read -r program; do
		if [[ -n $(failures "$1" "$program") && -n $(failures "$1" "$program") ]]; then
			echo "${program##*/}"
			return
		fi
	done < <(programs)
}

all_failures() { # LIBRARY
	local program
	while read -r program; do failures "$1" "$program"; done < <(programs) | sort -u
}

# Only those that come twice, and not for want of the OTHERs alone.
new_failures() { # NAME OTHER...
	local both others
	both=$(build_without "$@")
	others=$(build_without "${@:2}")
	comm -12 <(all_failures "$both") <(all_failures "$both") | comm -23 - <(all_failures "$others")
}

try_mutant() { # NAME
	local name=$1 version others noticed
	read -r _ _ version others < <(mark_of "$name")
	if [[ $version != - ]] && ! [[ $(printf '%s\n' "$version" "$openssl" | sort -V | head -n 1) == "$version" ]]; then
		echo "ok - without $name # SKIP OpenSSL $openssl has nothing of the kind before $version"
		return
	fi
	noticed=$(first_to_notice "$(build_without "$name")")
	if [[ -z $noticed && $name != end ]]; then
		others=${others:-end}
		# shellcheck disable=SC2086 # several names
		noticed=$(new_failures "$name" $others | head -n 1)
		noticed=${noticed:+(and without $others) $noticed}
	fi
	if [[ -n $noticed ]]; then
		echo "ok - without $name: $noticed fails"
	else
		echo "not ok - without $name: nothing fails"
	fi
}

mkdir -p "$kept"
rm -rf "$kept"/tree.* "$kept"/*.result
openssl=$(openssl version | cut -d' ' -f2)
twice=$(marks | cut -d' ' -f1 | uniq -d)
if [[ -n $twice ]]; then
	echo "mutants: marked twice: $twice" >&2
	exit 1
fi
if (($# == 0)); then mapfile -t names < <(marks | cut -d' ' -f1); else names=("$@"); fi
for name in "${names[@]}"; do
	if (($(jobs -rp | wc -l) >= jobs_at_once)); then wait -n; fi
	{ try_mutant "$name" | tee "$kept/$name.result"; } &
done
wait

passed=0 skipped=0
for name in "${names[@]}"; do
	if grep -q '# SKIP' "$kept/$name.result"; then
		((++skipped))
	elif grep -q '^ok' "$kept/$name.result"; then
		((++passed))
	fi
done
echo "$passed passed, $((${#names[@]} - passed - skipped)) failed, $skipped skipped"
((passed + skipped == ${#names[@]}))
