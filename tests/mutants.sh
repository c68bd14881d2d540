#!/bin/bash
# mutants.sh [NAME...] - would the tests notice if an enforcement were not there?  One build of the library for each, or for the
# NAMEs, without it; then tests, until one fails twice that passes with the whole library: first those that noticed the last time.
#
# An enforcement is the statement behind a line `/* enforces NAME */` in shim/.  Layers cover each other: where every test
# still passes, the same is done in a build that lacks the layers which cover this one too, and some test must fail there that
# does not fail for want of those alone.  The mark names them, `, as OTHER OTHER do`; else it is the judgement at the end of the
# handshake, `end`.  `, from VERSION`: an OpenSSL before that has nothing to enforce there.  It is tried in the root that
# check-matrix has of a newer one, and skipped where there is none.
#
# A run of all that notices all leaves who did in tests/mutants.txt: NAME PROGRAM, and `covered` where it took the build without
# the others too.
#
# BUILD           where the tests are built, and where the mutants are kept (BUILD/mutants)
# XDG_CACHE_HOME  where the roots of check-matrix are: cfshim/roots
set -euo pipefail
BUILD=$(realpath "${BUILD:-build}")
export LC_ALL=C CMOCKA_MESSAGE_OUTPUT=TAP CFSHIM_BUILD=$BUILD
kept=$BUILD/mutants
base=$kept/base
noticed_by=tests/mutants.txt
newer=trixie # its OpenSSL has all that a mark asks for
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

# What every library is built from: the sources and their objects, so that a mutant compiles one file.
build_base() {
	rm -rf "$base"
	mkdir -p "$base/cli" "$base/tests"
	cp -a Makefile shim policy man "$base"
	make_library "$base"
}
make_library() { # TREE
	make -C "$1" -s BUILD=build WERROR= CFLAGS='-O1 -w' build/libcfshim.so >&2
}

# A library without the enforcements; its path, of the name by which `status` finds it.  Fails where it does not build.
build_without() { # NAME...
	local name tree file library
	library=$kept/$(tr ' ' '+' <<<"$*")/libcfshim.so
	mkdir -p "${library%/*}"
	tree=$(mktemp -d "$kept/tree.XXXXXX")
	cp -a "$base/." "$tree"
	for name in "$@"; do
		read -r _ file _ < <(mark_of "$name")
		without_statement "$name" "$tree/$file" >"$tree/mutant.c"
		if [[ -z $file ]] || cmp -s "$tree/mutant.c" "$tree/$file"; then
			echo "mutants: taking $name out of ${file:-shim} changes nothing" >&2
			exit 1
		fi
		mv "$tree/mutant.c" "$tree/$file"
	done
	make_library "$tree" || return 1
	mv "$tree/build/libcfshim.so" "$library"
	rm -rf "$tree"
	echo "$library"
}

# The one that noticed the last time, then the quick ones.
programs() { # NAME
	local source
	awk -v name="$1" -v build="$BUILD" '$1 == name { print build "/tests/" $2 }' "$noticed_by"
	for source in tests/attacks/*.c tests/process/*.c; do
		case $source in
		*/costs_little.c | */resumption.c | */session_hosts.c) ;;
		*) echo "$BUILD/${source%.c}" ;;
		esac
	done
	echo "$BUILD/tests/attacks/session_hosts"
	echo "$BUILD/tests/attacks/resumption"
}

# The tests of PROGRAM that fail with LIBRARY, one a line; one that dies says so.  TEST: that one alone.
failures() { # LIBRARY PROGRAM [TEST]
	local output status=0
	output=$(CFSHIM_TEST=${3:-*} CFSHIM_LIBRARY=$1 timeout -k 10 "$limit" "$2" 2>&1 </dev/null) || status=$?
	sed -nE '/# *SKIP/d; s/^not ok [0-9]+ - //p' <<<"$output"
	if ! grep -q '^[[:space:]]*1\.\.' <<<"$output"; then echo "${2##*/} ended with $status"; fi
}

# The first program with a failure that comes twice, and not with the whole library: another process may have been in its way.
first_to_notice() { # NAME
	local library program test
	library=$(build_without "$1") || return 1
	while read -r program; do
		test=$(failures "$library" "$program" | head -n 1)
		if [[ -n $test && -n $(failures "$library" "$program" "$test") &&
			-z $(failures "$base/build/libcfshim.so" "$program" "$test") ]]; then
			echo "${program#"$BUILD"/tests/}"
			return
		fi
	done < <(programs "$1")
}

