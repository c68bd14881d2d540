#!/bin/bash
# bsymbolic.sh - servers of Debian 13 on OpenSSL as upstream links it, with -Bsymbolic, so that its libraries call their own
# functions and no door stands in between: tests/servers, in the root that check-matrix keeps of Debian 13.
#
# The root stays as it is: the servers, the source of Debian's OpenSSL without Debian's patches, what is built of it and the
# tests lie in a layer over it, which is kept.  Its OpenSSL stands where Debian's would: all of the layer uses it.
#
# BUILD           where the output goes: BUILD/bsymbolic/log
# SERVERS         only these of tests/servers, for whoever looks into a failure
# XDG_CACHE_HOME  where the root and the layer are kept: cfshim/roots/trixie and cfshim/bsymbolic
set -uo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.." || exit 1
PATH=$PATH:/usr/sbin:/sbin
suite=trixie
log=${BUILD:-build}/bsymbolic/log
passed=0 failed=0 skipped=0
packages=(nginx-light libnginx-mod-stream apache2-bin haproxy stunnel4 socat lighttpd lighttpd-mod-openssl hitch ncat python3
	gunicorn uvicorn python3-tornado ruby ruby-webrick puma redis-server mosquitto unbound postgresql nodejs perl
	libio-socket-ssl-perl libhttp-daemon-ssl-perl)
# What OpenSSL serves in many ways: descriptors, memory, BIOs of their own, looked up, within languages.
servers=(nginx-http nginx-http2 nginx-stream apache-event apache-prefork apache-http2 haproxy-http haproxy-tcp stunnel socat
	lighttpd-openssl hitch ncat python-http-server python-asyncio gunicorn uvicorn tornado ruby-openssl webrick puma redis
	mosquitto unbound postgresql nodejs nodejs-http2 perl-http-daemon openssl-www openssl-rev openssl-early-data
	dlopen-local dlopen-deep)
# shellcheck source=tests/root.sh
source tests/root.sh

say() { echo "bsymbolic: $1"; }
skip_suite() {
	say "SKIPPED: $1"
	((++skipped))
}
fail() { # WHAT, whose output stands at the end of the log
	tail -n 40 "$log" | sed 's/^/    /'
	say "FAILED: $1"
	((++failed))
}

# No service is started there, ever.
# shellcheck disable=SC2016 # the variables are those of the inner shell
install='
	set -eu
	printf "#!/bin/sh\nexit 101\n" >/usr/sbin/policy-rc.d
	chmod 755 /usr/sbin/policy-rc.d
	tests/setup.sh build test servers
	export DEBIAN_FRONTEND=noninteractive
	apt-get install -y -qq --no-install-recommends "$@"
	sed "s/^deb /deb-src /" /etc/apt/sources.list >/etc/apt/source.list
	sources="-o Dir::Etc::SourceList=/etc/apt/source.list -o Dir::State::Lists=/var/cache/openssl/lists"
	mkdir -p /var/cache/openssl/lists
	cd /var/cache/openssl
	apt-get update -qq $sources
	# The newest is not on every mirror.
	for version in $(apt-cache $sources showsrc openssl | sed -n "s/^Version: //p" | sort -rV); do
		if apt-get source -qq --download-only --tar-only -o APT::Sandbox::User=root $sources "openssl=$version"; then break; fi
	done
	ls openssl_*.orig.tar.gz
'
# As upstream has it, but with the places and the extensions that programs of Debian are linked to.
# shellcheck disable=SC2016
build_openssl='
	set -eu
	triplet=$(gcc -print-multiarch)
	cd /var/cache/openssl
	archive=$(ls openssl_*.orig.tar.gz | sort -V | tail -n 1)
	if [ ! -e "$archive.built" ]; then
		rm -rf source && mkdir source
		tar -xf "$archive" --strip-components=1 -C source
		cd source
		./Configure "linux-$(uname -m)" --prefix=/usr --libdir="lib/$triplet" --openssldir=/usr/lib/ssl \
			shared no-tests no-docs enable-rfc3779 enable-cms
		make -s -j "$(nproc)" build_libs
		touch "../$archive.built"
	else
		cd source
	fi
	for library in libssl.so.3 libcrypto.so.3; do
		readelf -d "$library" | grep -w SYMBOLIC
		install -m 644 "$library" "/usr/lib/$triplet/$library.new"
		mv "/usr/lib/$triplet/$library.new" "/usr/lib/$triplet/$library"
	done
	openssl version
'

build_all() {
	say 'building OpenSSL and the tests'
	in_root 3600 none nice sh -c "$build_openssl" || { fail 'OpenSSL does not build' && return 1; }
	in_root 1800 none make WERROR= programs || { fail 'the tree does not build' && return 1; }
}

run_servers() {
	local start p='' f='' s='' chosen=("${servers[@]}")
	if [[ -n ${SERVERS:-} ]]; then read -ra chosen <<<"$SERVERS"; fi
	chosen=("${chosen[@]/#/tests/servers/}")
	start=$(($(wc -l <"$log") + 1))
	in_root 3600 none tests/run.sh "${chosen[@]/%/.sh}"
	tail -n "+$start" "$log" | sed '$d'
	read -r p f s < <(tail -n 1 "$log" | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p')
	if [[ -z $s ]]; then
		fail 'the tests came to no end'
		return
	fi
	((passed += p, failed += f, skipped += s))
}

mkdir -p "${log%/*}" && : >"$log" || exit 1
if ((EUID != 0)) || ! command -v debootstrap >/dev/null || ! unshare --mount --pid --ipc --net --fork true 2>/dev/null; then
	skip_suite 'this takes root, namespaces, and debootstrap: make setup check-matrix'
	echo "0 passed, 0 failed, $skipped skipped"
	exit 0
fi
trap 'if [[ -n $inside ]]; then kill -KILL "$inside" 2>/dev/null; wait "$inside"; fi; exit 130' INT TERM HUP
roots_take bsymbolic || exit 1
root=$roots/$suite layer=${roots%/*}/bsymbolic tree=${roots%/*}/bsymbolic/new/cfshim
log=$(realpath "$log")
if root_make && tree_copy && packages_install sh -c "$install" install "${packages[@]}" && build_all; then
	say "$(tail -n +1 "$log" | grep -E '^OpenSSL 3' | tail -n 1), linked with -Bsymbolic"
	run_servers
fi
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
