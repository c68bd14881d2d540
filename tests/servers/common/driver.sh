# shellcheck shell=bash
# driver.sh - what every server of tests/servers goes through.  A server is a file that sources this one, says the few things
# that are its own, and ends with `run_server`.
#
# It says, as functions:
#   configure    writes its configuration into $work (`file NAME` takes it from standard input)
#   launch       starts it, by `serve COMMAND...`; `upstream` gives a proxy a plain HTTP server to stand before
#   more         where there is one: what else is asked of it, from `start_or_give_up` to `stop`
# and, as variables:
#   request, answer      what a client says inside of TLS (a GET of HTTP/1), and what it is told, a regular expression; both with
#                        \r, \x00
#   ports_wanted         how many ports one process can have: 3, or 1 (then it is started once for each rule)
#   starttls, alpn       the dialogue before TLS (client.py has them); the protocol that is asked for
#   versions             of TLS that it speaks: "1.2 1.3"
#   host_log             a regular expression: what else a failed handshake leaves in its log, besides words of TLS
#   host_logs            further files that it logs into, below $work
#   unseen               yes: it reads past the doors of libc: what is not TLS gets nothing from it, and no line tells of that
#   alerts               no: it keeps OpenSSL's alerts to itself, as it does where it verifies clients by itself
#   plain                yes: it has no TLS; it adds a byte to $work/canary for each request that it executes
#   cover                full; none: its TLS cannot be hooked, and it answers nobody on an enforced port;
#                        unreachable: nothing can be done, and nothing is claimed
#   uncovered_reason     where cover is none: plaintext, of a server that gives the connection to stdio before it has read a byte,
#                        so that nobody knows yet that it is TLS
# With the argument `refusals`, refusals.sh is asked of it instead, and says what of the server.
# `needs COMMAND-OR-FILE...` comes first: what is missing makes it a skip.
#
# Each server runs as root in namespaces of its own: it has no network but an own loopback, sees the unpacked packages of `make
# setup-servers` where it expects them, and ends, whole, with its test.
set -uo pipefail
export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
name=$(basename "$0" .sh)
here=tests/servers/common
# shellcheck source=tests/tap.sh
source tests/tap.sh
# shellcheck source=tests/servers/common/isolation.sh
source "$here/isolation.sh"
# shellcheck source=tests/servers/common/refusals.sh
source "$here/refusals.sh"
build=$(realpath "${BUILD:-build}")
library=${CFSHIM_LIBRARY:-$build/libcfshim.so}

http_request='GET / HTTP/1.0\r\nHost: localhost\r\n\r\n'
request=$http_request answer='' ports_wanted=3 starttls='' alpn='' versions='1.2 1.3' cover=full host_log='' host_logs=()
start_limit=20 stop_signal=TERM plain='' alerts=yes unseen='' uncovered_reason=uncovered-tls
wanted=${1:-rules}
# The preface of HTTP/2, SETTINGS, and HEADERS: GET / of https://localhost.
http2_request='PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00'
http2_request+='\x00\x00\x0e\x01\x05\x00\x00\x00\x01\x82\x84\x87\x41\x09localhost'
multiarch=$(gcc -print-multiarch 2>/dev/null || echo x86_64-linux-gnu)
# shellcheck disable=SC2034 # the names are for the servers
certificate=$work/ca/server.pem key=$work/ca/server.key pair=$work/ca/pair.pem edges=$work/ca/edges.pem

skip_all() { # REASON
	skip "$name" "$1"
	finish
}

# --- namespaces

if ((EUID != 0)); then skip_all 'it runs in namespaces of its own, and that takes root'; fi
if [[ -z ${CFSHIM_SERVER_ISOLATED:-} ]]; then
	CFSHIM_SERVER_ISOLATED=yes exec unshare --mount --pid --net --ipc --fork --kill-child --mount-proc "$0" "$@"
fi

isolate || skip_all 'its namespaces could not be furnished'

