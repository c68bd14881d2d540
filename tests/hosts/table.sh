#!/bin/bash
# table.sh - the table of tests/hosts/README.md, by the servers of tests/servers/hosts-*.sh that are there (root).
#
# BUILD  where the library and the command are
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$(realpath "${BUILD:-build}")
export BUILD HOSTS_ROWS
HOSTS_ROWS=$(mktemp)
trap 'rm -f "$HOSTS_ROWS"' EXIT
for server in tests/servers/hosts-*.sh; do "$server" >&2; done
echo '| server | requests | well-formed, answered | of an open connection, executed by an enforced site | of an enforced one, by another |'
echo '|---|---|---|---|---|'
sed 's/^| hosts-/| /' "$HOSTS_ROWS"
