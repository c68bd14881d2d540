#!/bin/bash
# cpython.sh - CPython's own tests of TLS, sockets and programs it starts, run twice, without the library and with it under
# `[port *] verify = off`: every single test must end as it does without.  Speaks TAP.
#
# CFSHIM_BUILD   where the build is
# SUITE_LIMIT    seconds that one suite may take
# Both runs go on at the same time, in folders of their own.  Tests that end differently are run once more, without the others
# and one after the other: some depend on the time.
set -uo pipefail
export LC_ALL=C.UTF-8
build=$(realpath "${CFSHIM_BUILD:-build}") || exit 1
here=$(dirname "$(realpath "$0")")
limit=${SUITE_LIMIT:-600}
python=/usr/bin/python3
suites=(test_ssl test_asyncio test_ftplib test_imaplib test_poplib test_httplib test_urllib2_localnet test_socket
	test_subprocess)

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
printf '[port *]\nverify = off\n' >"$scratch/policy.conf"

# The library gets into Python alone: `timeout` is not what is measured.
declare -A environment=(
	[bare]=''
	[covered]="LD_PRELOAD=$build/libcfshim.so CFSHIM_POLICY=$scratch/policy.conf CFSHIM_LOG=off"
)

# One suite, or the tests of it that are named, in the folder FOLDER: results.xml and output.
run_python() { # bare|covered FOLDER SUITE [TEST...]
	local words=() options=(--junit-xml "$2/results.xml")
	read -ra words <<<"${environment[$1]}"
	if (($# > 3)); then options+=(--matchfile "$2/tests"); fi
	mkdir -p "$2/temporary"
	(
		cd "$2" || exit 1
		printf '%s\n' "${@:4}" >tests
		# VSOCK hangs where the machine is a guest whose host has none.
		timeout -k 10 "$limit" env "${words[@]}" TMPDIR="$2/temporary" "$python" -m test --ignore '*VSOCK*' \
			"${options[@]}" "$3" >output 2>&1 </dev/null
	)
}

# What ended otherwise, a line each; empty: nothing.
differences() { # FOLDER-OF-BARE FOLDER-OF-COVERED
	"$python" "$here/results.py" differences "$1/results.xml" "$2/results.xml"
}

compare() { # SUITE
	local suite=$1 folder=$scratch/$1 wrong name names
	run_python bare "$folder/bare" "$suite" &
	run_python covered "$folder/covered" "$suite"
	wait
	for name in bare covered; do
		if [[ ! -s $folder/$name/results.xml ]]; then
			echo "# $name, it did not come to its end within $limit s: $(tail -n 1 "$folder/$name/output")"
			return 1
		fi
	done
	wrong=$(differences "$folder/bare" "$folder/covered" 2>&1)
	if [[ -n $wrong ]]; then
		echo "# a second time, alone:"
		echo "# ${wrong//$'\n'/$'\n'# }"
		mapfile -t names < <(cut -d: -f1 <<<"$wrong")
		run_python bare "$folder/bare-again" "$suite" "${names[@]}"
		run_python covered "$folder/covered-again" "$suite" "${names[@]}"
		wrong=$(differences "$folder/bare-again" "$folder/covered-again" 2>&1)
	fi
	[[ -z $wrong ]] || echo "# ${wrong//$'\n'/$'\n'# }"
	[[ -z $wrong ]]
}

is_covered() {
	local words=()
	read -ra words <<<"${environment[covered]}"
	env "${words[@]}" "$python" -c 'import _ssl; print(open("/proc/self/maps").read())' | grep "$build/libcfshim.so" >/dev/null
}

if ! "$python" -c 'import test.test_ssl, test.test_asyncio' 2>/dev/null; then
	echo "1..1"
	echo "not ok 1 - CPython's own tests are not installed (make setup check-transparency)"
	exit 1
fi
number=0
for suite in "${suites[@]}"; do
	if compare "$suite"; then result=ok; else result='not ok'; fi
	echo "$result $((++number)) - $suite: $("$python" "$here/results.py" counts \
		"$scratch/$suite/bare/results.xml" 2>/dev/null), without the library and with it"
done
if is_covered; then result=ok; else result='not ok'; fi
echo "$result $((++number)) - it is this library that Python runs with"
echo "1..$number"
