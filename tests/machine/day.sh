#!/bin/bash
# day.sh bare|covered - what is done on a machine on any day, and what strangers find there: in the root of machine.sh, with a
# network of its own.  Covered is where /etc/ld.so.preload has the library, and no policy file is there.
set -uo pipefail
export LC_ALL=C
mode=$1
work=/tmp/day
mkdir -p "$work"
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/tap.sh
source tests/tap.sh
client=tests/servers/common/client.py
pair=$work/pair.pem
page=/var/www/html/page.txt

await() { # COMMAND...; for as long as ten seconds
	local turn
	for ((turn = 0; turn < 100; turn++)); do
		if "$@" >/dev/null 2>&1; then return; fi
		sleep 0.1
	done
	"$@"
}
listens() { # PORT; seen without connecting
	awk -v port="$(printf ':%04X' "$1")" 'substr($2, length($2) - 4) == port && $4 == "0A" { found = 1 } END { exit !found }' \
		/proc/net/tcp /proc/net/tcp6
}
serve() { # PORT COMMAND..., which stays where it is
	"${@:2}" >>"$work/services.log" 2>&1 </dev/null &
	await listens "$1"
}
is() { # WHAT IT-IS IT-SHOULD-BE
	if [[ $2 == "$3" ]]; then return; fi
	echo "$1 is '$2' and should be '$3'"
	return 1
}

# ---- the machine

prepare() {
	ip link set lo up
	if [[ ! -s /etc/hosts ]]; then echo '127.0.0.1 localhost' >/etc/hosts; fi
	mkdir -p /run/sshd /var/www/html "$HOME/.ssh"
	chmod 700 "$HOME/.ssh"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key.pem" -out "$work/certificate.pem" -days 2 \
		-subj /CN=localhost -addext subjectAltName=DNS:localhost
	cat "$work/certificate.pem" "$work/key.pem" >"$pair"
	chmod 644 "$work"/*.pem
	echo 'a page that anybody may read' >"$page"
	grep -q '^someone:' /etc/passwd || useradd -m someone
}

# ---- what works as before

installed() {
	dpkg --audit
	is 'what dpkg has to say' "$(dpkg --audit)" '' &&
		is 'the number of packages' "$(dpkg -l openssh-server cron exim4-daemon-light nginx-light python3 | grep -c '^ii')" 5
}
reinstalled() { # with its scripts, and those of others
	dpkg --force-all -r nginx-light && apt-get install -y --no-install-recommends --no-download nginx-light && installed
}
quiet() { # COMMAND...: not a word of ours
	local output
	output=$("$@" 2>&1) || return
	echo "$output"
	[[ $output != *cfshim* ]]
}
programs_are_quiet() {
	quiet true && quiet ls /usr && quiet sh -c ':' && quiet su someone -s /bin/sh -c id && quiet perl -e 'print 1' &&
		is 'who it is' "$(su someone -s /bin/sh -c 'id -un' 2>&1)" someone
}

ssh_to() { ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "$@"; }
ssh_in_and_out() {
	ssh-keygen -q -t ed25519 -N '' -f "$HOME/.ssh/id_ed25519" <<<y >/dev/null
	cp "$HOME/.ssh/id_ed25519.pub" "$HOME/.ssh/authorized_keys"
	serve 22 /usr/sbin/sshd -D -e
	is 'what was said there' "$(ssh_to root@127.0.0.1 'echo there; echo nothing else >/tmp/day/by-ssh' 2>&1)" there || return
	is 'what was done there' "$(<"$work/by-ssh")" 'nothing else' || return
	scp -q -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
		"$page" root@127.0.0.1:"$work/copied" && cmp "$page" "$work/copied"
}

cron_runs() {
	echo "@reboot root echo it ran >$work/by-cron" >/etc/cron.d/day
	chmod 644 /etc/cron.d/day
	rm -f /run/crond.reboot
	cron -f >>"$work/services.log" 2>&1 </dev/null &
	await test -s "$work/by-cron" && is 'what cron did' "$(<"$work/by-cron")" 'it ran'
}

start_exim() {
	cat >/etc/exim4/exim4.conf.localmacros <<-X
		MAIN_TLS_ENABLE = yes
		MAIN_TLS_CERTIFICATE = /etc/exim4/day.crt
		MAIN_TLS_PRIVATEKEY = /etc/exim4/day.key
		tls_on_connect_ports = 465
		daemon_smtp_ports = 25 : 465
	X
	sed -i -e "s/^dc_eximconfig_configtype=.*/dc_eximconfig_configtype='local'/" \
		-e "s/^dc_other_hostnames=.*/dc_other_hostnames='localhost'/" \
		-e "s/^dc_local_interfaces=.*/dc_local_interfaces='127.0.0.1'/" /etc/exim4/update-exim4.conf.conf
	install -o root -g Debian-exim -m 640 "$work/certificate.pem" /etc/exim4/day.crt
	install -o root -g Debian-exim -m 640 "$work/key.pem" /etc/exim4/day.key
	update-exim4.conf && serve 25 exim4 -bdf -q30m && await listens 465
}
mail_is_delivered() {
	start_exim || return
	python3 -c '
import smtplib
server = smtplib.SMTP("127.0.0.1", 25, timeout=20)
server.ehlo("test")
server.sendmail("root@localhost", ["someone@localhost"], "Subject: day\r\n\r\na letter for someone\r\n")
print(server.quit())
' && await grep -q 'a letter for someone' /var/mail/someone && grep 'Subject: day' /var/mail/someone &&
		echo 'a letter by sendmail' | sendmail someone@localhost && await grep -q 'a letter by sendmail' /var/mail/someone
}

