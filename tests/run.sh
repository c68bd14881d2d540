#!/bin/bash
# run.sh PROGRAM... - runs test programs that speak TAP, three at a time, since they wait more than they work, and counts: the last line is the sum.
#
# BUILD       where the build is, and where the output of each program is kept (BUILD/tests/*.log)
# RUN_UNDER   a command to run each program under: valgrind
# TEST_LIMIT  seconds that a program may take
# A program that dies, prints no plan, or another number of results than its plan says, is a failure of its own.
set -uo pipefail
export LC_ALL=C CMOCKA_MESSAGE_OUTPUT=TAP
BUILD=$(realpath "${BUILD:-build}") || exit 1
export BUILD CFSHIM_BUILD=$BUILD
limit=${TEST_LIMIT:-300}
logs=$BUILD/tests
under=()
if [[ -n ${RUN_UNDER:-} ]]; then read -ra under <<<"$RUN_UNDER"; fi

# "tests/unit/policy_parse" of build/tests/unit/policy_parse and of tests/process/cli.sh: what a person calls it.
short_name() {
	local name=${1#"$BUILD"/}
	name=${name#*tests/}
	echo "${name%.sh}"
}

log_of() {
	local name
	name=$(short_name "$1")
	echo "$logs/${name//\//-}.log"
}

# The sum of one log: "passed failed skipped", then what went wrong with the program itself.
# cmocka 1.1.5 prints a skip as `not ok N # SKIP`, and indents its plan.
count_results() { # LOG STATUS
	awk -v status="$2" -v limit="$limit" '
		/^[ \t]*1\.\.[0-9]+/ { sub(/^[ \t]*1\.\./, ""); planned += $1; plans++ }
		/^(not )?ok / && /# *[Ss][Kk][Ii][Pp]/ { skipped++; next }
		/^ok / { passed++ }
		/^not ok/ { failed++ }
		END {
			seen = passed + failed + skipped
			if (status == 124 || status == 137) wrong = "took longer than " limit " s"
			else if (!plans) wrong = "printed no plan (status " status ")"
			else if (planned != seen) wrong = "planned " planned " tests and reported " seen " (status " status ")"
			else if (status != 0 && !failed) wrong = "ended with status " status
			print passed + 0, failed + (wrong != ""), skipped + 0, wrong
		}' "$1"
}

# Each skip; what a cmocka test said of its reason stands in the line before.
show_skips() { # LOG
	awk '/^(not )?ok .*# *[Ss][Kk][Ii][Pp]/ { print before "    " $0 }
		{ before = /^(not )?ok |^[ \t]*1\.\./ ? "" : "    " $0 "\n" }' "$1"
}

run_program() {
	local log status passed failed skipped wrong
	log=$(log_of "$1")
	timeout -k 10 "$limit" "${under[@]}" "$1" >"$log" 2>&1 </dev/null
	status=$?
	read -r passed failed skipped wrong < <(count_results "$log" "$status")
	{
		echo "$(short_name "$1"): $passed passed, $failed failed, $skipped skipped"
		if ((failed > 0)); then
			sed 's/^/    /' "$log"
			if [[ -n $wrong ]]; then echo "    the program $wrong"; fi
		elif ((skipped > 0)); then
			show_skips "$log"
		fi
	} >"$log.report"
	echo "$passed $failed $skipped" >"$log.count"
	cat "$log.report" # in one go: another program may report at the same time
}

mkdir -p "$logs"
rm -f "$logs"/*.log "$logs"/*.log.report "$logs"/*.log.count
for program in "$@"; do
	if (($(jobs -rp | wc -l) >= 3)); then wait -n; fi
	run_program "$program" &
done
wait

read -r passed failed skipped counts < <(find "$logs" -name '*.log.count' -exec cat {} + |
	awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0, NR }')
((failed += $# - counts)) # a program without a count did not even get to its start, or shares another's name
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0 && passed > 0))
