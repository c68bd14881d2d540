#!/bin/bash
# doctor.sh - of servers that others keep: does `cfshim doctor` say of each what its clients see under the library?  What is in
# tests/servers is asked the same by its own driver.
#
# usage: tests/doctor.sh FOLDER [SERVER...]
#
# FOLDER/SERVER/run.sh starts one, as the environment has it (PRELOAD, the library; POLICY, a format of printf in which @PORT@ and
# @CERTS@ stand for what their names say; TMPBASE, where its files go), and
#   run.sh shim         asks it without a certificate, with a stranger's and with a good one; ends with 0 where the first two got
#                       nothing and the last its answer, with 77 where something is missing, and else says FAIL and what was seen
#   run.sh -- COMMAND   runs COMMAND meanwhile, with SRVPID and PORT
#
# BUILD          what is tried: build
# SERVERS_ROOTS  folders with further unpacked packages, separated by colons
set -uo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
source tests/tap.sh
# shellcheck source=tests/servers/common/isolation.sh
source tests/servers/common/isolation.sh
folder=$(realpath "${1:-}" 2>/dev/null)
if [[ ! -d $folder ]] || ((EUID != 0)); then
	echo 'usage: tests/doctor.sh FOLDER [SERVER...], by root' >&2
	exit 2
fi
if [[ -z ${CFSHIM_SERVER_ISOLATED:-} ]]; then
	CFSHIM_SERVER_ISOLATED=yes exec unshare --mount --pid --net --ipc --fork --kill-child --mount-proc "$0" "$@"
fi
shift
command=$(realpath "${BUILD:-build}")/cfshim
PRELOAD=$(realpath "${BUILD:-build}")/libcfshim.so
export PRELOAD CFSHIM_LOG=off TMPBASE=$work
IFS=: read -ra roots <<<"${SERVERS_ROOTS:-}"
isolate ${roots[@]+"${roots[@]}"} || exit 1
chmod 755 "$work"
number=900
for account in bind dovecot dovenull messagebus mosquitto mysql openldap postdrop postfix postgres redis unbound; do
	user "$account" $((number++))
done

# What its clients see, in a word: closed, open, mute (nobody is served), or none (it does not run here), and in `seen` what it said.
ask() { # SERVER
	local status=0
	seen=$(timeout 120 "$folder/$1/run.sh" shim 2>&1 </dev/null) || status=$?
	case $status:$seen in
	0:*) word=closed ;;
	*"answered without a certificate"* | *"answered with a certificate of ANOTHER"*) word=open ;;
	*"refused with a certificate too"*) word=mute ;;
	*) word=none ;;
	esac
}

# What doctor says of the process and its port, of the program, and how it ended each time; cells and lines that were folded are whole.
# A master that clears its environment and has no TLS itself does not tell its policy.
examine() { # SERVER
	# shellcheck disable=SC2016 # the inner shell's
	timeout 60 "$folder/$1/run.sh" -- bash -c '
		"$0" doctor "$SRVPID" --policy "$TMP/policy.conf" | sed -z "s/\n  */ /g"
		status=${PIPESTATUS[0]} program=$(readlink "/proc/$SRVPID/exe")
		"$0" doctor "$program" | sed -z "s/\n  */ /g"
		echo "doctor $status ${PIPESTATUS[0]} $PORT"' "$command" 2>&1 </dev/null
}

# Of a program that takes its TLS from modules, or of whom nothing is known before it runs, that may be left open.
agrees() { # WORD
	local of_process of_program port wanted
	read -r of_process of_program port < <(sed -n 's/^doctor \([0-9] [0-9] [0-9]*\)$/\1/p' <<<"$said")
	case $1 in
	closed) wanted='0 covered' ;;
	open) wanted='1 not covered' ;;
	mute) wanted='1 covered, serves nobody' ;;
	esac
	# A master without TLS, whose children have it, and speak plain text first.
	if [[ $1 == closed && $POLICY != "$strict" ]]; then wanted+=', plain text passes|plain text, open to strangers'; fi
	# Of a protocol that has TLS in frames of its own, which nobody gets through, it knows no more than that nobody gets in.
	if [[ $1 == mute && $said == *'covered: the OpenSSL in'* ]]; then wanted='0 covered'; fi
	echo "clients see that it is $1: $seen"
	echo "$said"
	if [[ -z ${port:-} || $of_process != "${wanted%% *}" ]]; then return 1; fi
	grep -qE ":$port +tcp .* port $port +(${wanted#* })\$" <<<"$said" || return
	if [[ $of_program != "$of_process" ]]; then grep -qE 'loads modules|no TLS is seen' <<<"$said"; fi
}

# A protocol that begins in plain text is answered to the edge only where that is allowed; then that counts.
compare() { # SERVER
	local word seen said ca='ca = @CERTS@/clientca.pem\n' strict
	strict="[port *]\\n${ca}[port @PORT@]\\n$ca"
	export POLICY=$strict
	ask "$1"
	if [[ $word == mute ]]; then
		POLICY+='plaintext = allow\n'
		ask "$1"
		if [[ $word != closed ]]; then POLICY=$strict word=mute; fi
	fi
	if [[ $word == none ]]; then
		skip "$1" "it does not run here: ${seen//$'\n'/ }"
		return
	fi
	said=$(examine "$1")
	check "$1 is $word, and so says doctor" agrees "$word"
}

if (($# == 0)); then
	for script in "$folder"/*/run.sh; do
		script=${script%/run.sh}
		set -- "$@" "${script##*/}"
	done
fi
for server in "$@"; do compare "$server"; done
finish
