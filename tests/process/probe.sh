#!/bin/bash
# probe.sh - `cfshim probe` tells who gets in: at native nginx in each of its modes, at stunnel, at nginx under the shim with each
# answer, and at small servers that do what real ones seldom show.
#
# BUILD  where cfshim and libcfshim.so are
set -uo pipefail
# shellcheck source=tests/tap.sh
source tests/tap.sh
PATH=$PATH:/usr/sbin:/sbin
build=$(realpath "${BUILD:-build}") || exit 1
cfshim=$build/cfshim
scratch=$(mktemp -d)
chmod 755 "$scratch"
cd "$scratch" || exit 1
unset CFSHIM_POLICY CFSHIM_LOG LD_PRELOAD NO_COLOR
servers=()
stop_servers() {
	kill "${servers[@]}" 2>/dev/null
	wait "${servers[@]}" 2>/dev/null
}
trap 'stop_servers; rm -rf "$scratch"' EXIT

"$cfshim" test-ca ca >/dev/null || exit 1
chmod 755 ca && chmod 644 ca/*
good=(--cert ca/edge.pem --key ca/edge.key)

unused='' open='' demands='' asks='' closes_444='' own_page='' plain='' tunnel='' rejects='' answers='' closes='' resets='' off=''
# Ports that are free now, in the variables that are named.
take_ports() { # NAME...
	local numbers name i=0
	read -ra numbers < <(distinct_free_ports "$#")
	for name; do printf -v "$name" %s "${numbers[i++]}"; done
}
serve() { # PORT COMMAND...: until it listens at PORT
	local port=$1 turn
	shift
	"$@" >>server.log 2>&1 </dev/null &
	servers+=($!)
	for ((turn = 0; turn < 100; turn++)); do
		if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return; fi
		sleep 0.1
	done
	echo "nothing listens at $port: $(tail -n 5 server.log)"
	exit 1
}

# The status, and each PATTERN in a line of the output; what a table wraps is one line here.
sees() { # STATUS PATTERN... -- ARGUMENT...
	local expected=$1 patterns=() status=0 output pattern
	shift
	while [[ $1 != -- ]]; do patterns+=("$1") && shift; done
	shift
	output=$(timeout 200 "$cfshim" probe "$@" 2>&1) || status=$?
	printf '%s\n' "$output"
	output=$(sed -E 's/  +/  /g' <<<"$output")
	for pattern in "${patterns[@]}"; do
		grep -qE -- "$pattern" <<<"$output" || { echo "nothing like: $pattern" && return 1; }
	done
	echo "ended with $status"
	((status == expected))
}

# --- small servers, and two of them that take all the patience there is, meanwhile

cat >small.py <<'END'
"""small.py MODE PORT: greets (TLS, speaks first), banner (plain text, speaks first), old (TLS 1.2 alone, demands a certificate), ping
(TLS, asks for a certificate, answers PING alone), holds (TLS, asks for a certificate, and waits), mute (reads, and says nothing)."""
import socket, ssl, sys, threading, time

mode, port = sys.argv[1], int(sys.argv[2])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("ca/server.pem", "ca/server.key")
context.load_verify_locations("ca/ca.pem")
context.verify_mode = {"holds": ssl.CERT_OPTIONAL, "ping": ssl.CERT_OPTIONAL, "old": ssl.CERT_REQUIRED}.get(mode, ssl.CERT_NONE)
if mode == "old":
    context.maximum_version = ssl.TLSVersion.TLSv1_2

def talk(client):
    if mode == "greets":
        client.sendall(b"220 mail.example ESMTP\r\n")
    said = client.recv(4096)
    if mode == "ping" and said == b"PING\r\n":
        client.sendall(b"PONG\r\n")
    if mode == "holds":
        time.sleep(60)

def serve(client):
    try:
        if mode == "mute":
            while client.recv(4096):
                pass
        elif mode == "banner":
            client.sendall(b"220 mail.example ESMTP\r\n")
            client.recv(4096)
        else:
            client = context.wrap_socket(client, server_side=True)
            talk(client)
    except OSError:
        pass
    finally:
        client.close()

listener = socket.create_server(("127.0.0.1", port))
while True:
    threading.Thread(target=serve, args=listener.accept()[:1], daemon=True).start()
END
small() { # MODE; sets $port
	take_ports port
	serve "$port" /usr/bin/python3 -IS small.py "$1" "$port"
}
small holds
holds=$port
small mute
mute=$port
patient=()
for port in "$holds" "$mute"; do
	refuses 1 'is not shown to be closed: ' timeout 200 "$cfshim" probe "127.0.0.1:$port" >"saw.$port" 2>&1 &
	patient+=($!)
done
# --- what it is told

check 'probe without a server is a mistake of usage' refuses 2 'one server is needed, not 0' "$cfshim" probe
for server in localhost :443 localhost:0 localhost:65536 localhost:https ::1:443 '[::1]' ''; do
	check "probe: \"$server\" is no server" refuses 2 'is no server: write HOST:PORT' "$cfshim" probe "$server"
done
check 'probe: --key without --cert is a mistake of usage' refuses 2 'goes with --cert' "$cfshim" probe localhost:1 --key a
check 'probe: a line break in a server name is a mistake of usage' refuses 2 'takes a name' "$cfshim" probe localhost:1 --server-name $'a\nb'
take_ports unused
check 'probe: a certificate that is not there is an error' refuses 1 'none.pem: no certificate' "$cfshim" probe "localhost:$unused" --cert none.pem
check 'probe: a key of another certificate is an error' refuses 1 'is not the key of' "$cfshim" probe "localhost:$unused" \
	--cert ca/edge.pem --key ca/other.key
check 'probe: a request that is not there is an error' refuses 1 'none.txt: No such file' "$cfshim" probe "localhost:$unused" --send none.txt
check 'probe: where nothing listens nothing was tried' refuses 1 'no connection, nothing was tried' "$cfshim" probe "localhost:$unused"
check 'probe: a name that nobody has is an error' refuses 1 '^cfshim probe: .*\.invalid: ' "$cfshim" probe nobody.invalid:443

# --- native servers

nginx_conf() { # SERVERS: the text of its server blocks
	cat <<-END
		daemon off; master_process off; pid $scratch/nginx.pid; error_log $scratch/nginx.log; events {}
		http {
			access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
			ssl_certificate $scratch/ca/server.pem; ssl_certificate_key $scratch/ca/server.key; ssl_protocols TLSv1.2 TLSv1.3;
			ssl_client_certificate $scratch/ca/ca.pem;
			$1
		}
	END
}
take_ports open demands asks closes_444 own_page plain
# shellcheck disable=SC2016 # the variables are nginx's
nginx_conf '
	server { listen 127.0.0.1:'"$open"' ssl; ssl_session_cache builtin; location / { return 404; } }
	server { listen 127.0.0.1:'"$demands"' ssl; ssl_verify_client on; location / { return 200 "hello\n"; } }
	server { listen 127.0.0.1:'"$asks"' ssl; ssl_verify_client optional; location / { return 200 "hello\n"; } }
	server { listen 127.0.0.1:'"$closes_444"' ssl; ssl_verify_client optional;
		if ($ssl_client_verify != SUCCESS) { return 444; } location / { return 200 "hello\n"; } }
	server { listen 127.0.0.1:'"$own_page"' ssl; ssl_verify_client optional_no_ca;
		if ($ssl_client_verify = NONE) { return 403; } location / { return 200 "hello\n"; } }
	server { listen 127.0.0.1:'"$plain"'; location / { return 200 "hello\n"; } }
' >native.conf
serve "$plain" nginx -p "$scratch" -e "$scratch/nginx.log" -c "$scratch/native.conf"

check 'native nginx without ssl_verify_client lets strangers in, whatever its page says' sees 1 \
	'^no certificate +1.2 +not asked; .*404.* A WAY IN$' '^no certificate +1.3 +not asked; .*404.* A WAY IN$' \
	'^self-signed +1.3 .*A WAY IN$' '^an earlier session +1.3 +resumed; .*404 +unclear$' \
	"^A way in to 127.0.0.1:$open: [0-9]+ of [0-9]+ strangers, first: no certificate, TLS 1.2\\.\$" -- "127.0.0.1:$open"
check 'a session of another name is presented under this one' sees 1 '^session of no name +1.3 +resumed; .*404 +unclear$' -- \
	"127.0.0.1:$open" --server-name localhost
check 'native nginx with ssl_verify_client on is closed, with a page' sees 0 \
	'^no certificate +1.2 +refusal: HTTP/1.1 400 +closed$' '^no certificate +1.3 +refusal: HTTP/1.1 400 +closed$' \
	'^of a CA of that name +1.3 +refusal: .*closed$' '^no TLS, plain text +- +refusal: HTTP/1.1 400 +closed$' \
	"^127.0.0.1:$demands is closed to strangers: [0-9]+ of them, none got in\\.\$" -- "127.0.0.1:$demands"
check 'and lets the certificate in that is given' sees 0 '^the certificate given +1.2 +[0-9]+ bytes: HTTP/1.1 200 +let in$' \
	'^the certificate given +1.3 +[0-9]+ bytes: HTTP/1.1 200 +let in$' -- "127.0.0.1:$demands" "${good[@]}"
check 'a certificate that does not get in is told' sees 1 '^the certificate given +1.3 .*not let in$' \
	'is closed to strangers: .*Nor did the certificate given\.$' -- "127.0.0.1:$demands" --cert ca/other.pem --key ca/other.key
check 'native nginx that asks and does not demand lets in who has none' sees 1 '^no certificate +1.3 +[0-9]+ bytes: HTTP/1.1 200 +A WAY IN$' \
	'^self-signed +1.3 +refusal: .*closed$' -- "127.0.0.1:$asks"
check 'an end without a byte, after a handshake that was accepted, is unclear' sees 1 '^no certificate +1.2 +not a byte, EOF +unclear$' \
	'^no certificate +1.3 +not a byte, EOF +unclear$' 'is not shown to be closed: ' -- "127.0.0.1:$closes_444"
check 'until the certificate given has shown the difference' sees 0 '^no certificate +1.3 +not a byte, EOF +closed$' \
	'is closed to strangers: ' -- "127.0.0.1:$closes_444" "${good[@]}"
check 'certificates that nobody verifies get in behind a page for those without' sees 1 '^no certificate +1.3 .*403 +unclear$' \
	'^self-signed +1.3 .*200 +A WAY IN$' '^of another CA +1.3 .*A WAY IN$' 'first: self-signed, TLS 1.2\.$' -- "127.0.0.1:$own_page"
check 'a page of the application is a refusal where the certificate given gets another status' sees 1 \
	'^no certificate +1.3 .*403 +closed$' -- "127.0.0.1:$own_page" "${good[@]}"
check 'a port without TLS is a way in, in the clear' sees 1 '^no certificate +1.3 +[0-9]+ bytes in clear: HTTP/1.1 400 +A WAY IN$' \
	'^no TLS, plain text +- +[0-9]+ bytes: HTTP/1.1 200 +A WAY IN$' -- "127.0.0.1:$plain"
is_narrow() { "$cfshim" probe "127.0.0.1:$demands" | awk 'length > 80 { exit wide = 1 } END { exit wide || NR < 15 }'; }
check 'the table has no line over 80 columns' is_narrow
if command -v script >/dev/null; then
	on_terminal() { TERM=xterm script -qec "$cfshim probe 127.0.0.1:$demands" /dev/null </dev/null; }
	check 'on a terminal the progress shows, and a verdict in colour' refuses 0 $'\033''\[1;32m.* is closed to strangers' on_terminal
	check 'on a terminal the number of what is tried shows' refuses 0 '2 of 1[0-9]: no certificate' on_terminal
else
	skip 'on a terminal the progress shows, and a verdict in colour' 'script is not installed'
fi
quiet() { "$cfshim" probe "127.0.0.1:$demands" 2>&1 >/dev/null | awk 'END { exit NR > 0 }'; }
check 'off a terminal nothing is said on stderr' quiet

take_ports tunnel
printf '%s\n' foreground=yes "pid=$scratch/stunnel.pid" syslog=no "cert=$scratch/ca/server.pem" "key=$scratch/ca/server.key" \
	"CAfile=$scratch/ca/ca.pem" verifyChain=yes '[s]' "accept=127.0.0.1:$tunnel" "connect=127.0.0.1:$plain" >stunnel.conf
stunnel=$(command -v stunnel4 || command -v stunnel)
serve "$tunnel" "$stunnel" stunnel.conf
check 'stunnel that verifies is closed, with alerts' sees 0 '^no certificate +1.2 +alert handshake_failure +closed$' \
	'^no certificate +1.3 +alert certificate_required +closed$' '^of another CA +1.3 +alert unknown_ca +closed$' \
	'^no TLS, plain text +- .*closed$' '^the certificate given +1.3 +[0-9]+ bytes: HTTP/1.1 200 +let in$' -- "127.0.0.1:$tunnel" "${good[@]}"

# --- the shim

take_ports rejects answers closes resets off
printf '[port %s]\nca = %s/ca/ca.pem\nrefuse = %s\n' "$rejects" "$scratch" reject "$answers" "$scratch" 'reject 403' \
	"$closes" "$scratch" close "$resets" "$scratch" 'close reset' >policy.conf
printf '[port %s]\nverify = off\n' "$off" >>policy.conf
nginx_conf "$(printf '
	server { listen 127.0.0.1:%s ssl; listen [::1]:%s ssl; location / { return 200 "hello\n"; } }\n' "$rejects" "$rejects" "$answers" "$answers" \
	"$closes" "$closes" "$resets" "$resets" "$off" "$off")" >covered.conf
serve "$off" env CFSHIM_LOG="$scratch/shim.log" "$cfshim" run --policy policy.conf -- \
	nginx -p "$scratch" -e "$scratch/nginx.log" -c "$scratch/covered.conf"

check 'a port that is off lets strangers in' sees 1 '^no certificate +1.3 +not asked; .*200 +A WAY IN$' -- "127.0.0.1:$off"
check 'reject is seen as alerts' sees 0 '^no certificate +1.2 +alert handshake_failure +closed$' \
	'^no certificate +1.3 +alert certificate_required +closed$' '^anonymous ciphers +1.2 +alert handshake_failure +closed$' \
	'^of a CA of that name +1.3 +alert (unknown_ca|decrypt_error|bad_certificate) +closed$' '^an earlier session +1.3 +was given no session +closed$' \
	'^session of no name +1.2 +was given no session +closed$' '^no TLS, plain text +- +(EOF|RST) +closed$' \
	'^the certificate given +1.2 .*200 +let in$' '^the certificate given +1.3 .*200 +let in$' \
	'^127.0.0.1:[0-9]+, server name localhost$' -- "127.0.0.1:$rejects" --server-name localhost "${good[@]}"
check 'reject 403 is seen as a page that refuses' sees 0 '^no certificate +1.2 +refusal: HTTP/1.1 403 +closed$' \
	'^no certificate +1.3 +refusal: HTTP/1.1 403 +closed$' -- "127.0.0.1:$answers"
check 'close is seen as an end without a byte' sees 0 '^no certificate +1.2 +EOF +closed$' '^no certificate +1.3 +not a byte, EOF +closed$' -- \
	"127.0.0.1:$closes"
check 'close reset is seen as a reset' sees 0 '^no certificate +1.2 +RST +closed$' '^no certificate +1.3 +not a byte, RST +closed$' -- \
	"127.0.0.1:$resets"
check 'an address of IPv6 is probed too' sees 0 "^\\[::1\\]:$rejects, no server name\$" '^no certificate +1.3 +alert certificate_required' \
	"^\\[::1\\]:$rejects is closed" -- "[::1]:$rejects"
logged() { # REASON PORT
	tail -n 20 shim.log
	grep -qE " refused reason=$1 port=$2 .*" shim.log
}
for reason in no-certificate untrusted-issuer plaintext; do
	check "the log says what was tried: $reason" logged "$reason" "$rejects"
done
check 'the log names the tool that came' grep -q 'subject="CN=cfshim probe"' shim.log

# --- more small servers

small greets
check 'a server that speaks first, over TLS, is a way in' sees 1 \
	'^no certificate +1.3 +not asked; 24 bytes: 220 mail.example +A WAY IN$' -- "127.0.0.1:$port"
small banner
check 'a server that speaks first, in the clear, is a way in' sees 1 \
	'^no certificate +1.3 +24 bytes in clear: 220 mail.example ESMTP +A WAY IN$' \
	'^no TLS, plain text +- +24 bytes: 220 mail.example ESMTP +A WAY IN$' -- "127.0.0.1:$port"
small old
check 'a server without TLS 1.3 that demands a certificate is closed' sees 0 '^no certificate +1.2 +alert handshake_failure +closed$' \
	'^no certificate +1.3 +(alert protocol_version|another version of TLS) +closed$' -- "127.0.0.1:$port"
small ping
printf 'PING\r\n' >ping.txt
check 'a server of its own protocol that does not answer to HTTP is unclear' sees 1 '^no certificate +1.3 +not a byte, (EOF|RST) +unclear$' \
	-- "127.0.0.1:$port"
check 'and a way in where --send has the words of it' sees 1 '^no certificate +1.3 +6 bytes: PONG +A WAY IN$' -- "127.0.0.1:$port" --send ping.txt
await_patient() { # PORT PROBE
	wait "$2" || echo 'another verdict, or another status than 1' >>"saw.$1"
}
await_patient "$holds" "${patient[0]}"
await_patient "$mute" "${patient[1]}"
saw() { # PORT PATTERN
	cat "saw.$1"
	grep -qE "$2" "saw.$1" && tail -n 1 "saw.$1" | grep -q 'is not shown to be closed: '
}
check 'a connection that a stranger keeps is unclear' saw "$holds" '^no certificate +1.3 +not a byte, and kept open +unclear$'
check 'a server that says nothing is unclear, and not waited for without end' saw "$mute" '^no certificate +1.2 +timeout +unclear$'
finish
