#!/bin/bash
# mutants.sh [NAME...] - would the tests notice if an enforcement were not there?  One build of the library for each, or for the
# NAMEs, without it; then tests, until one fails twice.
#
# An enforcement is the statement behind a line `/* enforces NAME */` in shim/.  Layers cover each other: where every test
# still passes, because the end of the handshake is judged again, the same is done in a build that lacks that judgement (`end`)
# too, and some test must fail there that does not fail for want of `end` alone.
#
# BUILD  where the tests are built, and where the mutants are kept (BUILD/mutants)
set -euo pipefail
BUILD=$(realpath "${BUILD:-build}")
export LC_ALL=C CMOCKA_MESSAGE_OUTPUT=TAP CFSHIM_BUILD=$BUILD
kept=$BUILD/mutants
limit=300
last_judgement=end

# Of every mark: "NAME FILE".
marks() {
	grep -rnoE '/\* enforces [a-z0-9-]+ \*/' shim | sed -E 's,^([^:]*):[0-9]+:/\* enforces ([a-z0-9-]+) \*/$,\2 \1,' | sort
}

# The file without the statement behind the mark: up to the first ; or } that closes what it opened.
without_statement() { # NAME FILE
	awk -v mark="/* enforces $1 */" '
		index($0, mark) { cutting = 1; depth = 0; next }
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

# A library without the enforcements, in $kept/FIRST+SECOND.so.
build_without() { # NAME...
	local name tree file library
	library=$kept/$(tr ' ' '+' <<<"$*").so
	tree=$(mktemp -d "$kept/tree.XXXXXX")
	cp -a Makefile shim policy man "$tree"
	mkdir "$tree/cli" "$tree/tests"
	for name in "$@"; do
		file=$(marks | awk -v name="$name" '$1 == name { print $2 }')
		without_statement "$name" "$file" >"$kept/$name.c"
		if cmp -s "$kept/$name.c" "$tree/$file"; then
			echo "mutants: taking $name out of $file changes nothing" >&2
			exit 1
		fi
		# A second one of the same file is taken out of what is left.
		without_statement "$name" "$tree/$file" >"$kept/$name.c"
		mv "$kept/$name.c" "$tree/$file"
	done
	make -C "$tree" -s BUILD=build WERROR= CFLAGS='-O1 -w' build/libcfshim.so >&2
	mv "$tree/build/libcfshim.so" "$library"
	rm -rf "$tree"
	echo "$library"
}

programs() {
	local source
	for source in tests/attacks/*.c tests/process/*.c; do echo "$BUILD/${source%.c}"; done
}

# The tests of PROGRAM that fail with LIBRARY, one a line; one that dies says so.
failures() { # LIBRARY PROGRAM
	local output status=0
	output=$(CFSHIM_LIBRARY=$1 timeout -k 10 "$limit" "$2" 2>&1 </dev/null) || status=$?
	sed -nE 's/^not ok [0-9]+ - //p' <<<"$output" | grep -v '# SKIP' || [[ $status == 0 ]] || echo "${2##*/} ended with $status"
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

try_mutant() { # NAME
	local name=$1 library noticed
	library=$(build_without "$name")
	noticed=$(first_to_notice "$library")
	if [[ -z $noticed && $name != "$last_judgement" ]]; then
		noticed=$(all_failures "$(build_without "$last_judgement" "$name")" | comm -23 - "$kept/$last_judgement.failures" |
			head -n 1)
		noticed=${noticed:+without $last_judgement: $noticed}
	fi
	if [[ -n $noticed ]]; then
		echo "ok - without $name: $noticed fails"
	else
		echo "not ok - without $name: nothing fails"
	fi
}

mkdir -p "$kept"
twice=$(marks | cut -d' ' -f1 | uniq -d)
if [[ -n $twice ]]; then
	echo "mutants: marked twice: $twice" >&2
	exit 1
fi
if (($# == 0)); then mapfile -t names < <(marks | cut -d' ' -f1); else names=("$@"); fi

all_failures "$(build_without "$last_judgement")" >"$kept/$last_judgement.failures"
for name in "${names[@]}"; do
	if (($(jobs -rp | wc -l) >= $(nproc))); then wait -n; fi
	try_mutant "$name" | tee "$kept/$name.result" &
done
wait

passed=0
for name in "${names[@]}"; do
	if grep -q '^ok' "$kept/$name.result"; then ((++passed)); fi
done
echo "$passed passed, $((${#names[@]} - passed)) failed, 0 skipped"
((passed == ${#names[@]}))
