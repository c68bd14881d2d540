#!/bin/bash
# table.sh [DIRECTORY...] - tests/attacks/README.md, of the rows that the attacks left in each DIRECTORY (*.tsv): one for each
# version of OpenSSL, by default those of the matrix, which calls this when every version was run.
set -euo pipefail
page=$(dirname "$0")/README.md

intro() {
	cat <<-'END'
		# The attacks

		Made by `make check-matrix` of what it saw; do not edit. Each way in was tried on a host without the shim, where it got in by the
		way that is meant, and on the same host under the shim, with `refuse = reject` and `refuse = close`, where no byte of the application
		came out or in, the log said the reason, and the edge was still served. `make test` runs them all on the OpenSSL at hand.

		The fourth column is what the client saw under `reject`, TLS 1.2 before TLS 1.3 where they differ: the alert (RFC 8446, section 6), or how
		the connection ended. Under `close` it saw no byte. "stays as it was": the connection is the edge's own, and the trick failed.
	END
}

# Rows of the same case, of several versions, become one: what was seen is listed once for each way it looked.
rows() { # FILE...
	sort -t $'\t' -k1,1 -s "$@" | awk -F '\t' '
		function add(list, item) { return index("; " list "; ", "; " item "; ") ? list : list (list == "" ? "" : "; ") item }
		{
			key = $1 "\t" $2
			if (!(key in source)) { order[++count] = key; program[key] = $1; name[key] = $2 }
			source[key] = $3
			bare[key] = add(bare[key], $4); shimmed[key] = add(shimmed[key], $5); reason[key] = add(reason[key], $6)
			if (index(" " versions[key] " ", " " $7 " ") == 0) versions[key] = versions[key] (versions[key] == "" ? "" : " ") $7
		}
		END {
			for (i = 1; i <= count; i++) {
				key = order[i]
				if (program[key] != section) {
					section = program[key]
					printf "\n## %s\n\n", section
					print "| way in | source | bare | under the shim | reason | OpenSSL |"
					print "|---|---|---|---|---|---|"
				}
				printf "| %s | %s | %s | %s | `%s` | %s |\n", name[key], source[key], bare[key], shimmed[key], reason[key], versions[key]
			}
			printf "\n%d ways in.\n", count
		}'
}

if (($# == 0)); then
	matrix=${BUILD:-build}/matrix
	set -- "$matrix"/bullseye "$matrix"/bookworm "$matrix"/trixie "$matrix"/sid
fi
files=()
for directory in "$@"; do files+=("$directory"/*.tsv); done
{ intro && rows "${files[@]}"; } >"$page.new"
mv "$page.new" "$page"
