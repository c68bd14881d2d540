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

check 'a warning is folded on a terminal, between words' refuses 1 '^    [a-z].* only-names or client-cert$' \
	bash -c "$(declare -f on_terminal); on_terminal 'cfshim check policy.conf'; exit 1"
check 'and elsewhere is one line' refuses 0 '^policy.conf:6:1: warning: any Cloudflare customer can reach .* only-names or client-cert$' \
	cfshim check policy.conf
finish
