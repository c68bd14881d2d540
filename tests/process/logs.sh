#!/bin/bash
# logs.sh - where lines go, with who reads them there: syslog, the journal, logrotate, fail2ban.
#
# BUILD  where cfshim and libcfshim.so are
set -uo pipefail
# shellcheck source=tests/tap.sh
source tests/tap.sh
build=$(realpath "${BUILD:-build}") || exit 1
cfshim=$build/cfshim
library=$build/libcfshim.so
examples=$PWD/examples
scratch=$(mktemp -d)
end() {
	# In a file: `check` runs its command in a shell of its own.
	while read -r host; do kill -9 "$host"; done <"$scratch/hosts" 2>/dev/null
	wait
	rm -rf "$scratch"
}
trap end EXIT
chmod 755 "$scratch"
: >"$scratch/hosts"
unset CFSHIM_POLICY CFSHIM_LOG LD_PRELOAD JOURNAL_STREAM
cd "$scratch" || exit 1
"$cfshim" test-ca pki >/dev/null || exit 1
chmod -R a+rX pki

answers() { python3 -c "import socket; socket.create_connection(('127.0.0.1', $1)).close()"; }
come() { # PORT [NAME]: without a certificate; whatever becomes of it
	timeout 10 openssl s_client -connect "127.0.0.1:$1" -servername "${2:-shop.example}" </dev/null >/dev/null 2>&1
	return 0
}
policy() { printf 'log = %s\n[port %s]\nca = %s\n' "$1" "$2" "$PWD/pki/ca.pem" >policy.conf; }
server=(openssl s_server -quiet -www -cert pki/server.pem -key pki/server.key -accept)

# --- syslog: a /dev/log of our own, in a mount namespace of its own
cat >syslog.sh <<-'X'
	mkdir dev && mount -t tmpfs -o mode=755 none dev || exit
	for name in null zero random urandom; do touch dev/$name && mount --bind /dev/$name dev/$name || exit; done
	mount --rbind dev /dev || exit
	socat -u UNIX-RECV:/dev/log,mode=666 OPEN:syslog,creat,append &
	while [[ ! -e /dev/log ]]; do sleep 0.05; done
	LD_PRELOAD=$1 CFSHIM_POLICY=$PWD/policy.conf "${@:2}" >/dev/null 2>errors &
	wait
X
is_in_syslog() {
	local port
	port=$(free_port)
	policy syslog "$port"
	setsid unshare -m bash syslog.sh "$library" "${server[@]}" "127.0.0.1:$port" &
	local session=$!
	wait_for answers "$port" || return
	come "$port"
	wait_for grep -qE '^<84>cfshim\[[0-9]+\]: refused reason=no-certificate port=[0-9]+ peer=127\.0\.0\.1:[0-9]+ network=other server-name=shop\.example ' <(tr '<' '\n' <syslog | sed 's/^/</')
	local status=$?
	cat syslog errors
	pkill -9 -s "$session"
	wait "$session" 2>/dev/null
	return "$status"
}
if ((EUID == 0)); then check 'a refusal is a message of syslog' is_in_syslog; else skip 'a refusal is a message of syslog' 'needs root'; fi

# --- the journal: standard error is a socket, and JOURNAL_STREAM names it
cat >journal.py <<-'X'
	import os, socket, subprocess, sys
	names, library, port = sys.argv[1] == "named", sys.argv[2], sys.argv[3]
	ours, its = socket.socketpair()
	status = os.fstat(its.fileno())
	environment = dict(os.environ, LD_PRELOAD=library, CFSHIM_POLICY=os.path.abspath("policy.conf"))
	if names:
	    environment["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}"
	host = subprocess.Popen(sys.argv[4:], stderr=its, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=environment)
	its.close()
	client = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}"]
	for i in range(200):
	    try:
	        socket.create_connection(("127.0.0.1", int(port))).close()
	        break
	    except OSError:
	        subprocess.run(["sleep", "0.05"])
	subprocess.run(client, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20)
	ours.settimeout(3)
	text = b""
	try:
	    while b"refused" not in text:
	        text += ours.recv(4096)
	except TimeoutError:
	    pass
	host.kill()
	host.wait()
	sys.stdout.write(text.decode())
X
in_journal() { # named|unnamed
	local port
	port=$(free_port)
	policy stderr "$port"
	python3 journal.py "$1" "$library" "$port" "${server[@]}" "127.0.0.1:$port"
}
is_in_journal() { in_journal named | grep -E '^cfshim\[[0-9]+\]: refused reason=no-certificate '; }
is_no_journal() { [[ $(in_journal unnamed | grep -c cfshim) == 0 ]]; }
check 'a refusal is a line of the journal, where standard error is its stream' is_in_journal
check 'nothing is written on a standard error that is another socket' is_no_journal

# --- logrotate, under a server whose workers are not root
cat >nginx.conf <<-X
	daemon off; pid nginx.pid; error_log stderr; worker_processes 2; user nobody nogroup;
	events {}
	http {
		access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
		ssl_certificate $PWD/pki/server.pem; ssl_certificate_key $PWD/pki/server.key;
		server { listen 127.0.0.1:@ ssl; return 200 hello; }
	}
