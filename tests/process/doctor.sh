#!/bin/bash
# doctor.sh - what `cfshim doctor` says of programs, of processes and of the machine; each is made to be what it is said to be.
# That this is also what happens under the shim, tests/servers shows for the servers there.
#
# BUILD          where cfshim, libcfshim.so and the small servers are
# PRELOAD_FIRST  the runtime of a sanitizer, where the library was built with one
set -uo pipefail
# shellcheck source=tests/tap.sh
source tests/tap.sh
# --all is asked where nothing else listens, and AppArmor and others are made up: in namespaces, as root.
if ((EUID == 0)) && [[ -z ${CFSHIM_DOCTOR_ISOLATED:-} ]] && unshare --mount --pid --net --fork --mount-proc true 2>/dev/null; then
	CFSHIM_DOCTOR_ISOLATED=yes exec unshare --mount --pid --net --fork --kill-child --mount-proc "$0" "$@"
fi
build=$(realpath "${BUILD:-build}") || exit 1
servers=$build/tests/process/servers
source=$PWD
scratch=$(mktemp -d)
jobs=()
trap 'kill "${jobs[@]}" 2>/dev/null; rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
unset CFSHIM_POLICY CFSHIM_LOG LD_PRELOAD NO_COLOR LD_LIBRARY_PATH
cd "$scratch" || exit 1
mkdir bin && cp "$build/cfshim" "$build/libcfshim.so" bin/ && chmod 755 bin/cfshim && chmod 644 bin/libcfshim.so
cfshim=$scratch/bin/cfshim
library=$scratch/bin/libcfshim.so
"$cfshim" test-ca ca >/dev/null && chmod 755 ca && chmod 644 ca/*
isolated=${CFSHIM_DOCTOR_ISOLATED:-}
if [[ -n $isolated ]]; then ip link set lo up; fi

# Findings are folded at 80 columns: here they are one line each again; what was said is kept.
all_said=$scratch/said
doctor() { "$cfshim" doctor "$@" 2>&1 | sed -z 's/\n  */ /g' | tee -a "$all_said"; return "${PIPESTATUS[0]}"; }
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
nobodys_doctor() { as_nobody "$cfshim" doctor "$@" 2>&1 | sed -z 's/\n  */ /g' | tee -a "$all_said"; return "${PIPESTATUS[0]}"; }
says_not() { # STATUS PATTERN COMMAND...
	local expected=$1 pattern=$2 output status=0
	shift 2
	output=$("$@") || status=$?
	echo "$output"
	((status == expected)) && [[ $(grep -cE -- "$pattern" <<<"$output") == 0 ]]
}

# --- usage

check 'nothing to ask for is a mistake of usage: what systemd puts there may be nothing' refuses 2 'a process, or --all is missing' doctor
check 'an empty word is one too' refuses 2 'is missing' doctor ''
check 'two things are one too many' refuses 2 'x is too much' doctor nginx x
check 'an unknown option is named' refuses 2 'no option --every' doctor --every
check '--policy without a file is a mistake of usage' refuses 2 'takes a file' doctor 1 --policy
check 'a program that is not there is not covered' refuses 1 'no-such-program: No such file' doctor no-such-program
check 'a process that is not there is not covered' refuses 1 'there is no process 999999999' doctor 999999999

# --- paragraphs