start_nginx() {
	cat >/etc/nginx/conf.d/day.conf <<-X
		server { listen 127.0.0.1:80; root /var/www/html; }
		server { listen 127.0.0.1:443 ssl; ssl_certificate $work/certificate.pem; ssl_certificate_key $work/key.pem;
			root /var/www/html; }
	X
	rm -f /etc/nginx/sites-enabled/default
	serve 80 nginx -g 'daemon off;' && await listens 443
}
port_80_serves() {
	is 'the page' "$(curl -sS --max-time 10 http://127.0.0.1/page.txt 2>&1)" "$(<"$page")" &&
		is 'the page, to Python' "$(python3 -c '
import urllib.request
print(urllib.request.urlopen("http://127.0.0.1/page.txt", timeout=10).read().decode().strip())' 2>&1)" "$(<"$page")" &&
		is 'the status' "$(curl -sS --max-time 10 -o /dev/null -w '%{http_code}' http://127.0.0.1/none 2>&1)" 404
}

# TLS as a client: of a server that the operator has taken out, by a policy that says so.
start_open_server() {
	printf '[port *]\nverify = off\n' >"$work/open.conf"
	serve 8443 env CFSHIM_POLICY="$work/open.conf" openssl s_server -accept 127.0.0.1:8443 -cert "$pair" -WWW
}
tls_clients_work() {
	cd /var/www/html && start_open_server || return
	is 'the page' "$(curl -sS --max-time 10 --cacert "$work/certificate.pem" https://localhost:8443/page.txt 2>&1)" "$(<"$page")" &&
		is 'the page, to Python' "$(python3 -c '
import ssl, sys, urllib.request
context = ssl.create_default_context(cafile=sys.argv[1])
print(urllib.request.urlopen("https://localhost:8443/page.txt", timeout=10, context=context).read().decode().strip())
' "$work/certificate.pem" 2>&1)" "$(<"$page")"
}