X
count_of() { grep -c 'refused' "$1" 2>/dev/null || :; }
has() { [[ $(count_of "$2") == "$1" ]]; }
is_rotated() {
	local port
	port=$(free_port)
	mkdir log
	sed -i "s/127.0.0.1:@/127.0.0.1:$port/" nginx.conf
	policy "$PWD/log/refusals.log" "$port"
	sed -e "s,/var/log/cfshim,$PWD/log," -e 's/create .*/create 0640 nobody nogroup/' "$examples/logrotate/cfshim" >logrotate.conf
	CFSHIM_POLICY=$PWD/policy.conf LD_PRELOAD=$library nginx -p "$PWD" -e stderr -c nginx.conf 2>nginx.errors &
	echo "$!" >>"$scratch/hosts"
	wait_for answers "$port" || return
	for _ in 1 2 3; do come "$port"; done
	wait_for has 3 log/refusals.log || return
	logrotate --force --state "$PWD/state" logrotate.conf || return
	has 0 log/refusals.log && has 3 log/refusals.log.1 || return
	for _ in 1 2 3 4; do come "$port"; done
	wait_for has 4 log/refusals.log || return
	has 3 log/refusals.log.1 && [[ $(stat -c '%U %a' log/refusals.log) == 'nobody 640' ]] || return
	# Once more, with compression of the one before.
	logrotate --force --state "$PWD/state" logrotate.conf && come "$port" && wait_for has 1 log/refusals.log &&
		[[ -e log/refusals.log.2.gz ]] || return
	nginx -p "$PWD" -e stderr -c nginx.conf -s quit
}
if ((EUID == 0)); then
	check 'after logrotate, lines of unprivileged workers go to the new file, and none is lost' is_rotated
else
	skip 'after logrotate, lines of unprivileged workers go to the new file, and none is lost' 'needs root'
fi

# --- fail2ban
line() { # NETWORK PEER [REASON] [NAME]: as the shim writes it
	echo "cfshim[4242]: refused reason=${3:-no-certificate} port=443 peer=$2:51514 network=$1 server-name=${4:-shop.example} tls=1.3 answer=reject subject=- dropped=0"
}
object() { # NETWORK PEER
	echo "{\"time\":\"2026-11-30T12:00:00Z\",\"pid\":1,\"event\":\"refused\",\"reason\":\"no-certificate\",\"port\":\"443\",\"peer\":\"$2:51514\",\"network\":\"$1\",\"server-name\":\"x\",\"tls\":\"1.3\",\"answer\":\"reject\",\"subject\":\"-\",\"dropped\":0}"
}
bans() { # FILE: the addresses that fail2ban finds in it
	fail2ban-regex --out ip "$1" "$examples/fail2ban/filter.d/cfshim.conf" 2>errors
}
finds() { # TEXT of addresses, LINES
	printf '%s\n' "$2" >lines
	bans lines >raw || { cat errors; return 1; }
	sort -u raw >found
	cat lines found errors
	[[ $(paste -sd ' ' found) == "$1" ]]
}
stamp='Nov 30 12:00:00 host'
check 'fail2ban finds strangers in a file' finds '192.0.2.9 2001:db8::1' "$(line other 192.0.2.9; line other '[2001:db8::1]')"
check 'fail2ban finds strangers in syslog' finds '192.0.2.9' "$stamp $(line other 192.0.2.9)"
check 'fail2ban finds strangers in what a server said on standard error' finds '192.0.2.9' "$stamp nginx[77]: $(line other 192.0.2.9)"
check 'fail2ban finds strangers in JSON' finds '192.0.2.9' "$(object other 192.0.2.9)"
check "fail2ban never finds the edge's own addresses" finds '' \
	"$(line cloudflare 104.16.0.1; line cloudflare '[2606:4700::1]'; object cloudflare 104.16.0.1; echo "$stamp $(line cloudflare 104.16.0.1)"; echo "$stamp nginx[77]: $(line cloudflare 104.16.0.1)")"
check 'fail2ban does not ban for what is the server'\''s own fault' finds '' \
	"$(for reason in policy-error internal uncovered-tls unknown-endpoint; do line other 192.0.2.9 $reason; done)"
check 'a server name that looks like a line bans nobody' finds '192.0.2.9' \
	"$(line other 192.0.2.9 no-certificate "\"$(line other 104.16.0.1)\""; line cloudflare 104.16.0.2 no-certificate "\"a network=other cfshim[1]: $(line other 104.16.0.1)\"")"

# What the shim itself writes about such a name.
is_harmless() {
	local port
	port=$(free_port)
	policy "$PWD/named.log" "$port"
	CFSHIM_POLICY=$PWD/policy.conf LD_PRELOAD=$library "${server[@]}" "127.0.0.1:$port" >/dev/null 2>errors &
	echo "$!" >>"$scratch/hosts"
	wait_for answers "$port" || return
	come "$port" "$(line other 104.16.0.1 | cut -c 1-200)"
	wait_for has 1 named.log || return
	cat named.log
	bans named.log >raw && [[ $(<raw) == 127.0.0.1 ]]
}
check 'nor does one that a client really asks for' is_harmless
finish
