#!/bin/bash
# machine.sh - a whole machine with the library in /etc/ld.so.preload and no policy file: what is done on any day works as
# before, and every TLS listener is closed to strangers.
#
# The machine is the root that check-matrix keeps of Debian 12, which stays as it is: two layers over it, in which packages are
# installed and tests/machine/day.sh is run, once without the library and once, the installation too, with it.  Each has a
# network of its own, but for the installation.
#
# BUILD           where the output goes: BUILD/machine/log
# XDG_CACHE_HOME  where the root and the layers are kept: cfshim/roots/bookworm, cfshim/machine
set -uo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.." || exit 1
PATH=$PATH:/usr/sbin:/sbin
# shellcheck source=tests/tap.sh
source tests/tap.sh
# shellcheck source=tests/root.sh
source tests/root.sh
suite=bookworm
log=${BUILD:-build}/machine/log
packages=(openssh-server openssh-client cron exim4-daemon-light nginx-light curl python3 openssl gnutls-bin iproute2)

say() { echo "# machine: $1"; }
skip_suite() {
	skip 'a whole machine' "$1"
	finish
}
fail() {
	tail -n 40 "$log" | sed 's/^/# /'
	check "$1" false
	finish
}

# shellcheck disable=SC2016 # the variables are those of the inner shell
install='
	set -eu
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq
	apt-get install -y --no-install-recommends "$@"
	echo installed
'

use_layer() { # NAME
	layer=${roots%/*}/machine/$1
	tree=$layer/new/cfshim
	rm -rf --one-file-system "$layer"
	services_forbid
}

# What it prints, here.
day() { # bare|covered
	local start
	start=$(($(wc -l <"$log") + 1))
	in_root 600 none tests/machine/day.sh "$1"
	tail -n "+$start" "$log" | sed -nE '/^(not )?ok |^#/p'
	tap_count=$((tap_count + $(tail -n "+$start" "$log" | grep -cE '^(not )?ok ')))
	tap_failed=$((tap_failed + $(tail -n "+$start" "$log" | grep -cE '^not ok ')))
	if ! tail -n 1 "$log" | grep -q '^1\.\.'; then fail "a day, $1, comes to its end"; fi
}

bare() {
	use_layer bare
	if ! tree_copy || ! packages_install sh -c "$install" install "${packages[@]}" gcc make binutils libssl-dev libc6-dev; then finish; fi
	in_root 900 none make WERROR= all || fail 'the library is built'
	day bare
}

# The packages that were downloaded are those of before.
covered() {
	local bare=$layer library
	library=/usr/local/lib/libcfshim.so
	use_layer covered
	tree_copy || finish
	mkdir -p "$layer/new/usr/local/lib" "$layer/new/etc" "$layer/new/var/cache/apt/archives"
	install -m 644 "$bare/new/cfshim/build/libcfshim.so" "$layer/new$library"
	echo "$library" >"$layer/new/etc/ld.so.preload"
	cp "$bare"/new/var/cache/apt/archives/*.deb "$layer/new/var/cache/apt/archives/"
	packages_install sh -c "$install" install "${packages[@]}" || finish
	day covered
}

mkdir -p "${log%/*}" && : >"$log" || exit 1
log=$(realpath "$log")
need=$(roots_need)
if [[ -n $need ]]; then skip_suite "$need"; fi
roots_take '# machine' || exit 1
root=$roots/$suite
root_make || finish
bare
covered
finish
