#!/bin/bash
# install.sh - `make install` puts things where the loader, man and systemd find them, and `make uninstall` takes them away.
set -uo pipefail
# shellcheck source=tests/tap.sh
source tests/tap.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$scratch/root
multiarch=$("${CC:-gcc}" -print-multiarch)
libdir=/usr/local/lib${multiarch:+/$multiarch}

quiet_make() { make --no-print-directory BUILD="${BUILD:-build}" "$@" 2>&1; }
is_elf() { [[ $(head -c 4 "$1") == $'\x7fELF' ]]; }
has_files() { # FILE... below the root, none of them empty
	local file
	for file in "$@"; do
		if [[ ! -s $root$file ]]; then
			echo "missing: $file"
			return 1
		fi
	done
}
nothing_is_left() {
	local left
	left=$(find "$root" -type f)
	echo "$left"
	[[ -z $left ]]
}
goes_to() { # PATTERN MAKE-ARGUMENT...: what install would do
	local pattern=$1
	shift
	quiet_make -n install "$@" | grep -E -- "$pattern"
}

# The unit of nginx, made small, with our drop-in beside it as installed; paths of the root that it has here.
unit_with_drop_in() {
	local folder=$scratch/units
	mkdir -p "$folder/nginx.service.d"
	printf '[Service]\nType=forking\nPIDFile=/run/nginx.pid\nExecStart=/bin/true\n' >"$folder/nginx.service"
	sed "s,/usr/local/,$root/usr/local/,g" "$root/usr/local/share/doc/cfshim/examples/systemd/nginx.service.d/cfshim.conf" \
		>"$folder/nginx.service.d/cfshim.conf"
}
verify_unit() { # no complaint at all
	local output status=0
	output=$(systemd-analyze verify --man=no --recursive-errors=no "$scratch/units/nginx.service" 2>&1) || status=$?
	echo "$output"
	[[ $status == 0 && -z $output ]]
}
drop_in_names() { # what the drop-in names is what was installed
	local drop_in=$root/usr/local/share/doc/cfshim/examples/systemd/nginx.service.d/cfshim.conf
	grep -qxF "AssertPathExists=$libdir/libcfshim.so" "$drop_in" &&
		grep -qxF "Environment=LD_PRELOAD=$libdir/libcfshim.so" "$drop_in" &&
		grep -qxF 'ExecStartPre=+/usr/local/bin/cfshim check' "$drop_in"
}
verify_notices() { # a drop-in with a key that systemd does not know
	echo 'AssertPathExist=/nowhere' >>"$scratch/units/nginx.service.d/cfshim.conf"
	refuses 1 "Unknown key( name)? 'AssertPathExist'" verify_unit
}

check 'make install below DESTDIR succeeds, and tells that AppArmor may hide the library there' \
	refuses 0 "^install: warning: .*AppArmor.* $libdir/libcfshim.so mr" quiet_make install DESTDIR="$root"
check 'the library stands in the folder of its architecture' has_files "$libdir/libcfshim.so"
check 'the library is an object of ELF' is_elf "$root$libdir/libcfshim.so"
check 'the command runs from where it was put' "$root/usr/local/bin/cfshim" version
check 'the manual pages stand in their sections' has_files /usr/local/share/man/man1/cfshim.1 \
	/usr/local/share/man/man5/cfshim-policy.5 /usr/local/share/man/man8/libcfshim.8
check 'the completions stand where bash and zsh look' has_files /usr/local/share/bash-completion/completions/cfshim \
	/usr/local/share/zsh/site-functions/_cfshim
check 'README, licence and examples are there' has_files /usr/local/share/doc/cfshim/README.md \
	/usr/local/share/doc/cfshim/LICENSE /usr/local/share/doc/cfshim/examples/systemd/nginx.service.d/cfshim.conf
check 'with PREFIX=/usr the library goes to the folder that the loader of the distribution uses' \
	goes_to " /x/usr/lib${multiarch:+/$multiarch}/libcfshim\\.so" PREFIX=/usr DESTDIR=/x
check 'LIBDIR says where the library goes' goes_to ' /x/opt/lib/libcfshim\.so' LIBDIR=/opt/lib DESTDIR=/x
check 'the drop-in for systemd names the paths that were installed to' drop_in_names
unit_with_drop_in
if command -v systemd-analyze >/dev/null; then
	check 'systemd takes the drop-in without a complaint' verify_unit
	check 'systemd-analyze notices a drop-in with a mistake' verify_notices
else
	skip 'systemd takes the drop-in without a complaint' 'systemd-analyze is not here'
	skip 'systemd-analyze notices a drop-in with a mistake' 'systemd-analyze is not here'
fi
check 'make uninstall takes every file away' quiet_make uninstall DESTDIR="$root"
check 'no file is left' nothing_is_left
finish
