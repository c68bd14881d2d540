#!/bin/bash
# status.sh - `cfshim status` and `cfshim ready`: what they say of real hosts, to whom, and in which form.
#
# BUILD  where cfshim and libcfshim.so are
set -uo pipefail
# shellcheck source=tests/tap.sh
source tests/tap.sh
build=$(realpath "${BUILD:-build}") || exit 1
cfshim=$build/cfshim
library=$build/libcfshim.so
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
unset CFSHIM_POLICY CFSHIM_LOG LD_PRELOAD NO_COLOR
cd "$scratch" || exit 1
"$cfshim" test-ca pki >/dev/null || exit 1

# PORT PROCESSES FIFO ['proxy']: a server of Python that answers each connection; with processes, each of these answers one, and waits for
# a byte in the fifo.
cat >host.py <<-'X'
	import os, socket, ssl, sys
	context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
	context.load_cert_chain("pki/server.pem", "pki/server.key")
	listener = socket.socket()
	listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	listener.bind(("127.0.0.1", int(sys.argv[1])))
	listener.listen(64)
	if "USER_AFTERWARDS" in os.environ:
	    os.setuid(int(os.environ["USER_AFTERWARDS"]))
	is_parent = int(sys.argv[2]) > 0
	for i in range(int(sys.argv[2])):
	    if os.fork() == 0:
	        is_parent = False
	        break
	while True:
	    if is_parent or int(sys.argv[2]) > 0 and "connection" in globals():
	        os.read(os.open(sys.argv[3], os.O_RDONLY), 1)
	        os._exit(0)
	    connection, peer = listener.accept()
	    try:
	        header = b""
	        if len(sys.argv) > 4:
	            while not header.endswith(b"\n"):
	                byte = connection.recv(1)
	                if not byte:
	                    break
	                header += byte
	        with context.wrap_socket(connection, server_side=True) as secure:
	            secure.recv(4096)
	            secure.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello\n")
	    except OSError:
	        pass
	    connection.close()
X

start() { # POLICY ARGUMENT...: $host
	CFSHIM_POLICY=$PWD/$1 CFSHIM_LOG=$PWD/log LD_PRELOAD=$library python3 host.py "${@:2}" >/dev/null 2>host.errors &
	host=$!
	echo "$host" >>"$scratch/hosts"
	wait_for python3 -c "import socket; socket.create_connection(('127.0.0.1', $2)).close()"
}

# One who comes: with the certificate, if any, for the name, if any, and behind a PROXY header, if any.
cat >come.py <<-'X'
	import socket, ssl, sys
	port, certificate, name, header = int(sys.argv[1]), *sys.argv[2:5]
	context = ssl.create_default_context()
	context.check_hostname = False
	context.verify_mode = ssl.CERT_NONE
	if certificate:
	    context.load_cert_chain(f"pki/{certificate}.pem", f"pki/{certificate}.key")
	connection = socket.create_connection(("127.0.0.1", port))
	connection.sendall(header.encode().decode("unicode_escape").encode())
	try:
	    with context.wrap_socket(connection, server_hostname=name or None) as secure:
	        secure.sendall(b"GET / HTTP/1.0\r\n\r\n")
	        print(secure.recv(4096))
	except OSError as error:
	    print(error)
X
come() { python3 come.py "$1" "${2:-}" "${3:-}" "${4:-}"; }

port=$(free_port)
cat >policy.conf <<-X
	[port $port]
	ca = $PWD/pki/ca.pem
	[port $port server shop.example]
	ca = $PWD/pki/other-ca.pem
	[port *]
	verify = off
X
# Sections of different CAs want to be told that names cannot be mixed up inside a connection.
sed -i "2i hosts = names-only" policy.conf
start policy.conf "$port" 0
come "$port" edge >/dev/null
come "$port" "" >/dev/null
come "$port" "" >/dev/null
come "$port" other shop.example >/dev/null
come "$port" edge shop.example >/dev/null