paragraphs() { sed -nE 's/^PARAGRAPH\([A-Z_]+, *"([^"]+)", *"([^"]+)"\)$/\1|\2/p' "$source/cli/paragraphs.def"; }
each_is_a_heading() {
	local manual heading name man count=0
	while IFS='|' read -r manual heading; do
		name=${manual%(*}
		man=$source/man/$name.${manual: -2:1}
		if [[ ! -e $man ]]; then man+=.in; fi
		grep -qxF ".Ss $heading" "$man" || { echo "$manual has no \"$heading\"" && return 1; }
		((++count))
	done < <(paragraphs)
	echo "$count paragraphs"
	((count >= 20))
}
# Of every finding below, too: what is named is in the list, and each one that is not good names something.
each_finding_names_one() {
	local line
	while read -r line; do
		grep -qxF "$(sed -nE 's/.*See "(.*)" in (.*)\.$/\2|\1/p' <<<"$line")" <(paragraphs) || { echo "$line" && return 1; }
	done < <(grep -E '^(note|bad) ' "$all_said" | sort -u)
}
check 'every paragraph that doctor names is a heading of its manual' each_is_a_heading

# --- programs

program() { # NAME SOURCE FLAG...
	local name=$1 text=$2
	shift 2
	printf '%s\n' "$text" >"$name.c"
	"${CC:-gcc}" -w -o "$name" "$name.c" "$@"
}
nothing='int main(void) { return 0; }'
program dynamic "$nothing"
program static "$nothing" -static
library_with() { # NAME FUNCTION: and a program that is linked to it
	program "lib$1.so" "int $2(void) { return 0; }" -shared -fPIC -Wl,-soname,"lib$1.so"
	program "with-$1" "int $2(void); int main(void) { return $2(); }" "$scratch/lib$1.so" -Wl,-rpath,"\$ORIGIN"
}

check 'a program with the shared OpenSSL is good' refuses 0 '^good +OpenSSL, shared: .*/libssl.so.*binds to it' doctor "$servers/small_server"
check 'and nothing else is said of it' says_not 0 '^(bad|note)' doctor "$servers/small_server"
check 'a statically linked program is not covered' refuses 1 '^bad .*statically linked.*TLS proxy.*"Programs that are linked statically"' \
	doctor ./static
check 'a program without TLS is told of' refuses 0 '^note +no TLS is seen.*"Plain text"' doctor ./dynamic
check 'a program that loads its TLS is told of' refuses 0 '^note .*loads modules at run time.*"TLS that comes with a module"' \
	doctor "$servers/late_server"
for other in gnutls:gnutls_handshake:GnuTLS nss:SSL_ImportFD:NSS mbedtls:mbedtls_ssl_handshake:Mbed.TLS \
	wolfssl:wolfSSL_accept:wolfSSL s2n:s2n_negotiate:s2n-tls jvm:JNI_CreateJavaVM:Java boring:SSL_CTX_new:a.libssl.that.is.not; do
	IFS=: read -r name function called <<<"$other"
	library_with "$name" "$function"
	check "a program with $called is not covered" refuses 1 "^bad +its TLS is $called.*lib$name.so.*\"Other TLS libraries\"" \
		doctor "./with-$name"
done
program both 'int gnutls_handshake(void), SSL_CTX_new(void); int main(void) { return gnutls_handshake() + SSL_CTX_new(); }' \
	"$scratch/libgnutls.so" -lssl -Wl,-rpath,"$scratch"
check 'a program with OpenSSL and another can be covered, and both are told of' refuses 0 '^note +GnuTLS is in it too' doctor ./both
program hidden 'const char text[] = "/root/.cargo/registry/src/index/rustls-0.23.1/src/lib.rs"; int main(int c) { return text[c]; }'
check 'rustls is known by its texts' refuses 1 '^bad +its TLS is rustls' doctor ./hidden
program go 'const char text[] = "\xff Go buildinf:"; int main(int c) { return text[c]; }'
check 'a program of Go is not covered, dynamic or not' refuses 1 '^bad +a program of Go.*"Programs of Go"' doctor ./go
if [[ -x $servers/static_server ]]; then
	check 'an OpenSSL inside, without exports, is not covered' refuses 1 \
		'^bad +OpenSSL is linked into .*static_server.*"An OpenSSL inside the program"' doctor "$servers/static_server"
else
	skip 'an OpenSSL inside, without exports, is not covered' 'there is no static OpenSSL'
fi
if [[ -x $servers/whole_server ]]; then
	check 'an OpenSSL inside, with exports, is good' refuses 0 '^good +it carries an OpenSSL inside and exports' doctor "$servers/whole_server"
else
	skip 'an OpenSSL inside, with exports, is good' 'there is no static OpenSSL'
fi
if command -v musl-gcc >/dev/null; then
	musl-gcc -o musl dynamic.c
	check 'a program of musl can be covered, and is told of' refuses 0 '^note +it is linked to musl.*"Programs that are linked to musl"' \
		doctor ./musl
	musl-gcc -static -o musl-static dynamic.c
	check 'a static one is not covered' refuses 1 '^bad .*statically linked' doctor ./musl-static
else
	skip 'a program of musl can be covered, and is told of' 'musl-gcc is not here'
fi
{ head -c 4 dynamic && printf '\1' && tail -c +6 dynamic; } >other-size && chmod 755 other-size
check 'a program of another word size is not covered' refuses 1 '^bad .*another machine or word size.*"Programs for another machine"' \
	doctor ./other-size
head -c 200 dynamic >cut-off && chmod 755 cut-off
check 'a program that was cut off is judged, and nothing breaks' refuses 1 '^verdict ' doctor ./cut-off
printf '#!/usr/bin/env -S A=b perl -w\n' >script && chmod 755 script
check 'of a script, what env finds for it is looked at' refuses 0 "^script +for /usr/bin/perl\$" env PATH=/usr/bin "$cfshim" doctor ./script
printf '#!/bin/sh\n' >shell && chmod 755 shell
check 'of a shell script it says to ask for what that starts' refuses 0 '^note +a script for .*is what to ask for.*"What can be started"' \
	doctor ./shell
program needs-lost "int f(void); int main(void) { return f(); }" -Wl,--unresolved-symbols=ignore-all
program liblost.so 'int f(void) { return 0; }' -shared -fPIC -Wl,-soname,liblost.so
program needs-lost 'int f(void); int main(void) { return f(); }' "$scratch/liblost.so" && rm liblost.so
check 'a library that is not found is told of' refuses 0 '^note +liblost.so, which it needs, was not found' doctor ./needs-lost
printf '[port 443]\nca = /nowhere\n' >bad.conf
check 'a policy that does not load is told of' refuses 1 '^bad +the policy bad.conf does not load.*"A policy that does not load"' \
	doctor "$servers/small_server" --policy bad.conf

no_new_privileges=$(awk '$1 == "NoNewPrivs:" { print $2 }' /proc/self/status)
if ((EUID == 0)) && [[ $no_new_privileges == 0 ]] && ! findmnt -nT "$scratch" -o OPTIONS | grep -qw nosuid; then
	cp "$servers/small_server" setuid && chown 65533 setuid && chmod 4755 setuid
	cp "$servers/small_server" setuid-root && chmod 4755 setuid-root
	cp "$servers/small_server" capable && chmod 755 capable
	check 'a setuid program is not covered' refuses 1 '^bad .*setuid or setgid.*"Programs with raised privileges"' doctor ./setuid
	check 'one that raises others alone is told of' refuses 0 '^note +it is setuid: .*started by you it does' doctor ./setuid-root
	if setcap cap_net_bind_service+ep capable 2>/dev/null; then
		check 'a program with file capabilities is not covered' refuses 1 '^bad .*file capabilities.*"Programs with raised' \
			nobodys_doctor ./capable
		check 'to root it is told of' refuses 0 '^note +it is with file capabilities' doctor ./capable
	else
		rm capable
		skip 'a program with file capabilities is not covered' 'setcap cannot set any here'
	fi
fi

# --- processes

await_port() { # PORT
	local turn
	for ((turn = 0; turn < 200; turn++)); do
		if (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
		sleep 0.05
	done
	return 1
}
serve() { # PORT COMMAND...: a small server there; sets $pid
	local port=$1
	shift
	"$@" ca/server.pem ca/server.key 127.0.0.1 "$port" >>server.log 2>&1 </dev/null &
	pid=$!
	jobs+=("$pid")
	await_port "$port"
}
start() { # COMMAND...: that sleeps, under the library; sets $pid
	env LD_PRELOAD="${PRELOAD_FIRST:+$PRELOAD_FIRST:}$library" CFSHIM_POLICY="$scratch/policy.conf" "$@" &
	pid=$!
	jobs+=("$pid")
	sleep 0.5
}
end() { # the last one
	kill "$pid" && wait "$pid" 2>/dev/null
}
port=$(free_port)
printf '[port %s]\nca = %s/ca/ca.pem\n' "$port" "$scratch" >policy.conf

preload=${PRELOAD_FIRST:+$PRELOAD_FIRST:}$library
serve "$port" env LD_PRELOAD="$preload" CFSHIM_POLICY="$scratch/policy.conf" "$servers/small_server"
check 'a covered process is covered' refuses 0 '^verdict +covered$' doctor "$pid"
check 'its OpenSSL is named' refuses 0 '^good +covered: the OpenSSL in .*libssl' doctor "$pid"
check 'its endpoint and the section of it are named' refuses 0 "^127.0.0.1:$port +tcp +small_server\[$pid\] +port $port +covered" doctor "$pid"
check 'its policy is that of its environment' refuses 0 "^policy +$scratch/policy.conf \(named by its CFSHIM_POLICY\)" doctor "$pid"
cp policy.conf good.conf && echo garbage >policy.conf
check 'a policy that does not load is told of' refuses 1 '^bad .*policy.conf does not load.*keeps what it had.*"A policy that does not load"' doctor "$pid"
printf '[port %s]\nverify = off\n' "$port" >policy.conf
check 'a port that is open by policy is told of' refuses 0 "^note +127.0.0.1:$port: the policy demands no.*\"Ports that the policy" doctor "$pid"
cp good.conf policy.conf
if ((EUID == 0)); then
	check "another user's process is not vouched for" refuses 1 '^bad .*ask as root.*"What doctor cannot see"' nobodys_doctor "$pid"
fi
cp "$library" kept.so && rm "$library"
check 'a library that was deleted since is in it still, and told of' refuses 0 \
	'^note .*bin/libcfshim.so was deleted since.*"A library that was deleted or replaced"' doctor "$pid"
cp kept.so "$library"
check 'one that was replaced since, too' refuses 0 '^note .*bin/libcfshim.so was replaced since' doctor "$pid"
end

serve "$port" "$servers/small_server"
check 'a process without the library is not covered' refuses 1 '^bad +it was started without the library.*"Was the library loaded\?"' doctor "$pid"
check 'nor is its port' refuses 1 "^127.0.0.1:$port .*not covered" doctor "$pid" --policy policy.conf
end
serve "$port" env LD_PRELOAD="$scratch/gone/libcfshim.so" "$servers/small_server"
check 'a library that was not there: the process is not covered, and it says why' refuses 1 \
	'^bad +LD_PRELOAD names .*/gone/libcfshim.so, and there is no such file' doctor "$pid"
end
if ((EUID == 0)); then
	chmod 600 "$library"
	serve "$port" setpriv --reuid=65534 --regid=65534 --clear-groups env LD_PRELOAD="$library" "$servers/small_server"
	check 'a library that could not be read: the process is not covered, and it says why' refuses 1 \
		'^bad +LD_PRELOAD names .*which the user of the process may not read' doctor "$pid"
	end
	chmod 644 "$library"
fi
if [[ -e capable ]]; then
	serve "$port" setpriv --reuid=65534 --regid=65534 --clear-groups env LD_PRELOAD="$library" ./capable
	check 'a library dropped for file capabilities: not covered, and it says why' refuses 1 \
		'^bad +it was started in secure mode.*"Programs with raised privileges"' doctor "$pid"
	end
	serve "$port" setpriv --reuid=65534 --regid=65534 --clear-groups env LD_PRELOAD="$library" ./setuid-root
	check 'a library dropped for setuid: not covered, and it says why' refuses 1 '^bad +it was started in secure mode' doctor "$pid"
	end
fi
program static-sleeper '#include <unistd.h>
int main(void) { sleep(60); return 0; }' -static
start ./static-sleeper
check 'a static process is not covered, and it says why' refuses 1 '^bad +the program is statically linked' doctor "$pid"
end
start bash -c './static-sleeper & wait'
check 'a child that has lost the library is named' refuses 0 \
	'^note +static-sleeper\[[0-9]+\], which it started, has lost the library.*"Programs that the server executes"' doctor "$pid"
pkill -P "$pid"
end
program titled '#include <string.h>
#include <unistd.h>
int main(int c, char **v, char **e) { for (; *e; e++) memset(*e, 0, strlen(*e)); sleep(60); return 0; }'
start ./titled
check 'of an overwritten environment it says so' refuses 0 '^note +its environment cannot be read or was overwritten' doctor "$pid"
with_unit_environment() { CFSHIM_POLICY=$scratch/policy.conf doctor "$pid"; }
check 'and takes its own, which in a unit is the same' refuses 0 "^policy +$scratch/policy.conf \(taken to be\)" with_unit_environment
end
# One that serves has it from the library in it, wherever it is asked; nginx writes its title over what was its environment.
overwrote_environment() { [[ $(tr '\0' '\n' <"/proc/$1/environ") != *CFSHIM_POLICY=* ]]; }
if command -v nginx >/dev/null; then
	titled_port=$(free_port)
	printf '[port %s]\nca = %s/ca/ca.pem\n' "$titled_port" "$scratch" >titled.conf
	cat >nginx.conf <<-X
		daemon off; worker_processes 3; pid $scratch/nginx.pid; error_log $scratch/nginx.log; events {}
		http { access_log off; client_body_temp_path $scratch/t; proxy_temp_path $scratch/t; fastcgi_temp_path $scratch/t;
		uwsgi_temp_path $scratch/t; scgi_temp_path $scratch/t;
		server { listen 127.0.0.1:$titled_port ssl reuseport; ssl_certificate $scratch/ca/server.pem; ssl_certificate_key $scratch/ca/server.key; } }
	X
	env LD_PRELOAD="$preload" CFSHIM_POLICY="$scratch/titled.conf" nginx -c "$scratch/nginx.conf" 2>>server.log &
	titled=$!
	jobs+=("$titled")
	await_port "$titled_port"
	check 'nginx writes over its environment' overwrote_environment "$titled"
	check 'and says by the library in it which policy it has' refuses 0 "^policy +$scratch/titled.conf \(in force in it\)" \
		doctor "$titled"
	check 'so that its port is judged by that one' refuses 0 "^127.0.0.1:$titled_port +tcp +nginx.* port $titled_port +covered\$" \
		doctor "$titled" --policy policy.conf
	check 'and has one line for the sockets that share it' refuses 0 '^1$' \
		bash -c "\"$cfshim\" doctor $titled | grep -c ':$titled_port '"
	check 'and nothing is said to be unseen' says_not 0 'could not be seen' doctor "$titled"
	kill "$titled" && wait "$titled"
else
	skip 'nginx says by the library in it which policy it has' 'there is no nginx here'
fi
# Linked dynamically (cgo), one of Go has the library in it, and makes its system calls past it all the same.
program go-listener '#include <arpa/inet.h>
#include <stdlib.h>
#include <unistd.h>
const char text[] = "\xff Go buildinf:";
int main(int c, char **v) { struct sockaddr_in a = {AF_INET, htons(atoi(v[1])), {htonl(INADDR_LOOPBACK)}};
int s = socket(AF_INET, SOCK_STREAM, 0); bind(s, (void *)&a, sizeof(a)); listen(s, 5); sleep(60); return text[c]; }'
start ./go-listener "$port"
check 'a process of Go is not covered, though the library is in it' refuses 1 '^bad +a program of Go.*"Programs of Go"' doctor "$pid"
check 'nor is its port' refuses 1 "^127.0.0.1:$port .* not covered\$" doctor "$pid"
end
cp static-sleeper $'sl\e[31mep'
start ./$'sl\e[31mep'
check 'what a process is called is shown without its control bytes' says_not 1 $'\e' doctor "$pid"
check 'but by their numbers' refuses 1 '^process +sl\\x1b\[31mep\[' doctor "$pid"
end
# systemd starts what looks at a unit as soon as it has forked: the process is not yet the program.
(sleep 0.7 && exec env LD_PRELOAD="$preload" CFSHIM_POLICY="$scratch/policy.conf" "$servers/small_server" \
	ca/server.pem ca/server.key 127.0.0.1 "$port") >>server.log 2>&1 </dev/null &
pid=$!
jobs+=("$pid")
sleep 0.1
check 'a process that has not come so far is not covered' refuses 1 '^verdict +not covered' doctor "$pid"
await_port "$port"
check 'and is once it has' refuses 0 '^verdict +covered' doctor "$pid"
end

# --- the machine

if [[ -n $isolated ]]; then
	read -r named open passes bare plain udp < <(distinct_free_ports 6)
	printf '[port %s]\nca = %s/ca/ca.pem\n[port %s]\nverify = off\n[port 9, 127.0.0.1:%s]\n[port 10]\nverify = off\n' \
		"$named" "$scratch" "$open" "$udp" >policy.conf
	for each in "$named" "$open" "$passes"; do
		serve "$each" env LD_PRELOAD="$preload" CFSHIM_POLICY="$scratch/policy.conf" CFSHIM_LOG=off "$servers/small_server"
	done
	serve "$bare" "$servers/small_server"
	sockets='import socket, sys, time
kept = [socket.create_server((sys.argv[1], int(sys.argv[2])))]
kept.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
kept[1].bind((sys.argv[1], int(sys.argv[3])))
time.sleep(60)'
	/usr/bin/python3 -ISc "$sockets" 0.0.0.0 "$plain" "$udp" &
	jobs+=($!)
	await_port "$plain"
	machine() { doctor --all --policy policy.conf; }
	for row in "127.0.0.1:$named +tcp .* port $named +covered" "127.0.0.1:$open +tcp .* port $open +covered, open by policy" \
		"127.0.0.1:$passes +tcp .* port \\* +covered, plain text passes" "127.0.0.1:$bare +tcp .* not covered" \
		"0.0.0.0:$plain +tcp .* plain text, open to strangers" "0.0.0.0:$udp +udp .* plain text, open to strangers"; do
		check "of the machine: ${row##*[0-9*] }" refuses 1 "^$row\$" machine
	done
	check 'each listener has one line' refuses 0 '^6$' bash -c "\"$cfshim\" doctor --all --policy policy.conf | grep -cE ':[0-9]+ +(tcp|udp)'"
	check 'a section that no listener falls to is named, by its line' refuses 1 '^note +\[port 10\], line 6 of .*/policy.conf: no listener' machine
	check 'one of which a listener on all addresses meets a part is not' says_not 1 '^note +\[port 9' machine
	check 'what is not covered is a bad finding' refuses 1 "^bad +127.0.0.1:$bare: not covered.*\"Was the library" machine
	nobodys_machine() { nobodys_doctor --all --policy policy.conf; }
	check 'somebody else is told what could not be seen' refuses 1 '^note +[0-9]+ processes could not be looked into: ask as root' nobodys_machine
	check 'and that is not good' refuses 1 '^verdict +not all could be seen' nobodys_machine
	"$cfshim" doctor --all --policy policy.conf >wide
	short() { awk 'length > 80 && !/[^ ]{60}/ { print; found = 1 } END { exit found }' wide; }
	check 'nothing is wider than 80 columns' short
	kill "${jobs[@]}" 2>/dev/null
	wait 2>/dev/null
	printf '[port 9]\nverify = off\n' >policy.conf
	check 'a machine where nothing listens is good' refuses 0 '^verdict +all that listens is covered' doctor --all
	colored() { TERM=xterm script -qec "$1" /dev/null; }
	check 'on a terminal there is colour' refuses 0 $'\e\\[1mverdict' colored "$cfshim doctor --all"
	check 'NO_COLOR takes it away' says_not 0 $'\e' colored "NO_COLOR=1 $cfshim doctor --all"
	check 'and elsewhere there is none' says_not 0 $'\e' doctor --all
else
	skip 'what is said of the machine' 'it takes root, and namespaces'
fi

# --- what confines

if [[ -n $isolated ]] && mkdir -p /etc/apparmor.d && mount -t tmpfs tmpfs /etc/apparmor.d && mount -t tmpfs tmpfs /sys; then
	mkdir -p /sys/module/apparmor/parameters /etc/apparmor.d/{abstractions,tunables,local}
	printf '[port 443]\n' >policy.conf
	ask() { doctor "$scratch/dynamic" --policy "$scratch/policy.conf"; }
	profile() { cat >/etc/apparmor.d/test; }
	echo '@{top}=/nowhere '"${scratch%/*}" >/etc/apparmor.d/tunables/global
	echo "  @{top}/${scratch##*/}/{bin,lib}/lib*.so* rm," >/etc/apparmor.d/abstractions/base
	profile <<-X
		include <tunables/global>
		# a comment, with { braces }
		profile test @{top}/${scratch##*/}/dyna{m,n}ic flags=(attach_disconnected) {
		  #include <abstractions/base>
		  capability net_admin,
		  owner $scratch/policy.conf r,
		  /etc/ssl/** r,
		  profile child { $scratch/policy.conf r, }
		}
	X
	check 'where AppArmor is off its profiles mean nothing' says_not 0 'AppArmor|^bad' ask
	echo Y >/sys/module/apparmor/parameters/enabled
	check 'a profile that hides the policy is named, with what to add' refuses 1 \
		"^bad +the profile test keeps the program from reading $scratch/policy.conf.*\`$scratch/policy.conf r,\`.*\"AppArmor\"" ask
	check 'and what an included abstraction allows is seen' says_not 1 'from mapping' ask
	echo "$scratch/*.conf r," >/etc/apparmor.d/local/test
	sed -i 's,^  /etc/ssl,  include if exists <local/test>\n&,' /etc/apparmor.d/test
	check 'with a local rule it is good' refuses 0 '^good +AppArmor: the profile test lets it have' ask
	echo "deny $scratch/bin/** m," >>/etc/apparmor.d/local/test
	check 'a rule that denies the library is seen' refuses 1 "^bad +the profile test keeps the program from mapping $library" ask
	sed -i 's/attach_disconnected/attach_disconnected,complain/' /etc/apparmor.d/test
	check 'a profile that only complains keeps nobody' says_not 0 '^bad' ask
	printf '%s flags=(attach_disconnected) {\n  file,\n}\n' "$scratch/*" | profile
	check 'a profile without a name, and for all files, is good' refuses 0 '^good +AppArmor' ask
	printf '%s {\n  /usr/** mr,\n}\n' "$scratch/other" | profile
	check 'a profile of another program means nothing' says_not 0 'AppArmor' ask
	rm /sys/module/apparmor/parameters/enabled

	mkdir -p /sys/fs/selinux && echo 1 >/sys/fs/selinux/enforce
	check 'where SELinux enforces, the type of the library is asked for' refuses 1 '^bad +SELinux enforces, and .*"SELinux"' ask
	if setfattr -n security.selinux -v system_u:object_r:lib_t:s0 "$library" 2>/dev/null; then
		check 'with lib_t it is good, and what could not be seen is said' refuses 0 '^note +SELinux enforces: a program that changes' ask
	else
		skip 'with lib_t it is good' 'its label cannot be set here'
	fi
	echo 0 >/sys/fs/selinux/enforce
	check 'where it only complains it means nothing' says_not 0 'SELinux' ask

	mkdir -p /etc/fapolicyd && mount -t tmpfs tmpfs /etc/fapolicyd
	cp static-sleeper fapolicyd
	./fapolicyd &
	jobs+=($!)
	sleep 0.2
	check 'of trust that is nowhere to be seen it says so' refuses 0 '^note +fapolicyd runs.*could not be seen.*"fapolicyd"' ask
	trust() { echo "$library $(stat -c %s "$library") $1" >/etc/fapolicyd/fapolicyd.trust; }
	trust "$(sha256sum <"$library" | cut -d' ' -f1)"
	check 'a library that is trusted is good' refuses 0 '^good +fapolicyd trusts' ask
	trust "$(sha256sum </dev/null | cut -d' ' -f1)"
	check 'one that is trusted with another digest is not' refuses 1 '^bad +fapolicyd trusts .*another size or digest' ask
	kill "${jobs[@]}" 2>/dev/null
else
	skip 'what is said of AppArmor, SELinux and fapolicyd' 'they are made up in a mount namespace, and that takes root'
fi

check 'each finding that was not good named its paragraph' each_finding_names_one
finish
