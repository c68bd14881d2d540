#!/bin/bash
# imports.sh LIBRARY - does the library load into any process, linked to glibc or to musl?  Prints each breach, exits 1 if any.
set -euo pipefail
library=$1
compiler=${CC:-gcc}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

defined_in() { nm -D --defined-only "$@" | awk 'NF == 3 { sub(/@.*/, "", $3); print $3 }' | sort -u; }

glibc=$("$compiler" -print-file-name=libc.so.6)
libdl=$("$compiler" -print-file-name=libdl.so.2) # a part of glibc, with dlsym() and its kin until 2.33; musl knows the name
musl=
for file in /usr/lib/*-linux-musl/libc.so /lib/ld-musl-*.so.1; do
	if [[ -e $file ]]; then musl=$file; fi
done
if [[ $glibc != /* || -z $musl ]]; then
	echo "imports: needs both glibc and musl to compare with (make setup lint)" >&2
	exit 1
fi

# A weak reference may stay empty; every other one must be found, or the host does not start.
nm -D --undefined-only "$library" | awk '$1 == "U" { sub(/@.*/, "", $2); print $2 }' | sort -u >"$scratch/imported"
{
	defined_in "$glibc" "$libdl" | comm -23 "$scratch/imported" - | sed 's/$/: imported, but glibc has no such function/'
	defined_in "$musl" | comm -23 "$scratch/imported" - | sed 's/$/: imported, but musl has no such function/'
	sed -nE '/^(str|wcs)n?casecmp$|^(str|wcs)coll|^(__ctype_|is|to)(lower|upper|alpha|digit|alnum|space)|^__ctype_/s/$/: imported, and goes by the locale of the host/p' \
		"$scratch/imported"
	sed -n 's/_chk$/&: imported, a name of _FORTIFY_SOURCE/p' "$scratch/imported"

	readelf -dW "$library" >"$scratch/dynamic"
	readelf -lW "$library" >"$scratch/segments"
	sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' "$scratch/dynamic" | grep -vxF -e libc.so.6 -e libdl.so.2 | sed 's/^/needs another library: /' || :
	grep -qE '\(FLAGS\).*BIND_NOW' "$scratch/dynamic" || echo 'not linked with -z now'
	grep -qE '\(FLAGS_1\).*NODELETE' "$scratch/dynamic" || echo 'not linked with -z nodelete'
	grep -q 'GNU_RELRO' "$scratch/segments" || echo 'not linked with -z relro'
	grep -qE 'GNU_STACK .* RW ' "$scratch/segments" || echo 'its stack is executable'
	if grep -q TEXTREL "$scratch/dynamic"; then echo 'has text relocations'; fi
} >"$scratch/complaints"
sed "s,^,$library: ," "$scratch/complaints"
[[ ! -s $scratch/complaints ]]
