#!/bin/bash
# exports.sh LIBRARY [HOOKS] - do hooks.def, the library, OpenSSL and libc agree?  Prints each breach, exits 1 if any.
#
# A hook that is defined but not listed, or hidden, links without a word and is never called: nothing else notices.
set -euo pipefail
library=$1 hooks=${2:-shim/hooks.def}
compiler=${CC:-gcc}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

listed() { # KIND|KIND... NEED, a pattern each
	sed -nE "s/^($1)\\(([A-Za-z0-9_]+)(, *($2))?\\).*/\\2/p" "$hooks" | sort -u
}
exported_by() { # LIBRARY...
	local file
	for file in "$@"; do nm -D --defined-only "$file"; done | awk '{ sub(/@.*/, "", $3); print $3 }' | sort -u
}
library_file() { # NAME as the compiler finds it
	local file
	file=$("$compiler" -print-file-name="$1")
	if [[ $file != /* ]]; then
		echo "exports: $1 is not installed here" >&2
		exit 1
	fi
	echo "$file"
}

ssl=$(library_file libssl.so)
crypto=$(library_file libcrypto.so)
libc=$(library_file libc.so.6)
libdl=$(library_file libdl.so.2) # a part of glibc, with dlopen() until 2.33
exported_by "$ssl" "$crypto" >"$scratch/openssl"
exported_by "$libc" "$libdl" >"$scratch/libc"
exported_by "$library" >"$scratch/exported"
listed 'HOOK|LIBC' '[A-Z]+' >"$scratch/replaced"
listed 'HOOK|CALL|TRUST' 'MUST' >"$scratch/must"
listed 'LIBC' 'MUST' >"$scratch/libc-must"
nm "$library" | awk '$2 ~ /^[tTwW]$/ && NF == 3 { sub(/[.@].*/, "", $3); print $3 }' | sort -u >"$scratch/defined"
sort -u "$scratch/openssl" "$scratch/libc" >"$scratch/foreign"

sort "$hooks" | sed -nE 's/^(HOOK|CALL|TRUST|LIBC)\(([A-Za-z0-9_]+).*/\2/p' | sort | uniq -d >"$scratch/twice"
{
	comm -23 "$scratch/replaced" "$scratch/exported" | sed 's/$/: listed, but not exported/'
	comm -13 "$scratch/replaced" "$scratch/exported" | sed 's/$/: exported, but not listed/'
	comm -23 "$scratch/must" "$scratch/openssl" | sed 's/$/: listed as MUST, but this OpenSSL has no such function/'
	comm -23 "$scratch/libc-must" "$scratch/libc" | sed 's/$/: listed as MUST, but this libc has no such function/'
	comm -12 "$scratch/defined" "$scratch/foreign" | comm -23 - "$scratch/replaced" |
		sed 's/$/: defined like a function of OpenSSL or libc, but not listed/'
	sed 's/$/: listed twice/' "$scratch/twice"
	if [[ ! -s $scratch/replaced ]]; then echo "$hooks lists nothing"; fi
} >"$scratch/complaints"
sed "s,^,$library: ," "$scratch/complaints"
[[ ! -s $scratch/complaints ]]
