#!/bin/bash
# fresh.sh - the README's five commands, and those that take them back, as they stand there, by a new user: on fresh Debian 12 and 13,
# with the package that `make deb` built and an Apache that was configured before; and without root, in a home directory of this machine.
#
# No systemd runs in the roots: systemctl.sh takes its place there.  And nobody but Cloudflare has its key: once the commands were seen
# to work as they stand, the policy is given a CA of one's own, and an address of Cloudflare's network is that of the edge.
#
# BUILD           where deb/ is
# XDG_CACHE_HOME  where check-matrix keeps its roots: what happens in one is written to a layer over it, which goes with the test
set -uo pipefail
export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
# shellcheck source=tests/tap.sh
source tests/tap.sh
build=$(realpath "${BUILD:-build}") || exit 1
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
dpkg-deb -x "$package" /mnt/unpacked
make_ca() { /mnt/unpacked/usr/bin/cfshim test-ca "$1" >/dev/null; } # DIRECTORY

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
system_out=$(commands_of 'cfshim disable')
home_commands=$(commands_of dpkg-deb)
home_out=$(commands_of '-k stop')
check 'the README has five commands for a system' five "$system_commands"
check 'the README has five commands for a home directory' five "$home_commands"
check 'and some to get out again' test -n "$system_out" -a -n "$home_out"

# Command NUMBER of the README's COMMANDS.
numbered() { sed -n "$1p" <<<"$2"; }

# What is installed comes over the network; all else happens in a network of its own, which has an address of Cloudflare's.
net=()
edge_address=173.245.48.5
enter_net() {
	unshare --net sleep 600 &
	sleep 0.5
	net=(nsenter --target $! --net)
	"${net[@]}" ip link set lo up && "${net[@]}" ip address add "$edge_address/32" dev lo
}
nothing_mapped() { # PROGRAM
	local pid
	for pid in $(pgrep -x "$1"); do
		if grep -q libcfshim "/proc/$pid/maps"; then echo "process $pid has it" && return 1; fi
	done
	pgrep -x "$1" # it runs
}

# --- a system

in_root() { "${net[@]}" chroot "$root" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C \
	DEBIAN_FRONTEND=noninteractive http_proxy="${http_proxy:-}" "$@"; }
types() { # COMMAND: what a user types
	in_root sh -ec "cd /; ${1//apt-get install/apt-get install -y}"
}
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
		cp tests/packages/systemctl.sh "$root/usr/local/bin/systemctl" && mkdir -p "$root/build/deb" "$root/run/systemd/system" &&
		cp "$package" "$root/build/deb/" || return
	enter_net && in_root systemctl start apache2 && sleep 1
}
page() { # NAME ARGUMENT...: the title of the page that is got by that name
	in_root curl -sSk --max-time 20 --connect-to "$1::127.0.0.1:" "${@:2}" "https://$1/" | grep -o '<title>[^<]*' | head -n 1
}
edge=(--interface "$edge_address")
with_certificate=(--cert /ca/edge.pem --key /ca/edge.key)
has_page() { refuses 0 'Default Page' page "$@"; }
has_alert() { refuses 1 'alert certificate required' page "$@"; }
configuration() { in_root sh -c 'find /etc/apache2 /lib/systemd/system/apache2.service -type f | sort | xargs md5sum'; }
try_observed() { # NAME: the third command is done
	check "$1: under observe a stranger has the page" has_page localhost
	check "$1: and so has the edge" has_page shop.example "${edge[@]}" "${with_certificate[@]}"
	check "$1: also where it comes without a certificate" has_page forgotten.example "${edge[@]}"
	check "$1: command 4 names whom it would break: origin pulls are off" refuses 1 \
		'^443 +forgotten.example +0 +1 +0 +0 +0 +would break$' types "$(numbered 4 "$system_commands")"
	check "$1: and whose certificate is another's" refuses 1 '^443 +shop.example +0 +0 +1 +0 +0 +would break$' \
		types "$(numbered 4 "$system_commands")"
	check "$1: and says that it is not safe" refuses 1 '^not safe: ' types "$(numbered 4 "$system_commands")"

	sed -i 's,^ca *=.*,ca = /ca/ca.pem,' "$root/etc/cfshim/policy.conf"
	in_root systemctl restart apache2
	page localhost >/dev/null
	check "$1: where none but strangers came, it does not know" refuses 1 '^not known' types "$(numbered 4 "$system_commands")"
	check "$1: with the right CA the edge has the page" has_page shop.example "${edge[@]}" "${with_certificate[@]}"
	check "$1: command 4: $(numbered 4 "$system_commands"): it is safe" refuses 0 '^safe to require$' types "$(numbered 4 "$system_commands")"
}
try_required() { # NAME: the fifth is, too
	sleep 2
	check "$1: two seconds later a stranger has an alert and no page" has_alert localhost
	check "$1: and is out in each way that is tried" refuses 0 . types 'cfshim probe localhost:443'
	check "$1: the edge without a certificate, too" has_alert forgotten.example "${edge[@]}"
	check "$1: with one it has the page" has_page shop.example "${edge[@]}" "${with_certificate[@]}"
	check "$1: Apache is configured as it was" diff "/mnt/$suite.before" <(configuration)
}
try_system() { # SUITE NAME
	local suite=$1 name=$2 number command
	if [[ ! -d $roots/$suite ]]; then
		skip "the five commands on $name" "there is no root of it: make check-matrix makes one"
		return
	fi
	net=()
	if ! enter "$suite" >"/mnt/$suite.log" 2>&1; then
		tail -n 5 "/mnt/$suite.log" | sed 's/^/# /'
		skip "the five commands on $name" 'Apache could not be had there'
		return
	fi
	configuration >"/mnt/$suite.before"
	make_ca "$root/ca"
	chmod 755 "$root/ca" # Apache's workers look at a changed policy as www-data
	check "$name: Apache, as it was, lets a stranger in" has_page localhost
	for number in 1 2 3; do
		command=$(numbered "$number" "$system_commands")
		check "$name: command $number: $command" types "$command"
	done
	try_observed "$name"
	command=$(numbered 5 "$system_commands")
	check "$name: command 5: $command" types "$command"
	try_required "$name"
	while read -r command; do
		check "$name: out again: $command" types "$command"
	done <<<"$system_out"
	check "$name: a stranger has the page again" has_page localhost
	check "$name: no Apache has anything of the library" nothing_mapped apache2
	check "$name: nor has its unit" test ! -e "$root/etc/systemd/system/apache2.service.d"
	in_root systemctl stop apache2
	check "$name: what was installed is removed" in_root dpkg -P cfshim
	net=()
}
try_system bookworm 'Debian 12'
try_system trixie 'Debian 13'