needs() { # COMMAND-OR-FILE...
	local what
	for what in "$@"; do
		case $what in
		/*) [[ -e $what ]] || skip_all "there is no $what here: make setup-servers" ;;
		*) command -v "$what" >/dev/null || skip_all "there is no $what here: make setup-servers" ;;
		esac
	done
}

# --- the server

# For servers that cannot do with a key of ECDSA.
rsa_certificate() {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$key" -out "$certificate" -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null
	cat "$certificate" "$key" >"$pair"
}

file() { # NAME, its text on standard input
	mkdir -p "$(dirname "$work/$1")"
	cat >"$work/$1"
}

each_port() { # FORMAT: once for each port, for configurations
	local port
	for port in "${ports[@]}"; do
		# shellcheck disable=SC2059 # it is a format
		printf -- "${1//@/$port}\n"
	done
}

listens() { # PORT; seen without connecting
	awk -v port="$(printf ':%04X' "$1")" 'substr($2, length($2) - 4) == port && $4 == "0A" { found = 1 } END { exit !found }' \
		/proc/net/tcp /proc/net/tcp6
}

# Nothing else listens in here.
free_ports() { # COUNT
	ports=()
	while ((${#ports[@]} < $1)); do ports+=($((next_port++))); done
}
next_port=20443
spare_port() { # for what stands behind the server; sets $spare
	spare=$((next_port++))
}

# Only the server gets the shim, and only through its environment.
preloading=()
serve() { # COMMAND...
	program=$1
	(cd "$work" && exec setsid env "${preloading[@]}" "$@") >>"$work/server.log" 2>&1 </dev/null &
	server=$!
}

# A plain HTTP server that has no shim, for proxies; sets $spare to its port.
upstream() {
	spare_port
	/usr/bin/python3 -IS "$here/upstream.py" "$spare" >"$work/upstream.log" 2>&1 </dev/null &
	await_port "$spare"
}

await_port() { # PORT
	local turn
	for ((turn = 0; turn < start_limit * 20; turn++)); do
		if listens "$1"; then return; fi
		if [[ -n ${server:-} ]] && ! kill -0 "$server" 2>/dev/null && ! [[ ${forks:-} ]]; then return 1; fi
		sleep 0.05
	done
	return 1
}

# POLICY: the text of one, or nothing for the bare server.
start() {
	local port
	: >"$work/server.log"
	: >"$work/shim.log"
	chmod 666 "$work/shim.log"
	preloading=()
	if [[ -n $1 ]]; then
		printf '%s\n' "$1" >"$work/policy.conf"
		preloading=("LD_PRELOAD=${PRELOAD_FIRST:+$PRELOAD_FIRST:}$library" "CFSHIM_POLICY=$work/policy.conf"
			"CFSHIM_LOG=$work/shim.log")
	fi
	server=
	launch
	for port in "${ports[@]}"; do await_port "$port" || return; done
}

# Everything in here but this script, which is the first process of its namespace.
stop() {
	local turn
	if [[ -n ${server:-} ]]; then kill -"$stop_signal" "$server" 2>/dev/null; fi
	for ((turn = 0; turn < 60; turn++)); do
		if [[ -z ${server:-} ]] || ! kill -0 "$server" 2>/dev/null; then break; fi
		sleep 0.05
	done
	kill -KILL -1 2>/dev/null
	wait 2>/dev/null
	server=
}

# --- what a client sees

see() { # PORT CERTIFICATE|'' OPTION...; sets saw_*
	local options=(--send "$request" --expect "$answer") output
	if [[ -n $2 ]]; then options+=(--certificate "$work/ca/$2.pem"); fi
	if [[ -n $plain ]]; then options+=(--plain); fi
	if [[ -n $starttls ]]; then options+=(--starttls "$starttls"); fi
	if [[ -n $alpn ]]; then options+=(--alpn "$alpn"); fi
	output=$(/usr/bin/python3 -IS "$here/client.py" "$1" "${options[@]}" "${@:3}" 2>&1)
	read -r saw_handshake saw_alert saw_after saw_end saw_answered <<<"$output"
	echo "port $1, certificate ${2:-none}, ${*:3}: handshake $saw_handshake, alert $saw_alert," \
		"$saw_after bytes after the last flight, end $saw_end, answered $saw_answered"
	tail -n +2 <<<"$output" | head -c 600
}

is() { # WHAT IT-IS IT-SHOULD-BE
	if [[ $2 == "$3" ]]; then return; fi
	echo "$1 is '$2' and should be '$3'"
	return 1
}

# The lines of the shim's log about connections, from LINE on; those that are wanted may be a moment late.
refusals() { grep -cE ' (refused|observed) ' "$work/shim.log"; }
logged() { # LINES-BEFORE REASON PORT ANSWER
	local turn line
	for ((turn = 0; turn < 60; turn++)); do
		if (($(refusals) > $1)); then break; fi
		sleep 0.05
	done
	line=$(grep -E ' (refused|observed) ' "$work/shim.log" | tail -n "+$(($1 + 1))")
	echo "logged: $line"
	if (($(wc -l <<<"$line") != 1)) || [[ $line != *" refused reason=$2 port=$3 "*" answer=$4 "* ]]; then
		echo "the log should have one more line, with reason=$2 port=$3 answer=$4"
		return 1
	fi
}
not_logged() { # LINES-BEFORE
	if (($(refusals) == $1)); then return; fi
	tail -n 3 "$work/shim.log"
	echo 'the log should say nothing of it'
	return 1
}

answers() { # PORT CERTIFICATE|''
	local version before
	for version in $versions; do
		before=$(refusals)
		see "$1" "$2" --tls "$version"
		is 'the answer' "$saw_answered" yes && not_logged "$before" || return
	done
}

# An alert, and not a byte of the server's; or, from servers that swallow alerts, nothing.
rejects() { # PORT CERTIFICATE|'' ALERT-IN-1.3 ALERT-IN-1.2 REASON
	local version before alert
	for version in $versions; do
		before=$(refusals)
		alert=$3
		if [[ $version == 1.2 ]]; then alert=$4; fi
		if [[ $alerts == no ]]; then alert=-; fi
		see "$1" "$2" --tls "$version"
		is 'the alert' "$saw_alert" "$alert" && is 'the answer' "$saw_answered" no && logged "$before" "$5" "$1" reject || return
		if [[ $alerts == no ]]; then is_over || return; fi
	done
}

is_over() { # the connection, and with it all that could come
	if [[ $saw_end != open ]]; then return; fi
	echo 'the server should have ended the connection'
	return 1
}

# Not a byte after its own flight, and the end: FIN, no RST.
closes() { # PORT CERTIFICATE|'' REASON
	local version before
	for version in $versions; do
		before=$(refusals)
		see "$1" "$2" --tls "$version" --hold
		is 'the number of bytes after' "$saw_after" 0 && is 'the end' "$saw_end" eof && logged "$before" "$3" "$1" close || return
	done
}

# Before TLS, and whatever the client has: not a byte, and the end.
is_silent() { # PORT CERTIFICATE|'' REASON OPTION...
	local before
	before=$(refusals)
	see "$1" "$2" "${@:4}"
	is 'the number of bytes' "$saw_after" 0 && is 'the answer' "$saw_answered" no && is_over &&
		is 'the handshake' "${saw_handshake/failed/none}" none || return
	if [[ $unseen ]]; then not_logged "$before"; else logged "$before" "$3" "$1" "${silent_answer:-reject}"; fi
}

# --- its own log

host_log_lines() { # as they would be of any day, process and connection
	local logs=("$work/server.log") file
	for file in ${host_logs[@]+"${host_logs[@]}"}; do
		if [[ -e $work/$file ]]; then logs+=("$work/$file"); fi
	done
	sed -E 's/\x1b\[[0-9;]*m//g; s/0x[0-9a-fA-F]+/N/g; s/\b[0-9a-fA-F]{8,}\b/N/g; s/[0-9]+/N/g; s/[[:space:]]+/ /g;
		s/\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b/D/g' "${logs[@]}" | sort -u
}

# Failed handshakes and odd clients, which leave in its log what they leave.
bother() {
	see "${ports[0]}" '' --break >/dev/null
	see "${ports[0]}" '' --plain --expect . >/dev/null
	see "${ports[0]}" '' --tls 1.2 --break >/dev/null
}

# What Python says of an exception: where, the lines there, and its name.
# shellcheck disable=SC2034 # for the servers
of_python='^( |Traceback |[A-Za-z.]*(Error|Exception))'
fatal='segmentation|sigsegv|sigabrt|core dumped|assertion|double free|stack smashing|ld\.so|libcfshim|undefined symbol|panic:'
of_tls='ssl|tls|handshake|certificate|alert|peer|client|connection|hello|eof'
log_is_its_own() {
	local strange
	if host_log_lines | grep -iE "$fatal"; then return 1; fi
	strange=$(host_log_lines | grep -vxFf "$work/log.bare" | grep -viE "$of_tls${host_log:+|$host_log}")
	echo "$strange"
	[[ -z $strange ]]
}

# --- the rules, and what is seen under each

# The second port's certificates are of the CA that is foreign to the first, and the third has no rule to speak of.
policy_of() { # RULE PORT
	local more=''
	if [[ -n $starttls ]]; then more=$'plaintext = allow\n'; fi
	case $1 in
	reject) printf '[port %s]\nca = %s\nrefuse = reject\n%s\n' "$2" "$work/ca/ca.pem" "$more" ;;
	close) printf '[port %s]\nca = %s\nrefuse = close\n%s\n' "$2" "$work/ca/other-ca.pem" "$more" ;;
	off) printf '[port %s]\nverify = off\n\n' "$2" ;;
	esac
}

check_reject() { # PORT
	local why=', and says why'
	if [[ $alerts == no ]]; then why=; fi
	check "$name refuses a stranger$why" rejects "$1" '' certificate_required handshake_failure no-certificate
	check "$name refuses a certificate of another CA$why" rejects "$1" other unknown_ca unknown_ca untrusted-issuer
	check "$name answers the edge" answers "$1" edge
	if [[ -z $starttls ]]; then
		check "$name gives nothing for plain text on a port that is named" is_silent "$1" '' plaintext \
			--plain --send "$http_request" --expect .
	fi
}

check_close() { # PORT
	check "$name says not a byte to a stranger where it is told to close" closes "$1" '' no-certificate
	check "$name says not a byte to another port's edge, and serves its own" another_edge "$1"
}
another_edge() { closes "$1" edge untrusted-issuer && answers "$1" other; }

check_off() { # PORT
	check "$name answers a stranger on the port that is open" answers "$1" ''
}

check_after() {
	check "$name answers the edge after all that" answers "$1" "$2"
	check "$name has nothing in its log but what failed handshakes leave" log_is_its_own
}

# Its own log, and the shim's, where something is wrong that no client has seen.
show_logs() {
	tail -n 20 "$work/server.log" "$work/shim.log"
	return 1
}
start_or_give_up() { # WORD POLICY
	if start "$2"; then return; fi
	check "$name starts $1" show_logs
	stop
	finish
}

answers_on_all() {
	local port
	for port in "${ports[@]}"; do answers "$port" '' || return; done
}

run_bare() {
	start_or_give_up 'without the shim' ''
	check "$name, without the shim, answers a stranger" answers_on_all
	bother
	stop
	host_log_lines >"$work/log.bare"
}

# --- what doctor says of it, held against what was seen

doctor() { # ARGUMENT...; sets said and said_status
	said_status=0
	said=$("$build/cfshim" doctor --policy "$work/policy.conf" "$@" 2>&1) || said_status=$?
	# cells and lines that were folded, and how many processes more there are
	said=$(sed -z 's/\n  */ /g' <<<"$said" | sed -E -e 's/ \+[0-9]+ *$//' -e 's/ \+[0-9]+ +/ /')
}

