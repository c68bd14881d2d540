# shellcheck shell=bash
# tap.sh - for tests in bash: `check SENTENCE COMMAND...` is one test, `finish` prints the plan and ends.  And what several need
# around their servers.
tap_count=0
tap_failed=0

# Passes where COMMAND ends with 0; what it printed is shown where it does not.
check() { # SENTENCE COMMAND...
	local sentence=$1 output status=0
	shift
	((++tap_count))
	output=$("$@" 2>&1) || status=$?
	if ((status == 0)); then
		echo "ok $tap_count - $sentence"
	else
		((++tap_failed))
		echo "not ok $tap_count - $sentence"
		echo "# status $status of: $*"
		printf '%s\n' "$output" | sed 's/^/# /'
	fi
}

skip() { # SENTENCE REASON
	((++tap_count))
	echo "ok $tap_count - $1 # SKIP $2"
}

# COMMAND must end with STATUS and print a line that matches PATTERN.
refuses() { # STATUS PATTERN COMMAND...
	local expected=$1 pattern=$2 output status=0
	shift 2
	output=$("$@" 2>&1) || status=$?
	printf '%s\n' "$output"
	if ((status != expected)); then
		echo "ended with $status, not with $expected"
		return 1
	fi
	grep -qE -- "$pattern" <<<"$output" || {
		echo "printed nothing like: $pattern"
		return 1
	}
}

# On 127.0.0.1, each another, and not among those that clients get.
distinct_free_ports() { # COUNT
	/usr/bin/python3 -c 'import random, socket, sys
held = []
while len(held) < int(sys.argv[1]):
    s = socket.socket()
    try: s.bind(("127.0.0.1", random.randint(10000, 29999)))
    except OSError: continue
    held.append(s)
print(*(s.getsockname()[1] for s in held))' "$1"
}
free_port() { distinct_free_ports 1; }

wait_for() { # COMMAND...: until it ends well, ten seconds
	local i
	for ((i = 0; i < 200; i++)); do
		if "$@" >/dev/null 2>&1; then return 0; fi
		sleep 0.05
	done
	echo "in vain: $*"
	return 1
}

finish() {
	echo "1..$tap_count"
	exit $((tap_failed > 0))
}
