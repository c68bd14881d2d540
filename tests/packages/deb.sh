#!/bin/bash
# deb.sh - the Debian package that `make deb` built: installed, upgraded, removed and purged under a running server, in namespaces of
# its own, where /usr, /etc and /var are this machine's with a layer over them that goes with the test.
#
# BUILD  where deb/ is
set -uo pipefail
export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
# shellcheck source=tests/tap.sh
source tests/tap.sh
build=$(realpath "${BUILD:-build}") || exit 1
skip_all() { # REASON
	skip 'the Debian package' "$1"
	finish
}
package=$(compgen -G "$build/deb/cfshim_*.deb" | head -n 1)
if [[ -z $package ]]; then skip_all 'it was not built: make deb'; fi
if ((EUID != 0)); then skip_all 'it is installed in namespaces of its own, and that takes root'; fi
if dpkg-query -W -f '${Status}' cfshim 2>/dev/null | grep -q ' installed$'; then skip_all 'it is installed on this machine'; fi
if [[ -z ${CFSHIM_ISOLATED:-} ]]; then
	CFSHIM_ISOLATED=yes exec unshare --mount --pid --net --ipc --fork --kill-child --mount-proc "$0" "$@"
fi
furnish() {
	local directory
	ip link set lo up && mount -t tmpfs -o mode=755 tmpfs /mnt || return
	for directory in usr etc var; do
		mkdir -p "/mnt/$directory/new" "/mnt/$directory/work" &&
			mount -t overlay overlay -o "lowerdir=/$directory,upperdir=/mnt/$directory/new,workdir=/mnt/$directory/work" \
				"/$directory" || return
	done
	mount -t tmpfs -o mode=755 tmpfs /run
}
furnish || skip_all 'its namespaces could not be furnished'
cd /mnt || exit 1
unset CFSHIM_POLICY CFSHIM_LOG LD_PRELOAD
library=/usr/lib/$(dpkg-architecture -q DEB_HOST_MULTIARCH 2>/dev/null || gcc -print-multiarch)/libcfshim.so

prints() { # TEXT COMMAND...
	local expected=$1 output
	shift
	output=$("$@" 2>&1)
	printf 'expected: %s\nprinted:  %s\n' "$expected" "$output"
	[[ $output == "$expected" ]]
}

# --- the file itself

if command -v lintian >/dev/null; then
	check 'lintian has nothing to say, but what is overridden with its reason' prints '' lintian --allow-root --fail-on error,warning -EI --suppress-tags \
		hardening-no-fortify-functions,no-symbols-control-file,spare-manual-page,bad-distribution-in-changes-file "$package"
else
	skip 'lintian has nothing to say, but what is overridden with its reason' 'lintian is not installed'
fi
scripts_of() { dpkg-deb -I "$package" | awk '/(preinst|postinst|prerm|postrm)/'; }
check 'it runs nothing when it is installed or removed: no service is touched' prints '' scripts_of
files_of() { dpkg-deb -c "$package" | awk '$1 ~ /^-/ { print substr($6, 2) }'; }
check 'nobody but root can write what it brings' prints '' \
	bash -c "dpkg-deb -c '$package' | awk '\$2 != \"root/root\" || substr(\$1, 6, 1) == \"w\" || substr(\$1, 9, 1) == \"w\"'"

# --- as installed

files_of | sort >files
check 'none of its files is here before' prints '' bash -c 'xargs ls -d <files 2>/dev/null'
check 'it installs' dpkg -i "$package"
check 'the library is where AppArmor lets confined programs map it' test -s "$library"
check 'the command finds the policy that came with it' refuses 0 '^policy +/etc/cfshim/policy.conf' cfshim check
check 'that policy has no mistake, and the one warning that every such policy has' refuses 0 '^1 warning$' cfshim check
cfshim check --print >shipped 2>/dev/null
mv /etc/cfshim/policy.conf kept
check 'it says what holds without one' prints "$(cat shipped)" bash -c 'cfshim check --print 2>/dev/null'
mv kept /etc/cfshim/policy.conf
check 'run finds the installed library' refuses 0 "^LD_PRELOAD=$library\$" cfshim run env
check 'the manual is there' bash -c 'man -w cfshim && man -w cfshim-policy && man -w libcfshim'
check 'bash finds the completion where it looks' bash -c 'source /usr/share/bash-completion/completions/cfshim && declare -F _cfshim'
if command -v apparmor_parser >/dev/null; then
	printf 'include <tunables/global>\nprofile try /nowhere {\n  include <abstractions/base>\n  include <abstractions/cfshim>\n}\n' >profile
	check 'the snippet for AppArmor is one' apparmor_parser -Q -K profile
