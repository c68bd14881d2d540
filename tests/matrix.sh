#!/bin/bash
# matrix.sh GROUP... - runs the groups of tests (unit, process, attacks) on every OpenSSL that counts, one after another.
# The group `mutants` is for mutants.sh: those of MUTANTS, which need a newer OpenSSL.
#
# Each version is that of a Debian, in a root of its own that debootstrap makes and that is kept for the next run.  A root that
# is there needs no mirror; one that cannot be made or completed because no mirror answers is skipped, loudly.  The newest
# Debian moves: what fails there is shown and counts as skipped.  The library that the oldest OpenSSL 3 built is also loaded
# where OpenSSL is newer.  Programs run in mount, process and network namespaces of their own: nothing of them stays, and
# nothing gets out.
#
# BUILD           where the results go: BUILD/matrix/SUITE, with all output in `log`, and the rows of the attack programs
# SUITES          only these, for whoever looks into a failure
# XDG_CACHE_HOME  where the roots are kept: cfshim/roots/SUITE
set -uo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.." || exit 1
PATH=$PATH:/usr/sbin:/sbin
results=${BUILD:-build}/matrix
all_suites='bullseye bookworm trixie sid'
moving=sid             # its failures are not ours, until they come to a release
lends=bookworm         # its library ...
borrowers=(trixie sid) # ... is loaded there too
small_choice=(tests/process/enforces_on_servers tests/process/withholds_the_answer)
groups=("$@")
read -ra suites <<<"${SUITES:-$all_suites}"
lent= # `yes` when there is a library to lend
ran=() all_passed=0 all_failed=0 all_skipped=0
# shellcheck source=tests/root.sh
source tests/root.sh

say() { echo "matrix: $suite: $1"; }
has_group() { [[ " ${groups[*]} " == *" $1 "* ]]; }

# debootstrap's own log has the time when a root was made; here, or last upgraded.
root_refresh() {
	local dated=$root/var/log/bootstrap.log
	if [[ $suite != "$moving" || -n $(find "$dated" -mtime -7 2>/dev/null) ]]; then return 0; fi
	if ! mirror_answers; then
		say 'its root is older than a week, and no mirror answers (or only an outdated one): used as it is'
		return
	fi
	services_forbid
	if in_root 900 shared env DEBIAN_FRONTEND=noninteractive apt-get dist-upgrade -y -qq --no-install-recommends; then
		touch "$dated"
	else
		fail 'its root is older than a week and could not be upgraded'
		return 1
	fi
}

build() {
	local start
	start=$(wc -l <"$log")
	if ! in_root 900 none make WERROR= programs; then
		fail 'it does not build'
		return 1
	fi
	if tail -n "+$((start + 1))" "$log" | grep 'warning:'; then say 'WARNINGS: see above'; fi
}

check_library() { # with what this version has
	local rule
	for rule in lint-imports lint-exports; do
		if in_root 300 none make "$rule"; then ((++passed)); else fail "$rule"; fi
	done
}

# What a group consists of, as it is called in the root.  The README is the same everywhere, and its first command installs.
programs_of() { # GROUP
	local file
	for file in "tests/$1"/*.c "tests/$1"/*.sh; do
		case $file in
		*'*'* | */readme.sh | */table.sh) ;;
		*.c) echo "build/${file%.c}" ;;
		*.sh) echo "$file" ;;
		esac
	done
}

