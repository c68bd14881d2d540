#!/bin/bash
# bsymbolic.sh - servers of Debian 13 on OpenSSL as upstream links it, with -Bsymbolic, so that its libraries call their own
# functions and no door stands in between: tests/servers, in the root that check-matrix keeps of Debian 13.
#
# The root stays as it is: the servers, the libraries and the tests lie in a layer over it, which is kept.  Its OpenSSL stands
# where Debian's would: all of the layer uses it.
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
	libio-socket-ssl-perl libhttp-daemon-ssl-perl zlib1g-dev libzstd-dev)
# What OpenSSL serves in many ways: descriptors, memory, BIOs of their own, looked up, within languages.
servers=(nginx-http nginx-http2 nginx-stream apache-event apache-prefork apache-http2 haproxy-http haproxy-tcp stunnel socat
	lighttpd-openssl hitch ncat python-http-server python-asyncio gunicorn uvicorn tornado ruby-openssl webrick puma redis
	mosquitto unbound postgresql nodejs nodejs-http2 perl-http-daemon openssl-www openssl-rev openssl-early-data
	dlopen-local dlopen-deep)
# shellcheck source=tests/root.sh
source tests/root.sh

say() { echo "bsymbolic: $1"; }
# shellcheck disable=SC2016 # the variables are those of the inner shell
install='
	set -eu
	tests/setup.sh build test servers
	export DEBIAN_FRONTEND=noninteractive
	apt-get install -y -qq --no-install-recommends "$@"
'
# Debian's own objects, of its static libraries, linked as upstream links its libraries, with the same versions of the same
# names.  What libssl has of libcrypto besides, its static twin has not.
# shellcheck disable=SC2016
link_openssl='
	set -eu
	folder=/usr/lib/$(gcc -print-multiarch)
	mkdir -p /var/cache/openssl
	cd /var/cache/openssl
	for name in crypto ssl; do
		readelf -W --dyn-syms "$folder/lib$name.so.3" | awk "
			\$7 != \"UND\" && \$8 ~ /@@/ { split(\$8, parts, \"@@\"); of[parts[2]] = of[parts[2]] parts[1] \"; \" }
			END { for (version in of) print version, \"{ global:\", of[version] \"local: *; };\" }" >"$name.map"
		case $name in
		crypto) more= ;;
		ssl) more="./libcrypto.so.3 -l:libcrypto.a" ;;
		esac
		gcc -shared -o "lib$name.so.3" -Wl,-Bsymbolic -Wl,-z,defs,-z,relro,-z,nodelete -Wl,-soname,"lib$name.so.3" \
			-Wl,--version-script="$name.map" -Wl,--whole-archive "-l:lib$name.a" -Wl,--no-whole-archive $more \
			-lz -lzstd -ldl -lpthread
		readelf -d "lib$name.so.3" | grep -w SYMBOLIC
	done
	for name in crypto ssl; do
		install -m 644 "lib$name.so.3" "$folder/lib$name.so.3.new"
		mv "$folder/lib$name.so.3.new" "$folder/lib$name.so.3"
	done
	openssl version
'

build_all() {
	say 'linking OpenSSL and building the tests'
	in_root 300 none sh -c "$link_openssl" || { fail 'OpenSSL cannot be linked' && return 1; }
	in_root 1800 none make WERROR= all build/tests/process/servers/late_server || { fail 'the tree does not build' && return 1; }
}

run_servers() {
	local chosen=("${servers[@]}")
	if [[ -n ${SERVERS:-} ]]; then read -ra chosen <<<"$SERVERS"; fi
	chosen=("${chosen[@]/#/tests/servers/}")
	run_and_count 3600 tests/run.sh "${chosen[@]/%/.sh}"
	tail -n "+$output_from" "$log" | sed '$d'
}

mkdir -p "${log%/*}" && : >"$log" || exit 1
need=$(roots_need)
if [[ -n $need ]]; then
	skip_suite "$need"
	echo "0 passed, 0 failed, $skipped skipped"
	exit 0
fi
roots_take bsymbolic || exit 1
root=$roots/$suite layer=${roots%/*}/bsymbolic tree=${roots%/*}/bsymbolic/new/cfshim
log=$(realpath "$log")
services_forbid
if root_make && tree_copy && packages_install sh -c "$install" install "${packages[@]}" && build_all; then
	say "$(tail -n +1 "$log" | grep -E '^OpenSSL 3' | tail -n 1), linked with -Bsymbolic"
	run_servers
fi
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
