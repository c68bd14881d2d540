#!/bin/bash
# setup.sh [GROUP...] - installs what a GROUP of goals needs and this machine has not: build, test, tools, examples, servers, lint,
# matrix, packages, transparency.
#
# What is looked for is the command or file, not the package: an nginx that came from elsewhere is as good.
# No service is started, and none that a package switches on stays so.  A second run finds nothing to do and is quick.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

# GROUP  WHAT IS LOOKED FOR  DEBIAN, UBUNTU  FEDORA (its names were not tried)
needs() {
	cat <<-'END'
		build gcc gcc gcc
		build make make make
		build nm binutils binutils
		build /usr/include/openssl/ssl.h libssl-dev openssl-devel
		build /usr/include/stdio.h libc6-dev glibc-devel
		test /usr/include/cmocka.h libcmocka-dev libcmocka-devel
		test openssl openssl openssl
		test curl curl curl
		test nginx nginx-light nginx
		test apache2|httpd apache2-bin httpd
		test /usr/bin/python3 python3 python3
		test socat socat socat
		test stunnel stunnel4 stunnel
		test gnutls-serv gnutls-bin gnutls-utils
		test git git git-core
		test ps procps procps-ng
		test musl-gcc musl-tools musl-gcc
		test setcap libcap2-bin libcap
		test mandoc mandoc mandoc
		test man man-db man-db
		test valgrind valgrind valgrind
		test nghttp nghttp2-client nghttp2
		tools promtool prometheus golang-github-prometheus
		tools logrotate logrotate logrotate
		tools fail2ban-regex fail2ban fail2ban-server
		tools zsh zsh zsh
		tools chromium chromium chromium
		tools systemd-analyze systemd systemd
		examples ansible-playbook ansible-core ansible-core
		examples /usr/lib/python3*/*-packages/kubernetes/__init__.py python3-kubernetes python3-kubernetes
		examples /usr/lib/python3*/*-packages/yaml/__init__.py python3-yaml python3-pyyaml
		examples docker-compose docker-compose docker-compose
		servers haproxy haproxy haproxy
		servers gnutls-serv gnutls-bin gnutls-utils
		servers ip iproute2 iproute
		servers unshare util-linux util-linux
		lint clang clang clang
		lint clang-tidy clang-tidy clang-tools-extra
		lint clang-format clang-format clang-tools-extra
		lint cppcheck cppcheck cppcheck
		lint shellcheck shellcheck ShellCheck
		lint codespell codespell codespell
		matrix debootstrap debootstrap debootstrap
		matrix /usr/share/keyrings/debian-archive-keyring.gpg debian-archive-keyring debian-keyring
		matrix ip iproute2 iproute
		matrix unshare util-linux util-linux
		packages dpkg-buildpackage dpkg-dev dpkg-dev
		packages dh debhelper debhelper
		packages lintian lintian lintian
		packages rpmspec rpm rpm-build
		packages rpmlint rpmlint rpmlint
		packages apparmor_parser apparmor apparmor-parser
		packages debootstrap debootstrap debootstrap
		transparency /usr/bin/python3 python3 python3
		transparency /usr/lib*/python3*/test/test_ssl.py ^libpython3[.][0-9]+-testsuite$ python3-test
	END
}

is_there() { # WHAT: a path, which may have wildcards, or commands of which one suffices, separated by |
	local name
	case $1 in
	/*) compgen -G "$1" >/dev/null ;;
	*)
		for name in ${1//|/ }; do
			if command -v "$name" >/dev/null; then return 0; fi
		done
		return 1
		;;
	esac
}

# The packages of the given groups, named as this distribution names them, whose WHAT is not there.
missing_packages() {
	local group what debian fedora
	while read -r group what debian fedora; do
		if [[ " $* " == *" $group "* ]] && ! is_there "$what"; then
			if [[ $family == debian ]]; then echo "$debian"; else echo "$fedora"; fi
		fi
	done < <(needs) | sort -u
}

# What starts at boot: unit links of systemd, and start links of init scripts.
services_at_boot() {
	find /etc/systemd/system/*.wants /etc/rc[2-5].d -type l \
		\( -name '*.service' -o -name '*.target' -o -name '*.socket' -o -name 'S[0-9][0-9]*' \) 2>/dev/null | sort
}

# Debian switches a service on as it installs it; what is new at boot is switched off again.
switch_off_new_services() { # FILE with the services_at_boot of before
	local link name
	while read -r link; do
		name=${link##*/}
		case $link in
		/etc/rc*) update-rc.d "${name#S[0-9][0-9]}" disable ;;
		*) if command -v systemctl; then systemctl disable "$name"; else rm -f "$link"; fi ;;
		esac >/dev/null 2>&1 || echo "setup: $name could not be switched off: it starts at the next boot" >&2
	done < <(services_at_boot | comm -13 "$1" -)
}

# While packages are unpacked, policy-rc.d says no to every start.  One that is there already has the last word.
policy=/usr/sbin/policy-rc.d
policy_mark='# made by tests/setup.sh of libcfshim for the time of an installation'
forbid_starts() {
	if [[ ! -e $policy ]]; then
		printf '#!/bin/sh\n%s\nexit 101\n' "$policy_mark" >"$policy"
		chmod 755 "$policy"
	fi
}
allow_starts() { # also clears away what a killed run left
	if [[ -f $policy ]] && grep -qxF "$policy_mark" "$policy"; then rm -f "$policy"; fi
}

install_debian() {
	local scratch
	scratch=$(mktemp -d)
	# shellcheck disable=SC2064 # the name is that of now
	trap "allow_starts; rm -rf '$scratch'" EXIT
	trap 'exit 130' INT TERM HUP
	export DEBIAN_FRONTEND=noninteractive
	services_at_boot >"$scratch/before"
	forbid_starts
	apt-get update -qq || echo "setup: apt-get update failed; going on with the lists that are there" >&2
	if ! apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 \
		-o Dpkg::Options::=--force-confdef "$@" >"$scratch/log" 2>&1 </dev/null; then
		tail -n 20 "$scratch/log" >&2
		echo "setup: apt-get could not install: $*" >&2
		exit 1
	fi
	switch_off_new_services "$scratch/before"
}

if command -v apt-get >/dev/null; then
	family=debian command='apt-get install -y --no-install-recommends'
else
	family=fedora command='dnf install -y --setopt=install_weak_deps=False'
fi

if (($# == 0)); then set -- build test tools examples servers lint; fi
mapfile -t packages < <(missing_packages "$@")
if ((${#packages[@]} == 0)); then
	echo "setup: nothing is missing ($*)"
	exit 0
fi

if ((EUID != 0)); then
	echo "setup: some programs are missing, and only root can install them.  This does it:" >&2
	echo "sudo $command ${packages[*]}" >&2
	exit 1
fi

echo "setup: installing ${packages[*]}"
case $family in
debian) install_debian "${packages[@]}" ;;
fedora) $command "${packages[@]}" ;; # a fresh Fedora starts and enables nothing by itself
esac

mapfile -t packages < <(missing_packages "$@")
if ((${#packages[@]} > 0)); then
	echo "setup: still missing after the installation: ${packages[*]}" >&2
	exit 1
fi