python_serves() {
	serve 8080 python3 -m http.server --bind 127.0.0.1 --directory /var/www/html 8080 || return
	is 'the page' "$(curl -sS --max-time 10 http://127.0.0.1:8080/page.txt 2>&1)" "$(<"$page")" && python3 -c '
import subprocess, socket, threading, multiprocessing
assert subprocess.run(["echo", "x"], capture_output=True, check=True).stdout == b"x\n"
one, other = socket.socketpair()
one.sendall(b"y")
assert other.recv(1) == b"y"
with multiprocessing.Pool(2) as pool:
    assert pool.map(abs, [-1, -2]) == [1, 2]
'
}

# ---- what is closed

start_listeners() {
	serve 4433 openssl s_server -accept 127.0.0.1:4433 -cert "$pair" -www &&
		serve 4434 gnutls-serv --http --disable-client-cert -p 4434 --x509keyfile "$work/key.pem" \
			--x509certfile "$work/certificate.pem" &&
		serve 4435 python3 -c '
import http.server, ssl, sys
server = http.server.ThreadingHTTPServer(("127.0.0.1", 4435), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1])
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()' "$pair"
}

# The two ways that there are to be closed: the alert of a hooked OpenSSL, and nothing at all of another library.
strangers() { # PORT ALERT|none EXPECTED OPTION...
	local port=$1 alert=$2 expected=$3 version saw_handshake saw_alert saw_after saw_end saw_answered output
	for version in 1.2 1.3; do
		output=$(python3 -IS "$client" "$port" --tls "$version" --expect "$expected" "${@:4}" 2>&1)
		echo "port $port, TLS $version: $output"
		read -r saw_handshake saw_alert saw_after saw_end saw_answered <<<"$output"
		case $mode:$alert in
		bare:*) is 'the answer' "$saw_answered" yes || return ;;
		covered:none)
			is 'the answer' "$saw_answered" no && is 'the handshake' "$saw_handshake" failed &&
				is 'the alert' "$saw_alert" - && is 'the number of bytes' "$saw_after" 0 || return
			if [[ $saw_end == open ]]; then return 1; fi
			;;
		*)
			if [[ $version == 1.2 ]]; then alert=handshake_failure; else alert=certificate_required; fi
			is 'the answer' "$saw_answered" no && is 'the alert' "$saw_alert" "$alert" || return
			;;
		esac
	done
}
get='GET /page.txt HTTP/1.0\r\nHost: localhost\r\n\r\n'
hello='EHLO test\r\nQUIT\r\n'

# ---- the day

prepare >"$work/prepare.log" 2>&1 || { cat "$work/prepare.log" && exit 1; }
outside='stranger gets in'
if [[ $mode == covered ]]; then outside='stranger gets nothing'; fi
check "$mode: packages are installed, whole" installed
check "$mode: a package is removed and installed again" reinstalled
check "$mode: programs print nothing but their own" programs_are_quiet
check "$mode: ssh and scp, in and out" ssh_in_and_out
check "$mode: cron runs what it is told" cron_runs
check "$mode: an SMTP conversation, and sendmail, deliver a letter" mail_is_delivered
check "$mode: nginx starts" start_nginx
check "$mode: nginx serves plain HTTP on port 80" port_80_serves
check "$mode: Python serves plain HTTP, and starts and speaks to processes" python_serves
check "$mode: curl and Python get a page by TLS" tls_clients_work
check "$mode: servers with TLS start" start_listeners
check "$mode: of nginx with TLS a $outside" strangers 443 alert 'anybody may read' --send "$get"
check "$mode: of openssl s_server a $outside" strangers 4433 alert '200 ok' --send "$get"
check "$mode: of gnutls-serv a $outside" strangers 4434 none '200 OK' --send "$get"
check "$mode: of Python with TLS a $outside" strangers 4435 alert SimpleHTTP --send "$get"
check "$mode: of Exim with TLS a $outside" strangers 465 none '^221 ' --send "$hello"
check "$mode: of Exim with STARTTLS a $outside" strangers 25 none '^221 ' --starttls smtp --send "$hello"
check "$mode: plain HTTP goes on after all that" port_80_serves
finish
