#!/bin/bash
# OpenVPN: TLS in packets of its own protocol, which it takes apart itself; over UDP, and over TCP.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs openvpn /dev/net/tun
ports_wanted=1
configure() {
	if ((${#ports[@]} > 0)); then port=${ports[0]} ports=(); fi # none that a client of TLS could knock at
	fingerprint=$(openssl x509 -in "$certificate" -noout -fingerprint -sha256) || return
	printf 'user\npassword\n' | file login
	chmod 600 "$work/login"
	file server.conf <<-X
		mode server
		tls-server
		proto $transport
		local 127.0.0.1
		port $port
		dev tun
		ifconfig-noexec
		ca $work/ca/ca.pem
		cert $certificate
		key $key
		dh none
		verify-client-cert none
		script-security 3
		auth-user-pass-verify /bin/true via-env
		username-as-common-name
		data-ciphers AES-128-GCM
		user nobody
		group nogroup
	X
}
launch() {
	serve openvpn --config "$work/server.conf"
	await_words "$work/server.log" 'Initialization Sequence Completed' "$server"
}

await_words() { # FILE WORDS PROCESS
	local turn
	for ((turn = 0; turn < start_limit * 20; turn++)); do
		if grep -qF "$2" "$1"; then return; fi
		if ! kill -0 "$3" 2>/dev/null; then return 1; fi
		sleep 0.05
	done
	return 1
}

# As far as the tunnel: the keys for what goes through it are agreed upon, and the settings have come.
connects() { # CERTIFICATE|''
	local client status=0 options=(--cert "$work/ca/$1.pem" --key "$work/ca/$1.key")
	if [[ -z $1 ]]; then options=(); fi
	timeout 30 openvpn --client --dev null --remote 127.0.0.1 "$port" --proto "${transport/server/client}" --nobind --verb 3 \
		--peer-fingerprint "${fingerprint#*=}" --auth-user-pass "$work/login" --data-ciphers AES-128-GCM --hand-window 5 \
		--connect-retry-max 1 --remap-usr1 SIGTERM ${options[@]+"${options[@]}"} >"$work/client.log" 2>&1 </dev/null &
	client=$!
	await_words "$work/client.log" 'Initialization Sequence Completed' "$client" || status=1
	kill "$client" 2>/dev/null
	wait "$client"
	tail -n 4 "$work/client.log"
	return "$status"
}
stays_out() { # CERTIFICATE|'' REASON
	local before
	before=$(refusals)
	if connects "$1"; then return 1; fi
	tail -n "+$((before + 1))" <(grep -E ' (refused|observed) ' "$work/shim.log") | grep -F " refused reason=$2 "
}
keeps_out_all() { stays_out '' "$1" && stays_out edge "$1"; } # REASON

with_policy() { # NAME WORDS FUNCTION ARGUMENT...; the policy on standard input
	start_or_give_up "$1" "$(cat)"
	check "$name over $transport $2" "${@:3}"
}
run_transport() {
	start_or_give_up "over $transport, without the shim" ''
	check "$name over $transport, without the shim, has a stranger in its network" connects ''
	stop
	with_policy 'with the port open' 'has a stranger in its network where its port is open' connects '' <<-X
		[port $port]
		verify = off
		[port *]
		ca = $work/ca/ca.pem
	X
	stop
	with_policy 'with the port enforced' 'takes nobody in where its port is named and enforced' \
		keeps_out_all "$named_reason" <<-X
			[port $port]
			ca = $work/ca/ca.pem
		X
	stop
}
under_any_port() { printf '[port *]\nca = %s\n' "$work/ca/ca.pem"; }

transport=udp named_reason=uncovered-tls
furnish
run_transport
with_policy 'under [port *]' 'refuses a stranger where no section names its port' stays_out '' no-certificate < <(under_any_port)
check "$name over udp refuses a certificate of another CA" stays_out other untrusted-issuer
check "$name over udp has the edge in its network" connects edge
stop
transport=tcp-server named_reason=plaintext
configure
run_transport
with_policy 'under [port *]' 'takes nobody in where no section names its port' keeps_out_all uncovered-tls < <(under_any_port)
stop
finish