# The same in a build without the OTHERs too, of which a test fails twice that does not fail for want of those alone.
first_to_notice_beside() { # NAME OTHER...
	local both others program
	both=$(build_without "$@") || return 1
	others=$(build_without "${@:2}") || return 1
	while read -r program; do
		if [[ -n $(comm -12 <(failures "$both" "$program" | sort) <(failures "$both" "$program" | sort) |
			comm -23 - <(failures "$others" "$program" | sort)) ]]; then
			echo "${program#"$BUILD"/tests/} covered"
			return
		fi
	done < <(programs "$1")
}

was_covered() { # NAME
	grep -q "^$1 .* covered$" "$noticed_by"
}

try_mutant() { # NAME
	local name=$1 others noticed=
	read -r _ _ _ others < <(mark_of "$name")
	others=${others:-end}
	if ! was_covered "$name"; then noticed=$(first_to_notice "$name") || noticed=unbuilt; fi
	if [[ -z $noticed && $name != end ]]; then
		# shellcheck disable=SC2086 # several names
		noticed=$(first_to_notice_beside "$name" $others) || noticed=unbuilt
	fi
	case $noticed in
	unbuilt) echo "not ok - without $name: there is no library" ;;
	'') echo "not ok - without $name: nothing fails" ;;
	*covered) echo "ok - without $name, and without $others: ${noticed% covered} fails" ;;
	*) echo "ok - without $name: $noticed fails" ;;
	esac
	if [[ -n $noticed && $noticed != unbuilt ]]; then echo "$name $noticed" >"$kept/$name.noticed"; fi
}

needs_newer() { # NAME
	local version
	read -r _ _ version _ < <(mark_of "$1")
	[[ $version != - && $(printf '%s\n' "$version" "$openssl" | sort -V | head -n 1) != "$version" ]]
}

# Those of which OpenSSL has nothing here, where it has: in a root of check-matrix.
try_in_root() { # NAME...
	local name line why='' log=$BUILD/matrix/$newer/log
	if ! [[ -d ${XDG_CACHE_HOME:-$HOME/.cache}/cfshim/roots/$newer ]]; then
		why="OpenSSL $openssl has nothing of the kind, and there is no root of $newer: make check-matrix makes one"
	elif ((EUID != 0)); then
		why="OpenSSL $openssl has nothing of the kind, and only root enters the root of $newer"
	else
		rm -f "$log" # what an earlier run has seen is no result of this one
		if ! MUTANTS="$*" SUITES=$newer tests/matrix.sh mutants; then
			echo "# in the root of $newer something went unnoticed, or failed: $log"
		fi
	fi
	for name in "$@"; do
		line=$(grep -sE "^(not )?ok - without ${name}[:,]" "$log" | tail -n 1) || line="not ok - without $name: see $log"
		if [[ -n $why ]]; then line="ok - without $name # SKIP $why"; fi
		echo "$line" | tee "$kept/$name.result"
		sed -nE -e "s,^ok - without $name: ([a-z0-9_/]+) fails$,$name \\1,p" \
			-e "s,^ok - without $name\, and [^:]*: ([a-z0-9_/]+) fails$,$name \\1 covered,p" \
			<<<"$line" >"$kept/$name.noticed"
	done
}

mkdir -p "$kept"
rm -rf "$kept"/tree.* "$kept"/*.result "$kept"/*.noticed
openssl=$(openssl version | cut -d' ' -f2)
twice=$(marks | cut -d' ' -f1 | uniq -d)
if [[ -n $twice ]]; then
	echo "mutants: marked twice: $twice" >&2
	exit 1
fi
if (($# == 0)); then mapfile -t names < <(marks | cut -d' ' -f1); else names=("$@"); fi
build_base
elsewhere=()
for name in "${names[@]}"; do
	if needs_newer "$name"; then elsewhere+=("$name") && continue; fi
	if (($(jobs -rp | wc -l) >= jobs_at_once)); then wait -n; fi
	{ try_mutant "$name" | tee "$kept/$name.result"; } &
done
wait
if ((${#elsewhere[@]} > 0)); then try_in_root "${elsewhere[@]}"; fi

passed=0 skipped=0
for name in "${names[@]}"; do
	if grep -q '# SKIP' "$kept/$name.result"; then
		((++skipped))
	elif grep -q '^ok' "$kept/$name.result"; then
		((++passed))
	fi
done
if (($# == 0 && passed == ${#names[@]})); then sort "$kept"/*.noticed >"$noticed_by"; fi
echo "$passed passed, $((${#names[@]} - passed - skipped)) failed, $skipped skipped"
((passed + skipped == ${#names[@]}))