# Of the output of run.sh, the programs of which a test failed or was skipped.
show_results() { # FIRST-LINE of it in the log
	tail -n "+$1" "$log" | awk '
		/^[^ \t].*: [0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { shown = !/ 0 failed, 0 skipped$/ }
		/^[0-9]+ passed, / { shown = 0 }
		shown { print "  " $0 }'
}

run_and_show() { # COMMAND...
	run_and_count 2400 "$@" && show_results "$output_from"
}

run_programs() { # PROGRAM...
	if (($# > 0)); then run_and_show tests/run.sh "$@"; fi
}

run_mutants() {
	local names
	read -ra names <<<"${MUTANTS:-}"
	if has_group mutants && ((${#names[@]} > 0)); then run_and_show tests/mutants.sh "${names[@]}"; fi
}

# The library that is installed is often not the one that was built here.
run_with_borrowed_library() {
	local built=$roots/$lends/src/build/libcfshim.so programs=()
	if [[ " ${borrowers[*]} " != *" $suite "* ]]; then return; fi
	if has_group process; then programs+=("${small_choice[@]/#/build/}"); fi
	if has_group attacks; then mapfile -t -O "${#programs[@]}" programs < <(programs_of attacks); fi
	if ((${#programs[@]} == 0)); then return; fi
	if [[ $lent != yes ]]; then
		skip_suite "the library of $lends was not built, and so not tried here"
		return
	fi
	cp "$built" "$root/src/build/libcfshim-$lends.so" || { fail 'no library to borrow' && return; }
	say "with the library that was built on $lends"
	CFSHIM_LIBRARY=/src/build/libcfshim-$lends.so run_programs "${programs[@]}"
}

run_tests() {
	local group programs=()
	for group in "${groups[@]}"; do mapfile -t -O "${#programs[@]}" programs < <(programs_of "$group"); done
	rm -rf --one-file-system "$root/src/build/attacks"
	run_programs "${programs[@]}"
	find "$root/src/build/attacks" -name '*.tsv' -exec cp -t "$results/$suite" {} + 2>/dev/null
	run_with_borrowed_library
	run_mutants
}

report() {
	if [[ $suite == "$moving" ]] && ((failed > 0)); then
		say "$failed FAILED; $suite moves, so that counts as skipped"
		((skipped += failed, failed = 0))
	fi
	echo "$suite: OpenSSL $version: $passed passed, $failed failed, $skipped skipped, $((SECONDS - began)) s"
	((all_passed += passed, all_failed += failed, all_skipped += skipped))
}

run_suite() { # SUITE
	local suite=$1 root=$roots/$1 tree=$roots/$1/src log=$results/$1/log version=unknown began=$SECONDS passed=0 failed=0 skipped=0
	local wanted=(build test)
	rm -rf --one-file-system "${results:?}/$suite"
	mkdir -p "$results/$suite"
	: >"$log"
	if has_group process; then wanted+=(tools); fi
	if root_make && tree_copy && root_refresh && packages_install tests/setup.sh "${wanted[@]}"; then
		version=$(chroot "$root" openssl version | cut -d' ' -f2)
		say "OpenSSL $version"
		if build; then
			if [[ $suite == "$lends" ]]; then lent=yes; fi
			check_library
			run_tests
			ran+=("$suite")
		fi
	fi
	report
}

# Everything that is needed is asked for before the first root is touched.
check_ground() {
	local group need
	for group in "${groups[@]}"; do
		case $group in
		unit | process | attacks | mutants) ;;
		*) echo "matrix: there is no group $group: unit, process, attacks" >&2 && return 1 ;;
		esac
	done
	if ((${#groups[@]} == 0)); then echo 'usage: tests/matrix.sh unit|process|attacks...' >&2 && return 1; fi
	need=$(roots_need)
	if [[ -n $need ]]; then echo "matrix: $need" >&2 && return 1; fi
}

check_ground || exit 1
roots_take matrix || exit 1
mkdir -p "$results" || exit 1
results=$(realpath "$results")
for suite in "${suites[@]}"; do run_suite "$suite"; done
if has_group attacks && [[ ${ran[*]} == "$all_suites" ]] && [[ -x tests/attacks/table.sh ]]; then
	tests/attacks/table.sh || { echo 'matrix: tests/attacks/table.sh FAILED' && ((++all_failed)); }
fi
echo "$all_passed passed, $all_failed failed, $all_skipped skipped"
((all_failed == 0))