# --- the table
row() { # WORDS: any blanks between them
	local pattern="$*"
	grep -qE "^${pattern// / +}\$" <<<"$output" || {
		printf '%s\n' "$output" "no row: $*"
		return 1
	}
}
is_plain() { if LC_ALL=C grep -aP '[^\n -~]' "$@"; then return 1; fi; }
shows_counts() {
	output=$("$cfshim" status "$host") || return
	row "$port - admitted - 1" && row "$port - refused no-certificate 2" &&
		row "$port shop.example admitted - 1" && row "$port shop.example refused untrusted-issuer 1"
}
shows_head() {
	output=$("$cfshim" status "$host") || return
	row "python3 +$host" && row " policy $PWD/policy.conf" && row " 3 rules, generation 1" && row " CA [0-9]+ days left" &&
		row " OpenSSL [0-9].*" && row " refused [0-9.]+ a second" && row " library [0-9.]+"
}
is_narrow_and_plain() {
	"$cfshim" status "$host" >table && is_plain table && (($(wc -L <table) <= 80))
}
on_terminal() { TERM=xterm script -qec "$1" /dev/null; }
has_color() { on_terminal "$cfshim status $host" >shown; grep -q $'\033\[1m' shown; }
has_no_color() { [[ $(on_terminal "env NO_COLOR=1 $cfshim status $host" | tr -d '\r' | grep -c $'\033') == 0 ]]; }
redraws() { on_terminal "timeout -s INT 3 $cfshim status --watch $host" >watched; (($(grep -c $'\033\[H\033\[2J' watched) >= 2)) && grep -q 'shop.example' watched; }
check 'status counts by port, server section, verdict and reason' shows_counts
check 'status shows policy, generation, CA, OpenSSL and rate' shows_head
check 'the table is plain, and no wider than 80 columns' is_narrow_and_plain
check 'on a terminal there is colour' has_color
check 'with NO_COLOR there is none' has_no_color
check '--watch redraws' redraws

# --- for programs
sums_up() {
	"$cfshim" status "$host" --json >out.json && python3 - "$host" <<-'X'
		import json, sys
		program, = json.load(open("out.json"))["programs"]
		assert program["program"] == "python3" and program["pids"] == [int(sys.argv[1])], program
		assert program["rules"] == 3 and program["generation"] == 1 and program["stale"] is False and program["stale_why"] is None, program
		counts = {(c["server"], c["verdict"], c["reason"]): c["count"] for c in program["connections"]}
		assert counts["-", "refused", "no-certificate"] == 2, counts
		assert counts["shop.example", "refused", "untrusted-issuer"] == 1, counts
	X
}
is_accepted() { promtool check metrics <"$1"; }
is_metrics() {
	"$cfshim" status --metrics >out.prom && is_accepted out.prom &&
		grep -qxF "cfshim_connections_total{program=\"python3\",port=\"$port\",server=\"-\",verdict=\"refused\",reason=\"no-certificate\"} 2" out.prom &&
		grep -q '^cfshim_policy_generation{program="python3"} 1$' out.prom && grep -q '^cfshim_policy_stale{program="python3"} 0$' out.prom &&
		grep -qE '^cfshim_ca_expiry_timestamp_seconds{program="python3"} [0-9]{10}$' out.prom && grep -qE '^cfshim_covered{program="python3"} [1-9]' out.prom
}
is_renamed() {
	mkdir -p collected && echo old >collected/cfshim.prom && exec 9<collected/cfshim.prom || return
	"$cfshim" status --metrics --output collected/cfshim.prom || return
	# Who had it open reads the old one to its end.
	[[ $(cat <&9) == old ]] && is_accepted collected/cfshim.prom && [[ $(ls -A collected) == cfshim.prom ]] &&
		[[ $(stat -c %a collected/cfshim.prom) == 644 ]]
}
is_kept() {
	mkdir -p taken/cfshim.prom || return
	refuses 1 'cannot be written' "$cfshim" status --metrics --output taken/cfshim.prom && [[ $(ls -A taken) == cfshim.prom ]]
}
check '--json is JSON, with the same numbers' sums_up
check '--metrics is what Prometheus accepts' is_metrics
check '--output is written by rename' is_renamed
check 'an output that cannot be written leaves nothing behind' is_kept

# --- a policy that is not taken up
is_stale_for() { # PATTERN: of the table, folded or not, and of JSON; and it fits
	local wanted=$1
	wait_for bash -c "python3 come.py $port '' '' '' >/dev/null; '$cfshim' status $host | grep -q '; stale: '" || return
	"$cfshim" status "$host" >table
	cat table
	"$cfshim" status "$host" --json >out.json && cat out.json
	sed -z 's/\n           / /g' table | grep -qE "^  policy .*; stale: what is there now is not in force process $host, of user $wanted" &&
		(($(wc -L <table) <= 80)) && python3 - "$host" "$wanted" <<-'X'
			import json, re, sys
			program, = json.load(open("out.json"))["programs"]
			assert program["stale"] is True and program["stale_pid"] == int(sys.argv[1]), program
			assert re.search(sys.argv[2].split("says: ")[1], program["stale_why"]), program
		X
}
is_taken_up() {
	wait_for bash -c "python3 come.py $port '' '' '' >/dev/null; '$cfshim' status $host | grep -q 'rules, generation 2$'" &&
		"$cfshim" status "$host" --json | grep -q '"stale": false, "stale_why": null,'
}
port=$(free_port)
printf '[port %s]\nca = %s/pki/ca.pem\n' "$port" "$PWD" >kept.conf
start kept.conf "$port" 0
printf '[port %s]\nverify = maybe\n' "$port" >kept.new && mv kept.new kept.conf
check 'a policy with a mistake is kept out: status says which' is_stale_for "$(id -un), says: .*kept.conf:2:10: verify takes require"
if ((EUID == 0)); then
	port=$(free_port)
	mkdir ca-of-root && chmod 755 ca-of-root && cp pki/ca.pem ca-of-root/ && chmod 600 ca-of-root/ca.pem
	printf '[port %s]\nca = %s/ca-of-root/ca.pem\n' "$port" "$PWD" >dropped.conf
	USER_AFTERWARDS=65534 start dropped.conf "$port" 0
	printf '[port %s]\nca = %s/ca-of-root/ca.pem\nrefuse = close\n' "$port" "$PWD" >dropped.new && mv dropped.new dropped.conf
	check 'so is one whose files the user of the workers may not read: status says which, for whom, and what to do' is_stale_for \
		"$(id -un 65534), says: .*dropped.conf:2:6: .*/ca-of-root/ca.pem: permission denied; .*; let user 65534, as whom this process runs, read it, or restart the server"
	chmod 644 ca-of-root/ca.pem
	check 'once that user may, it counts, and status is content' is_taken_up
