#!/bin/bash
# columns.sh - what the command prints is readable on a terminal of 80 columns; elsewhere a complaint keeps to one line, as editors
# read it.  The tables of probe, status, ready and of a machine are looked at where these are tested.
#
# BUILD  where cfshim is
set -uo pipefail
# shellcheck source=tests/tap.sh
source tests/tap.sh
build=$(realpath "${BUILD:-build}") || exit 1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset CFSHIM_POLICY CFSHIM_LOG LD_PRELOAD
cd "$scratch" || exit 1
PATH=$build:$PATH
cfshim test-ca ca >/dev/null || exit 1

cat >policy.conf <<-END
	[port 443, 8443]
	ca = cloudflare
	ca = $PWD/ca/ca.pem
	client-cert = dns:a-long-name-of-some-host.of-some-zone.example.com
	refuse = reject 403
	[port 9443]
	verify = observe
	exempt = loopback
	[port 127.0.0.1:22443]
	client-cert = cn:edge
	[port *]
	verify = off
END
printf '[port 443]\nverify = maybe\nrefuse = reject 700\nfrom = 10.0.0.1/8\nca = /nowhere\n' >broken.conf

on_terminal() { script -qec "$1" /dev/null </dev/null | tr -d '\r' | sed 's/\x1b\[[0-9;]*m//g'; } # COMMAND
fits() { # LINES-AT-LEAST COMMAND
	on_terminal "$2" >printed
	cat printed
	awk -v least="$1" 'length > 80 { print "too wide: " $0; wide = 1 } END { exit wide || NR < least }' printed
}
while read -r verb; do
	check "the help of $verb" fits 2 "cfshim $verb --help"
done < <(cfshim --help | awk '/^[a-z]/ && NR > 3 { print $1 }' | grep -v '^`')
check 'the help of all' fits 20 'cfshim --help'
check 'a mistake of usage' fits 3 'cfshim explain --port 0'
check 'the rules of a policy, and its warnings' fits 20 'cfshim check policy.conf'
check 'the whole policy' fits 40 'cfshim check --print policy.conf'
check 'the mistakes of one' fits 10 'cfshim check broken.conf'
check 'what becomes of a stranger' fits 4 'cfshim explain --port 443 --policy policy.conf'
check 'what becomes of a certificate' fits 5 'cfshim explain --port 443 --policy policy.conf --cert ca/other.pem'
check 'what becomes of who is observed, with its note' fits 6 'cfshim explain --port 9443 --policy policy.conf'
check 'and under a policy with mistakes' fits 8 'cfshim explain --port 443 --policy broken.conf'
check 'what is said of a program' fits 4 'cfshim doctor /bin/sh --policy policy.conf'
check 'the files for trying out' fits 20 'cfshim test-ca t'
check 'the versions' fits 3 'cfshim version'

check 'what becomes of a mistake of a file' fits 2 'cfshim run --policy a-policy-that-nobody-has-written-so-far.conf -- true'
check 'a complaint of the command is folded there too' refuses 1 '^    .*takes a readable file$' \
	bash -c "$(declare -f on_terminal); on_terminal 'cfshim run --policy a-policy-that-nobody-has-written-so-far.conf -- true'; exit 1"
check 'and elsewhere is one line' refuses 126 '^cfshim run: the policy .*: No such file or directory; --policy takes a readable file$' \
	cfshim run --policy a-policy-that-nobody-has-written-so-far.conf -- true
check 'what is to be put into a unit' fits 15 "cfshim drop-in --policy $PWD/policy.conf nginx"

# One second of it, in a terminal of HEIGHT lines: what is on the screen.
watch_in() { # HEIGHT
	TERM=xterm script -qec "stty rows $1 cols 80; timeout 1.5 cfshim status --watch" /dev/null </dev/null | tr -d '\r'
}
some_are_watched() {
	local pids=() i output
	for i in 1 2 3; do
		LD_PRELOAD=$build/libcfshim.so CFSHIM_POLICY=$PWD/policy.conf CFSHIM_LOG=off openssl s_server -quiet -accept "127.0.0.1:$((port + i))" \
			-cert ca/server.pem -key ca/server.key >/dev/null 2>&1 </dev/zero &
		pids+=($!)
	done
	for i in 1 2 3; do
		wait_for bash -c "cfshim status ${pids[i - 1]} | grep -q '^  OpenSSL  [0-9]'" || return
	done
	watch_in 12 >picture
	watch_in 200 >whole
	kill "${pids[@]}" && wait "${pids[@]}" 2>/dev/null
	output=$(sed -n '/\x1b\[2J/,$p' picture | awk '/\x1b\[2J/ { lines = 0 } { lines++ } END { print lines }')
	tail -n 14 picture
	echo "$output lines in one of 12"
	((output < 12)) && grep -q '^.*\.\.\. and [0-9]* lines more: ' picture && [[ $(grep -c 'lines more' whole) == 0 ]] &&
		(($(grep -c '^  OpenSSL' whole) >= 3))
}
port=$(free_port)
check 'what status --watch draws is not higher than the terminal, and says what is left out' some_are_watched

in_color() { TERM=xterm script -qec "$1" /dev/null </dev/null | tr -d '\r'; } # COMMAND
check 'where a mistake is stands in colour, and what it is does not' refuses 1 $'^\e\\[1;31mbroken.conf:2:10:\e\\[0m verify takes' \
	in_color 'cfshim check broken.conf'
check 'a warning says so in another colour' refuses 0 $'^\e\\[1;33mpolicy.conf:.* warning:\e\\[0m [a-z]' in_color 'cfshim check policy.conf'
check 'the verdict of doctor has one' refuses 0 $'^\e\\[1mverdict +\e\\[1;3[12]mit ' in_color 'cfshim doctor /bin/sh'
for each in 'check policy.conf' 'check broken.conf' 'doctor /bin/sh' ready status 'explain --port 443 --policy policy.conf'; do
	check "NO_COLOR: ${each%% *}" bash -c "$(declare -f in_color); [[ \$(in_color 'NO_COLOR=1 cfshim $each') != *$'\\e'* ]]"
done
cat >twice.conf <<-END
	[port 443]
	ca = $PWD/ca/ca.pem
	[port 443 server shop.example]
	[port 443 server other.example]
END
once() { (($(cfshim check twice.conf 2>&1 | grep -c 'expires in') == 1)); }
check 'a warning about what server sections have of their port stands there once' once

check 'a warning is folded on a terminal, between words' refuses 1 '^    [a-z].* only-names or client-cert$' \
	bash -c "$(declare -f on_terminal); on_terminal 'cfshim check policy.conf'; exit 1"
check 'and elsewhere is one line' refuses 0 '^policy.conf:6:1: warning: any Cloudflare customer can reach .* only-names or client-cert$' \
	cfshim check policy.conf
finish
