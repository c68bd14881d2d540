#!/bin/bash
# fresh.sh - the README's five commands, as they stand there, by a new user: on fresh Debian 12 and 13, with the package that
# `make deb` built and an Apache that was configured before; and without root, in a home directory of this machine.
#
# BUILD           where deb/ is
# XDG_CACHE_HOME  where check-matrix keeps its roots: what happens in one is written to a layer over it, which goes with the test
set -uo pipefail
export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
# shellcheck source=tests/tap.sh
source tests/tap.sh
build=$(realpath "${BUILD:-build}") || exit 1
source=$PWD
roots=${XDG_CACHE_HOME:-$HOME/.cache}/cfshim/roots
package=$(compgen -G "$build/deb/cfshim_*.deb" | head -n 1)
skip_all() { # REASON
	skip 'the five commands' "$1"
	finish
}
if [[ -z $package ]]; then skip_all 'there is no package: make deb'; fi
if ((EUID != 0)); then skip_all 'it runs in namespaces of its own, and that takes root'; fi
if [[ -z ${CFSHIM_ISOLATED:-} ]]; then
	CFSHIM_ISOLATED=yes exec unshare --mount --pid --ipc --fork --kill-child --mount-proc "$0" "$@"
fi
mount -t tmpfs -o mode=755 tmpfs /mnt || skip_all 'its namespaces could not be furnished'

# The commands of the README's block that has this word in its first line.
commands_of() { # WORD
	awk -v word="$1" '/^```shell$/ { inside = 1; text = ""; next } /^```/ { if (inside && index(text, word)) printf "%s", text; inside = 0 }
		inside { text = text $0 "\n" }' README.md
}
five() { # COMMANDS
	echo "$1"
	[[ $(wc -l <<<"$1") == 5 ]]
}
system_commands=$(commands_of apt-get)
home_commands=$(commands_of dpkg-deb)
check 'the README has five commands for a system' five "$system_commands"
check 'the README has five commands for a home directory' five "$home_commands"

# --- a system

# What is installed comes over the network; all else happens in a network of its own.
net=()
in_root() { "${net[@]}" chroot "$root" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C \
	DEBIAN_FRONTEND=noninteractive http_proxy="${http_proxy:-}" "$@"; }
enter() { # SUITE: a layer over its root, at $root
	root=/mnt/$1/root
	mkdir -p "/mnt/$1/new" "/mnt/$1/work" "$root" &&
		mount -t overlay overlay -o "lowerdir=$roots/$1,upperdir=/mnt/$1/new,workdir=/mnt/$1/work" "$root" &&
		mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" || return
	cp -L --remove-destination /etc/resolv.conf "$root/etc/resolv.conf"
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" && chmod 755 "$root/usr/sbin/policy-rc.d"
	# Before there is any question of this library: Apache with the site of TLS that Debian brings.
	in_root apt-get update -qq && in_root apt-get install -y -qq --no-install-recommends apache2 ssl-cert ca-certificates curl &&
		in_root a2enmod -q ssl && in_root a2ensite -q default-ssl && printf '#!/bin/sh\nexec "$@"\n' >"$root/usr/local/bin/sudo" && chmod 755 "$root/usr/local/bin/sudo" &&
		mkdir -p "$root/build/deb" && cp "$package" "$root/build/deb/" || return
	unshare --net sleep 600 &
	sleep 0.5
	net=(nsenter --target $! --net)
	"${net[@]}" ip link set lo up && in_root apache2ctl start && sleep 1
}
page() { in_root curl -sSk --max-time 20 "$@" https://localhost/ | grep -o '<title>[^<]*' | head -n 1; }
try_system() { # SUITE NAME
	local command number=0
	if [[ ! -d $roots/$1 ]]; then
		skip "the five commands on $2" "there is no root of it: make check-matrix makes one"
		return
	fi
	net=()
	if ! enter "$1" >"/mnt/$1.log" 2>&1; then
		tail -n 5 "/mnt/$1.log" | sed 's/^/# /'
		skip "the five commands on $2" 'Apache could not be had there'
		return
	fi
	check "$2: Apache, as it was, lets a stranger in" refuses 0 'Default Page' page
	while read -r command; do
		check "$2: command $((++number)): $command" in_root sh -ec "cd /; ${command//apt-get install/apt-get install -y}"
	done <<<"$system_commands"
	in_root cfshim probe localhost:443 | sed 's/^/# /'
	check "$2: a stranger has an alert and no page" refuses 1 'alert certificate required' page
	in_root cfshim test-ca /ca >/dev/null
	printf '[port 443]\nca = /ca/ca.pem\n' >"$root/etc/cfshim/policy.conf"
	in_root apache2ctl stop && sleep 2 && in_root cfshim run -- apache2ctl start
	sleep 1
	check "$2: with a CA of one's own the edge has the page" refuses 0 'Default Page' page --cert /ca/edge.pem --key /ca/edge.key
	check "$2: and a stranger has not" refuses 1 'alert certificate required' page
	in_root apache2ctl stop
	sleep 1
	check "$2: what was installed is removed" in_root dpkg -P cfshim
	net=()
}
try_system bookworm 'Debian 12'
try_system trixie 'Debian 13'

# --- a home directory

try_home() {
	local command number=0 home=/mnt/home
	mkdir -p "$home/site/logs" "$home/build" && cp -r "$build/deb" "$home/build/" && "$build/cfshim" test-ca "$home/site/ca" >/dev/null
	cat >"$home/site/apache2.conf" <<-END
		ServerRoot $home/site
		ServerName localhost
		PidFile logs/pid
		ErrorLog logs/error
		Listen 127.0.0.1:8443
		LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
		LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
		LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
		SSLEngine on
		SSLCertificateFile ca/server.pem
		SSLCertificateKeyFile ca/server.key
		DocumentRoot $home/site/pages
		Mutex file:logs
	END
	mkdir "$home/site/pages" && echo hello >"$home/site/pages/index.html"
	chown -R nobody "$home"
	unshare --net sleep 600 &
	sleep 0.5
	net=(nsenter --target $! --net)
	"${net[@]}" ip link set lo up
	as_nobody() { "${net[@]}" setpriv --reuid nobody --regid nogroup --clear-groups --no-new-privs env -i HOME="$home" PATH="$PATH" LC_ALL=C "$@"; }
	while read -r command; do
		check "without root: command $((++number)): $command" as_nobody sh -ec "cd; $command"
	done <<<"$home_commands"
	check 'without root: what is refused is a stranger' refuses 56 'certificate required' \
		"${net[@]}" curl -sS --max-time 20 --cacert "$home/site/ca/server.pem" https://localhost:8443/index.html
	as_nobody apache2 -f "$home/site/apache2.conf" -k stop
}
if ! command -v apache2 >/dev/null; then
	skip 'the five commands without root' 'apache2 is not installed'
else
	cd "$source" || exit 1
	try_home
fi
finish
