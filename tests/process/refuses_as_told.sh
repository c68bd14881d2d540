#!/bin/bash
# refuses_as_told.sh [SERVER...] - unmodified servers refuse by each answer, again and again, and nothing stays of it: what
# tests/servers/common/refusals.sh says.  Without names: three of them, in shorter rounds.
#
# REFUSALS  how many in a row
set -uo pipefail
# shellcheck source=tests/tap.sh
source tests/tap.sh
if (($# == 0)); then
	set -- apache-event haproxy-http python-asyncio
	export REFUSALS=${REFUSALS:-48}
fi

as_told() { # SERVER
	"tests/servers/$1.sh" refusals >"$seen" 2>&1 || {
		cat "$seen"
		return 1
	}
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
seen=$scratch/seen
for server; do
	tap_before=$tap_count
	check "$server refuses as it is told" as_told "$server" >"$seen.result"
	reason=$(sed -n 's/^ok .* # SKIP //p' "$seen")
	if [[ -n $reason ]]; then
		tap_count=$tap_before
		skip "$server refuses as it is told" "$reason"
	else
		cat "$seen.result"
	fi
done
finish