else
	skip 'so is one whose files the user of the workers may not read' 'needs root'
fi

# --- arguments
sleep 60 &
echo "$!" >>"$scratch/hosts"
check 'a process that is not there is named' refuses 1 'there is no process 4194304' "$cfshim" status 4194304
check 'a process that is not covered is named' refuses 1 "process $! is not covered" "$cfshim" status $!
check 'what is no process is a mistake of usage' refuses 2 'is no process' "$cfshim" status nginx
check 'two forms are a mistake of usage' refuses 2 '--json and --metrics are two forms: choose one' "$cfshim" status --metrics --json
check '--watch of metrics is a mistake of usage' refuses 2 'for the table' "$cfshim" status --metrics --watch
check 'what is no port is a mistake of usage' refuses 2 'is no port' "$cfshim" ready https
check 'nobody is not known to be ready' refuses 1 'nobody has been counted on port 1.*; .cfshim doctor --all. says which ports are covered' "$cfshim" ready 1

if ((EUID == 0)); then
	as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
	cp "$cfshim" everybodys
	chmod 755 everybodys
	check 'who may not look is told so' refuses 1 "not covered, or not this user's" as_nobody ./everybodys status "$host"
else
	skip 'who may not look is told so' 'needs root'
fi

# --- whom not to believe
cat >liar.py <<-'X'
	import ctypes, mmap, os, struct, sys, time
	fd = os.open(sys.argv[1], os.O_RDONLY)
	libc = ctypes.CDLL(None)
	libc.mmap.restype = ctypes.c_void_p
	libc.mmap(None, 4096, 5, 2, fd, 0)
	size = int(sys.argv[2])
	memory = os.memfd_create("cfshim-counters")
	os.ftruncate(memory, size)
	block = mmap.mmap(memory, size)
	text = bytes(range(1, 256)) * (size // 255 + 1)
	block[:] = text[:size] if sys.argv[3] == "bytes" else b"\x02\0\0\0" * (size // 4)
	if sys.argv[3] != "nothing":
	    block[0:24] = b"cfshim counters\0" + struct.pack("<II", 1, int(sys.argv[4]))
	os.close(memory)
	print(flush=True)
	time.sleep(60)
X
cat >size.c <<-'X'
	#include "counters_layout.h"
	#include <stdio.h>
	int main(void) { printf("%zu %zu\n", (sizeof(struct counters) + 4095) / 4096 * 4096, sizeof(struct counters)); }
X
cc -I"$OLDPWD/shim" -o size size.c
read -r pages size < <(./size)
survives() { # KIND
	local liar status=0
	python3 liar.py "$library" "$pages" "$1" "$size" >ready &
	liar=$!
	echo "$liar" >>"$scratch/hosts"
	wait_for test -s ready || return
	timeout 20 "$cfshim" status "$liar" >lies || status=$?
	timeout 20 "$cfshim" status "$liar" --metrics >lies.prom && timeout 20 "$cfshim" status "$liar" --json >lies.json || status=$?
	timeout 20 "$cfshim" ready >/dev/null 2>&1 || (($? == 1)) || status=$?
	kill "$liar"
	wait "$liar"
	rm ready
	((status == 0)) && [[ -s lies ]] && is_plain lies lies.prom lies.json &&
		is_accepted lies.prom && python3 -m json.tool lies.json >/dev/null
}
check 'counters full of any bytes harm nobody who reads them' survives bytes
check 'counters whose every row is there harm nobody' survives rows
check 'a memfd of that name without counters is none' survives nothing

# --- many
# All who come, a second of them with a certificate; how many were answered, and how many were not.
cat >come_all.py <<-'X'
	import socket, ssl, sys
	def context(certificate):
	    made = ssl.create_default_context(cafile="pki/server-ca.pem")
	    if certificate:
	        made.load_cert_chain(f"pki/{certificate}.pem", f"pki/{certificate}.key")
	    return made
	contexts = [context(None), context("edge")]
	answered = [0, 0]
	for i in range(int(sys.argv[2])):
	    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
	        try:
	            with contexts[i % 2].wrap_socket(connection, server_hostname="localhost") as secure:
	                secure.sendall(b"GET / HTTP/1.0\r\n\r\n")
	                answered[b"hello" in secure.recv(4096)] += 1
	        except OSError:
	            answered[0] += 1
	print("refused", answered[0], "answered", answered[1])
X
has_children() { (($(wc -w <"/proc/$host/task/$host/children") == $1)); }
# One of them takes the connection by which it is seen that they listen.
start_many() {
	port=$(free_port)
	printf '[port %s]\nca = %s/pki/ca.pem\n' "$port" "$PWD" >many.conf
	mkfifo stop && start many.conf "$port" 1001 "$PWD/stop" && exec 8<>stop || return
	wait_for has_children 1001 || wait_for has_children 1001 # that many take their time on a busy machine
}
end_many() {
	pkill -9 -P "$host"
	kill -9 "$host"
}
counts_thousand() {
	[[ $(timeout 120 python3 come_all.py "$port" 1000) == 'refused 500 answered 500' ]] || return
	output=$("$cfshim" status "$host") && row "$port - admitted - 500" && row "$port - refused no-certificate 500" &&
		row 'python3 .* and 997 more' && [[ $(grep -c '^python3 ' <<<"$output") == 1 ]]
}
is_quick() { # of the machine's time, which others cannot take away
	local TIMEFORMAT='%3U %3S' user system
	read -r user system < <({ time "$cfshim" status "$host" >/dev/null; } 2>&1)
	echo "$user s, and $system s in the kernel"
	((10#${user/./} + 10#${system/./} < 1000))
}
if start_many; then
	check 'a thousand processes that share counters are one, and each connection of theirs is counted' counts_thousand
	check 'and status looks through them within a second' is_quick
else
	check 'a thousand processes start' false
fi
end_many

# --- ready
port=$(free_port)
cat >ready.conf <<-X
	[port $port]
	ca = $PWD/pki/ca.pem
	proxy-protocol = loopback
X
start ready.conf "$port" 0 - proxy
edge="PROXY TCP4 104.16.0.1 127.0.0.1 5 $port\\r\\n" stranger="PROXY TCP4 192.0.2.1 127.0.0.1 5 $port\\r\\n"
come "$port" edge Shop.Example "$edge" >/dev/null
come "$port" "" shop.example "$stranger" >/dev/null
come "$port" "" nobodys.example "$stranger" >/dev/null
is_safe() { output=$("$cfshim" ready "$port") && row "$port shop.example 1 0 0 1 0 safe" && row 'safe to require' && row "$port \(others\) 0 .*"; }
breaks() {
	come "$port" "" off.example "$edge" >/dev/null
	come "$port" self-signed wrong.example "$edge" >/dev/null
	output=$("$cfshim" ready "$port")
	(($? == 1)) && row "$port off.example 0 1 0 0 0 .*" && row "$port wrong.example 0 0 1 0 0 .*" &&
		row "$port shop.example 1 0 0 1 0 safe" && row "port $port, off.example: Cloudflare comes without a certificate: .*" &&
		row "port $port, wrong.example: Cloudflare comes with a certificate .*" &&
		row 'not safe: .*'
}
check 'where every edge had its certificate, it is safe to require' is_safe
check 'a name whose edge has none, or another, would break, and is named' breaks
is_narrow() {
	"$cfshim" ready "$port" >table
	(($? == 1)) && cat table && awk 'length > 80 { exit wide = 1 } END { exit wide || NR < 12 }' table
}
check 'and nothing of that is wider than 80 columns' is_narrow
comes_both_ways() {
	come "$port" self-signed off.example "$edge" >/dev/null
	"$cfshim" ready "$port" | sed -z 's/\n  / /g' >whole
	cat whole
	grep -q "^port $port, off.example: Cloudflare comes without a certificate: switch Authenticated Origin Pulls on " whole &&
		grep -q "^port $port, off.example: Cloudflare comes with a certificate that the rule does not admit: the log says why" whole
}
check 'a name for which the edge comes without one, and with a wrong one, is told of both' comes_both_ways
takes_one_line() { # a name of usual length
	come "$port" edge api.orders.example "$edge" >/dev/null
	output=$("$cfshim" ready "$port")
	row "$port api.orders.example 1 0 0 0 0 safe"
}
check 'a row of a usual name is one line' takes_one_line
finish