# --- a home directory

furnish_home() {
	mkdir -p "$home/site/logs" "$home/site/pages" "$home/build" && cp -r "$build/deb" "$home/build/" &&
		make_ca "$home/site/ca"
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
	echo hello >"$home/site/pages/index.html"
	chown -R nobody "$home"
	enter_net
}
as_nobody() { # COMMAND: what a user without root types
	"${net[@]}" setpriv --reuid nobody --regid nogroup --clear-groups --no-new-privs env -i HOME="$home" PATH=/usr/local/bin:/usr/bin:/bin \
		LC_ALL=C sh -ec "cd; $1"
}
at_home() { # STATUS PATTERN ARGUMENT...: what a client finds
	refuses "$1" "$2" "${net[@]}" curl -sS --max-time 20 --cacert "$home/site/ca/server.pem" "${@:3}" https://localhost:8443/index.html
}
try_home() {
	local number command home=/mnt/home
	local edge=(--interface "$edge_address" --cert "$home/site/ca/edge.pem" --key "$home/site/ca/edge.key")
	furnish_home
	for number in 1 2 3 4 5; do
		command=$(numbered "$number" "$home_commands")
		check "without root: command $number: $command" as_nobody "$command"
		case $number in
		2) sed -i "s,^ca *=.*,ca = $home/site/ca/ca.pem," "$home/cfshim/policy.conf" ;;
		3)
			sleep 1
			check 'without root: under observe a stranger has the page' at_home 0 '^hello' -4
			check 'without root: the edge, too' at_home 0 '^hello' "${edge[@]}"
			check 'without root: it is safe' refuses 0 '^safe to require$' as_nobody "$(numbered 4 "$home_commands")"
			;;
		esac
	done
	sleep 2
	check 'without root: two seconds later a stranger has an alert and no page' at_home 56 'certificate required' -4
	check 'without root: the edge has the page' at_home 0 '^hello' "${edge[@]}"
	check 'without root: the log tells of both times' bash -c "grep -q ' observed reason=no-certificate ' $home/cfshim/log &&
		grep ' refused reason=no-certificate ' $home/cfshim/log"
	while read -r command; do
		check "without root: out again: $command" as_nobody "$command"
	done <<<"$home_out"
	sleep 1
	check 'without root: a stranger has the page again' at_home 0 '^hello' -4
	check 'without root: no Apache has anything of the library' nothing_mapped apache2
	as_nobody "/usr/sbin/apache2 -f $home/site/apache2.conf -k stop"
}
if [[ ! -x /usr/sbin/apache2 ]]; then
	skip 'the five commands without root' 'apache2 is not installed'
else
	try_home
fi
finish