# Who holds PORT, as doctor has it: name[4242].
holder() { sed -nE "s/^[^ ]+:$1 +tcp +[^ ]+\\[([0-9]+)\\].*/\\1/p" <<<"$said" | head -1; } # PORT

says() { # PORT WORDS-PATTERN: of the port, in the table
	grep -E ":$1 +tcp .* ($2)\$" <<<"$said" >/dev/null && return
	echo "of port $1 it should say: $2"
	echo "$said"
	return 1
}

ends_with_status() { # STATUS
	if ((said_status == $1)); then return; fi
	echo "doctor ended with $said_status, not with $1"
	echo "$said"
	return 1
}

# STATUS of the process, and for each PORT the words.
doctor_is_right() { # STATUS PORT WORDS...
	local status=$1 pid
	shift
	doctor --all
	pid=$(holder "$1")
	while (($# > 1)); do
		says "$1" "$2" || return
		shift 2
	done
	doctor "$pid"
	ends_with_status "$status"
}

# Of the program that was started: with modules, and of scripts, that may be left open.
doctor_judges_program() { # STATUS
	local open='loads modules|a script for|what it executes|no TLS is seen'
	doctor "$program"
	if grep -qE "$open" <<<"$said" && ((said_status == 0)); then return; fi
	ends_with_status "$1"
}

# Under one process with three rules, or one after the other; a policy for each.
run_covered() {
	local rule covered='covered' open='covered, open by policy'
	# Where STARTTLS is spoken; and a master without TLS, whose children have it.
	if [[ -n $starttls ]]; then covered='covered, plain text passes|plain text, open to strangers'; fi
	if ((ports_wanted > 1)); then
		start_or_give_up 'with the shim' "$(policy_of reject "${ports[0]}")
$(policy_of close "${ports[1]}")
$(policy_of off "${ports[2]}")"
		check_reject "${ports[0]}"
		check_close "${ports[1]}"
		check_off "${ports[2]}"
		check "$name is covered, and so says doctor" doctor_is_right 0 "${ports[0]}" "$covered" "${ports[1]}" "$covered" \
			"${ports[2]}" "$open"
		check "$name can be covered, and so says doctor of the program" doctor_judges_program 0
		check_after "${ports[0]}" edge
		stop
		return
	fi
	for rule in reject close off; do
		start_or_give_up "with the shim, told to $rule" "$(policy_of $rule "${ports[0]}")"
		"check_$rule" "${ports[0]}"
		if [[ $rule == reject ]]; then
			check "$name is covered, and so says doctor" doctor_is_right 0 "${ports[0]}" "$covered"
			check "$name can be covered, and so says doctor of the program" doctor_judges_program 0
			check_after "${ports[0]}" edge
		fi
		stop
	done
}

# TLS that cannot be hooked: nobody gets a byte on an enforced port.
is_mute() { is_silent "$1" '' "$uncovered_reason" && is_silent "$1" edge "$uncovered_reason"; } # PORT
check_mute() { # PORT
	check "$name, whose TLS cannot be hooked, gives nothing to anybody on an enforced port" is_mute "$1"
	check "$name gives nothing for plain text on a port that is named" is_silent "$1" '' plaintext \
		--plain --send "$http_request" --expect .
}
run_uncovered() {
	local rule mute='covered, serves nobody' open='covered, open by policy'
	if ((ports_wanted > 1)); then
		start_or_give_up 'with the shim' "$(policy_of reject "${ports[0]}")
$(policy_of off "${ports[1]}")
$(policy_of off "${ports[2]}")"
		check_mute "${ports[0]}"
		check_off "${ports[1]}"
		check "$name serves nobody, and so says doctor" doctor_is_right 1 "${ports[0]}" "$mute" "${ports[1]}" "$open"
		check "$name cannot be covered, and so says doctor of the program" doctor_judges_program 1
		stop
		return
	fi
	for rule in mute off; do
		start_or_give_up "with the shim, told to be $rule" "$(policy_of "${rule/mute/reject}" "${ports[0]}")"
		"check_$rule" "${ports[0]}"
		if [[ $rule == mute ]]; then
			check "$name serves nobody, and so says doctor" doctor_is_right 1 "${ports[0]}" "$mute"
			check "$name cannot be covered, and so says doctor of the program" doctor_judges_program 1
		fi
		stop
	done
}

# Nothing reaches it, and nothing is claimed: it answers as it does bare, and no line says that it is covered.
claims_nothing() {
	cat "$work/shim.log"
	[[ ! -s $work/shim.log ]]
}
run_unreachable() {
	start_or_give_up 'with the shim' "$(policy_of reject "${ports[0]}")"
	check "$name, which is out of reach, answers as it did" answers_on_all
	check "$name is nowhere said to be covered" claims_nothing
	check "$name is not covered, and so says doctor" doctor_is_right 1 "${ports[0]}" 'not covered'
	check "$name cannot be covered, and so says doctor of the program" doctor_judges_program 1
	stop
}

# Without TLS: nothing is executed on a port that is named, and all that is asked where nothing is verified.
executed() { # COMMAND...; how many requests
	local before after
	before=$(cat "$work/canary" 2>/dev/null | wc -c)
	"$@" || return
	after=$(cat "$work/canary" 2>/dev/null | wc -c)
	echo "executed: $((after - before))"
	return $((after - before))
}
is_mute_and_idle() { executed is_silent "$1" '' plaintext; } # PORT
serves_plain() {                                             # PORT
	local before count=0
	before=$(refusals)
	executed see "$1" '' || count=$?
	is 'the answer' "$saw_answered" yes && is 'the number of executed requests' "$count" 1 && not_logged "$before"
}
run_plain() {
	local rule
	start_or_give_up 'without the shim' ''
	check "$name, without the shim, answers a stranger" serves_plain "${ports[0]}"
	stop
	host_log_lines >"$work/log.bare"
	for rule in reject close; do
		start_or_give_up "with the shim, told to $rule" "$(policy_of $rule "${ports[0]}")
$([[ -z ${ports[1]:-} ]] || policy_of off "${ports[1]}")
$([[ -z ${ports[2]:-} ]] || policy_of off "${ports[2]}")"
		silent_answer=$rule
		check "$name, told to $rule, gives nothing to a client without TLS, and executes nothing" is_mute_and_idle "${ports[0]}"
		check "$name, told to $rule, is covered, and so says doctor" doctor_is_right 0 "${ports[0]}" 'covered'
		if [[ -n ${ports[1]:-} ]]; then check "$name answers on the port that is open" serves_plain "${ports[1]}"; fi
		check "$name, told to $rule, has nothing in its log but what is its own" log_is_its_own
		stop
	done
	start_or_give_up 'with the shim and no port that is named' $'[port *]\n'
	check "$name answers on a port that no section names" serves_plain "${ports[0]}"
	stop
}

furnish() { # certificates, ports, and the configuration
	mkdir -p "$work/ca"
	"$build/cfshim" test-ca "$work/ca" >"$work/ca/list" 2>&1 || { cat "$work/ca/list" && skip_all 'no certificates could be made'; }
	cat "$certificate" "$key" >"$pair"
	cat "$work/ca/ca.pem" "$work/ca/other-ca.pem" >"$edges"
	chmod 755 "$work" "$work/ca"
	chmod 644 "$work"/ca/*
	free_ports "$ports_wanted"
	configure || skip_all 'it could not be configured'
}

run_server() {
	furnish
	if [[ -n $plain ]]; then
		run_plain
		finish
	fi
	if [[ $wanted == refusals ]]; then
		run_refusals
		finish
	fi
	run_bare
	case $cover in
	full) run_covered ;;
	none) run_uncovered ;;
	unreachable) run_unreachable ;;
	esac
	if declare -F more >/dev/null; then more; fi
	finish
}
