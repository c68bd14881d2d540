#!/bin/bash
# throughput.sh - what the library leaves of the throughput of an open site on a mixed port, as throughput.py measures it.
#
# BUILD   where the library and the command are
# STARTS  of each server
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH=$PATH:/usr/sbin
build=$(realpath "${BUILD:-build}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if ! nginx=$(command -v nginx); then
	echo 'throughput: SKIPPED: there is no nginx' >&2
	exit 0
fi
chmod 755 "$folder"
"$build/cfshim" test-ca "$folder/ca" >"$folder/list"
/usr/bin/python3 -IS tests/hosts/throughput.py "$nginx" "$build/libcfshim.so" "$folder/ca" "$folder"