else
	skip 'the snippet for AppArmor is one' 'apparmor_parser is not installed'
fi

# --- under a running server

if ! command -v nginx >/dev/null; then
	skip 'a running server keeps its cover' 'nginx is not installed'
	finish
fi
cfshim test-ca ca >/dev/null
chmod 755 ca && chmod 644 ca/*
port=20443
cat >/etc/cfshim/policy.conf <<-END
	[port $port]
	ca = /mnt/ca/ca.pem
END
cat >nginx.conf <<-END
	pid /mnt/nginx.pid; error_log /mnt/nginx.log; worker_processes 2; user nobody nogroup;
	events {}
	http {
		access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
		ssl_certificate ca/server.pem; ssl_certificate_key ca/server.key; ssl_protocols TLSv1.3;
		server { listen 127.0.0.1:$port ssl; location / { return 200 "hello\n"; } }
	}
END
chmod 755 /mnt
nginx=(nginx -p /mnt -e /mnt/nginx.log -c /mnt/nginx.conf)
start() {
	local turn
	"$@" "${nginx[@]}" || return
	for ((turn = 0; turn < 100; turn++)); do
		if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return; fi
		sleep 0.1
	done
	return 1
}
stop() {
	local turn
	kill "$(cat nginx.pid)"
	for ((turn = 0; turn < 100; turn++)); do
		if [[ ! -e nginx.pid ]]; then return; fi
		sleep 0.1
	done
	return 1
}
reload() { kill -HUP "$(cat nginx.pid)" && sleep 3; }
stranger() { curl -sS --max-time 20 --cacert ca/server.pem "https://localhost:$port/"; }
edge() { curl -sS --max-time 20 --cacert ca/server.pem --cert ca/edge.pem --key ca/edge.key "https://localhost:$port/"; }
holds() { refuses 56 'alert certificate required' stranger && prints hello edge; }
mapped() { # COUNT: how many processes of nginx have the library
	local pid count=0
	for pid in $(pgrep nginx); do
		if grep -q /libcfshim.so "/proc/$pid/maps"; then ((++count)); fi
	done
	echo "$count of $(pgrep -c nginx)"
	((count == $1))
}

start env && check 'without the library the server lets a stranger in' prints hello stranger
check 'and stops' stop
check 'the server starts with the installed library' start env "LD_PRELOAD=$library"
check 'a stranger is refused, and the edge is served' holds

# A newer version, of which the library is another file.
repack() { # VERSION
	rm -rf new && dpkg-deb -R "$package" new && sed -i "s/^Version: .*/Version: $1/" new/DEBIAN/control && echo >>"new/$library" &&
		(cd new && find usr -type f -exec md5sum {} + >DEBIAN/md5sums) && dpkg-deb -b --root-owner-group new "cfshim_$1.deb"
}
repack 999.0 >/dev/null 2>&1
check 'a newer version installs, and asks nothing' bash -c 'dpkg -i cfshim_999.0.deb </dev/null'
check 'the policy is still what it was made' grep -q "^ca = /mnt/ca/ca.pem" /etc/cfshim/policy.conf
check 'the library is another file' bash -c "grep -q 'libcfshim.so (deleted)' /proc/$(cat nginx.pid)/maps"
check 'the running server refuses strangers and serves the edge as before' holds
check 'it reloads, and its new workers do too' reload
check 'a stranger is refused by them, and the edge is served' holds
stop
check 'a server starts with the new library' start env "LD_PRELOAD=$library"
check 'and refuses strangers, and serves the edge' holds
check 'all of its processes have it' mapped 3

check 'it is removed' dpkg -r cfshim
check 'nothing is left but what the administrator may have changed' prints "$(grep ^/etc/ files)" bash -c 'xargs ls -d <files 2>/dev/null'
check 'the running server holds without the file' holds
check 'it reloads without the file' reload
check 'and holds' holds
check 'all of its processes have the library still' mapped 3
check 'it is purged' dpkg -P cfshim
check 'then nothing is left' prints '' bash -c 'xargs ls -d <files 2>/dev/null; ls -d /etc/cfshim 2>/dev/null'
check 'the running server holds still' holds
stop
finish
