#!/bin/bash
# run.sh - nginx and a Python server, neither told anything of client certificates, under the shim: who gets in?
# Ends by itself, leaves nothing running; exits 1 where anything was not as it should be.  BUILD says where the build is.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
PATH=$PATH:/usr/sbin:/sbin
build=$(realpath "${BUILD:-build}")
library=$build/libcfshim.so
work=$(mktemp -d "${TMPDIR:-/tmp}/cfshim-demo.XXXXXX")
servers=()
failures=0

bold='' dim='' red='' green='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
	bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
fi

stop_servers() {
	if ((${#servers[@]} > 0)); then
		kill "${servers[@]}" 2>/dev/null
		wait "${servers[@]}" 2>/dev/null
	fi
	servers=()
}
trap 'stop_servers; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

give_up() { # SENTENCE [FILE to show]
	echo "demo: $1" >&2
	if [[ -n ${2:-} ]]; then cat "$2" >&2; fi
	exit 1
}

should() { # SENTENCE, after a test that failed
	echo "  ${red}NOT AS IT SHOULD BE:${plain} $1"
	((++failures))
}

free_ports() { # COUNT
	/usr/bin/python3 - "$1" <<-'END'
		import socket, sys
		sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
		print(*(s.getsockname()[1] for s in sockets))
	END
}

write_nginx_conf() { # PORT...
	local port
	echo "daemon off; pid $work/nginx.pid; error_log $work/nginx.error; worker_processes 2;"
	echo "events {}"
	echo "http { access_log off; ssl_certificate $work/server.pem; ssl_certificate_key $work/server.key;"
	for port in client_body proxy fastcgi uwsgi scgi; do echo "${port}_temp_path $work/nginx.$port;"; done
	for port in "$@"; do
		printf 'server { listen 127.0.0.1:%s ssl; location / { return 200 "hello from nginx\n"; } }\n' "$port"
	done
	echo "}"
}

# Only the server gets the shim, and only through its environment.
start_server() { # LOG POLICY|'' COMMAND...
	local log=$1 policy=$2
	shift 2
	local environment=("LD_PRELOAD=$library" "CFSHIM_LOG=$log")
	if [[ -n $policy ]]; then environment+=("CFSHIM_POLICY=$policy"); fi
	: >"$log"
	env -u CFSHIM_POLICY "${environment[@]}" "$@" >"$log.output" 2>&1 </dev/null &
	servers+=($!)
}

await_port() { # PORT OUTPUT
	local turn
	for ((turn = 0; turn < 100; turn++)); do
		if (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
		if ! kill -0 "${servers[-1]}" 2>/dev/null; then give_up 'the server did not start:' "$2"; fi
		sleep 0.1
	done
	give_up "nobody listens on port $1" "$2"
}

# What curl saw, in a few words: the HTTP status and the body, or its exit status and the end of its message.
ask() { # PORT CERTIFICATE|''
	local arguments=() answer
	if [[ -n $2 ]]; then arguments=(--cert "$work/$2.pem" --key "$work/$2.key"); fi
	if answer=$(curl -sS --max-time 10 --noproxy '*' --cacert "$work/server.pem" -w '%{http_code}' "${arguments[@]}" \
		"https://localhost:$1/" --resolve "localhost:$1:127.0.0.1" 2>"$work/message"); then
		echo "${answer##*$'\n'} ${answer%$'\n'*}"
	else
		sed -E '1!d; s/^curl: \(([0-9]+)\) /\1 /; s/ [^ ].*SSL routines:[^:]*:/ /; s/OpenSSL SSL_[a-z]+: //; s/, errno 0//; s/ $//' \
			"$work/message"
	fi
}

refusals() { grep ' refused ' "$1"; } # LOG

# The refusal that the log has gained; none within two seconds is none.
next_refusal() { # LOG REFUSALS-BEFORE
	local turn
	for ((turn = 0; turn < 40; turn++)); do
		if (($(refusals "$1" | wc -l) > $2)); then break; fi
		sleep 0.05
	done
	refusals "$1" | tail -n "+$(($2 + 1))"
}

# One client at one port: a row of the table, and whether it is what it should be.
try_client() { # PORT LOG CLIENT CERTIFICATE|'' PATTERN REASON|''
	local port=$1 log=$2 client=$3 certificate=$4 pattern=$5 reason=$6 before saw line=''
	before=$(refusals "$log" | wc -l)
	saw=$(ask "$port" "$certificate")
	if [[ -n $reason ]]; then line=$(next_refusal "$log" "$before"); fi
	printf '  %-16s %s%s%s\n' "$client" "$([[ $saw == 200* ]] && echo "$green" || echo "$red")" "$saw" "$plain"
	if [[ -n $line ]]; then fold -s -w 74 <<<"$line" | sed "s/.*/    $dim&$plain/"; fi
	if ! [[ $saw =~ ^($pattern) ]]; then should "curl should have seen ${pattern%|-}"; fi
	if [[ -n $reason && $line != *" reason=$reason port=$port "* ]]; then should "the log should say reason=$reason"; fi
	if [[ -z $reason && $(refusals "$log" | wc -l) != "$before" ]]; then should 'the log should say nothing'; fi
}

# All clients at one port.  ANSWER: reject, close, or off.  TLS 1.2 and 1.3 have different alerts for a certificate that is
# missing, and curl has words of its own for the alert about an expired one in TLS 1.2.
try_port() { # PORT LOG ANSWER GREETING
	local port=$1 log=$2 answer=$3 in="200 $4" client certificate reason alert words pattern
	echo "${bold}port $port: $answer${plain}"
	while IFS=: read -r client certificate reason alert words; do
		case $answer in
		reject) pattern="(35|56) .*alert ($alert)|$words" ;;
		close) pattern='52 Empty reply|(35|56) .*(unexpected eof|SSL_ERROR_SYSCALL in connection)' ;;
		off) pattern=$in reason='' ;;
		esac
		try_client "$port" "$log" "$client" "$certificate" "$pattern" "$reason"
	done <<-'END'
		no certificate::no-certificate:certificate required|handshake failure:-
		self-signed:self-signed:untrusted-issuer:unknown ca:-
		of another CA:other:untrusted-issuer:unknown ca:-
		expired:expired:expired:certificate expired:60 SSL certificate verification failed
	END
	try_client "$port" "$log" 'the edge' edge "$in" ''
	echo
}

demonstrate() { # NAME GREETING REJECT-PORT CLOSE-PORT OFF-PORT COMMAND...
	local name=$1 greeting=$2 reject=$3 close=$4 off=$5 log=$work/refused-$3.log
	shift 5
	echo "${bold}$name${plain}, not told anything of client certificates"
	echo "${dim}client, what curl saw (exit or HTTP status, and words), the log line${plain}"
	echo
	start_server "$log" "$work/policy.conf" "$@"
	await_port "$off" "$log.output"
	try_port "$reject" "$log" reject "$greeting"
	try_port "$close" "$log" close "$greeting"
	try_port "$off" "$log" off "$greeting"
	stop_servers
}

show_policy() { # the six ports
	cat >"$work/policy.conf" <<-END
		[port $1, $4]
		ca     = $work/ca.pem
		refuse = reject

		[port $2, $5]
		ca     = $work/ca.pem
		refuse = close

		[port $3, $6]
		verify = off
	END
	echo "${bold}The policy${plain}"
	echo
	sed 's/^./  &/' "$work/policy.conf"
	echo
}

# The built-in policy: each TLS port, Cloudflare's CA.  The demo's own edge is a stranger here.
demonstrate_without_policy() { # NGINX-PORT...
	local log=$work/built-in.log port
	echo "${bold}nginx with no policy file at all${plain}: Cloudflare's CA on each port"
	echo
	if [[ -e /etc/cfshim/policy.conf ]]; then
		echo '  left out: this machine has a policy, /etc/cfshim/policy.conf'
		return
	fi
	start_server "$log" '' "${nginx[@]}"
	await_port "$1" "$log.output"
	for port in "$@"; do
		echo "${bold}port $port${plain}"
		try_client "$port" "$log" 'no certificate' '' '(35|56) .*alert (certificate required|handshake failure)' no-certificate
		try_client "$port" "$log" "the demo's edge" edge '(35|56) .*alert unknown ca' untrusted-issuer
	done
	echo
	echo "  openssl s_client -connect 127.0.0.1:$1"
	timeout 10 openssl s_client -connect "127.0.0.1:$1" </dev/null >"$work/s_client" 2>&1
	sed -n '/^Acceptable client certificate CA names/,/^C *=/p' "$work/s_client" |
		fold -s -w 74 | sed "s/.*/    $dim&$plain/"
	if ! grep -qE '^C *= *US, *O *= *"?CloudFlare, Inc.*CN *= *origin-pull.cloudflare.net$' "$work/s_client"; then
		should "the CertificateRequest should name Cloudflare's CA"
	fi
	stop_servers
}

for program in nginx curl openssl /usr/bin/python3; do
	command -v "$program" >/dev/null || give_up "$program is missing: make setup demo"
done
for file in "$library" "$build/cfshim"; do
	[[ -e $file ]] || give_up "$file is missing: make demo"
done
"$build/cfshim" test-ca "$work" >"$work/test-ca" 2>&1 || give_up 'no certificates:' "$work/test-ca"
read -ra port < <(free_ports 6)
write_nginx_conf "${port[@]:0:3}" >"$work/nginx.conf"

nginx=(nginx -p "$work" -c "$work/nginx.conf")
# Since 1.19.5 it can be kept from the error log that it was built for.
if nginx -h 2>&1 | grep -q -- '-e filename'; then nginx+=(-e "$work/nginx.error"); fi

show_policy "${port[@]}"
demonstrate "$(nginx -v 2>&1 | sed 's/.*: //')" 'hello from nginx' "${port[@]:0:3}" \
	"${nginx[@]}"
demonstrate "$(/usr/bin/python3 --version)" 'hello from Python' "${port[@]:3:3}" \
	/usr/bin/python3 examples/demo/server.py "$work/server.pem" "$work/server.key" "${port[@]:3:3}"
demonstrate_without_policy "${port[@]:0:3}"

echo
if ((failures > 0)); then
	echo "${red}$failures of these were not as they should be${plain}"
	exit 1
fi
echo "${green}All as it should be:${plain} strangers stay out, the edge gets in."
