#!/bin/bash
# table.sh - what clients see of refusals: nginx's own (ssl_verify_client on; with error_page to 403; to 444) beside nginx under
# the library with the same meaning.  In each cell: the status and the bytes of the page, or curl's own words; then what TLS said
# last, and how TCP ended.  Prints a table in Markdown: tests/refusals/README.md is one.
#
# BUILD  where the library and the command are
set -euo pipefail
BUILD=$(realpath "${BUILD:-build}")
PATH=$PATH:/usr/sbin
wire=$PWD/tests/refusals/wire.py
scratch=$(mktemp -d)
servers=()
finish() {
	if ((${#servers[@]} > 0)); then kill "${servers[@]}" 2>/dev/null || :; fi
	wait
	rm -rf "$scratch"
}
trap finish EXIT
cd "$scratch"
"$BUILD/cfshim" test-ca ca >/dev/null

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; } # PORT

port=20000
next_port() {
	while ! port_is_free $((++port)); do :; done
}

# An nginx with those lines in its server section; under the library where REFUSE is not empty.
start() { # LINES REFUSE
	next_port
	mkdir "$port"
	cat >"$port/nginx.conf" <<-END
		daemon off;
		worker_processes 1;
		pid nginx.pid;
		error_log errors;
		events { worker_connections 64; }
		http {
		access_log off;
		client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
		server {
		listen 127.0.0.1:$port ssl http2;
		ssl_certificate $scratch/ca/server.pem;
		ssl_certificate_key $scratch/ca/server.key;
		ssl_protocols TLSv1.2 TLSv1.3;
		$1
		location / { return 200 'the answer of the server'; }
		location /forbidden { return 403; }
		location /nothing { return 444; }
		}
		}
	END
	if [[ -n $2 ]]; then
		printf '[port %s]\nca = %s/ca/ca.pem\nrefuse = %s\n' "$port" "$scratch" "$2" >"$port/policy.conf"
		CFSHIM_POLICY=$scratch/$port/policy.conf CFSHIM_LOG=off LD_PRELOAD=$BUILD/libcfshim.so \
			nginx -p "$scratch/$port" -c nginx.conf 2>/dev/null &
	else
		nginx -p "$scratch/$port" -c nginx.conf 2>/dev/null &
	fi
	servers+=($!)
	ports+=("$port")
	for _ in {1..100}; do
		if ! port_is_free "$port"; then return; fi
		sleep 0.05
	done
	echo "table.sh: nginx does not start" >&2
	exit 1
}

# "403, 106 bytes", or curl's own words: its number and what it says, without the numbers of OpenSSL's errors.
curl_shows() { # PORT TLS HTTP CERTIFICATE
	local words=(-sk -m 5 -o /dev/null --tlsv1.2 --tls-max "$2" "--http$3" -w '%{http_code}, %{size_download} bytes\n%{exitcode} %{errormsg}')
	local answer
	if [[ $4 != none ]]; then words+=(--cert "ca/$4.pem" --key "ca/$4.key"); fi
	answer=$(curl "${words[@]}" "https://127.0.0.1:$1/") || :
	if [[ $answer != 000* ]]; then
		head -n 1 <<<"$answer"
		return
	fi
	sed -n '2{s/error:[0-9A-F]*:[^:]*:[^:]*://; s/OpenSSL SSL_[a-z]*: //; s/OpenSSL\/[0-9.]*: //; s/ in connection to [^ ]*//; s/, errno [0-9]*//; s/ *$//
		s/^/curl /; p}' <<<"$answer"
}

ask() { # PORT TLS HTTP CERTIFICATE
	local certificate=()
	if [[ $4 != none ]]; then certificate=("$scratch/ca/$4.pem"); fi
	echo "$(curl_shows "$@"); $(/usr/bin/python3 -IS "$wire" "$1" "$2" "$3" "${certificate[@]}")"
}

ports=()
demand="ssl_verify_client on; ssl_client_certificate $scratch/ca/ca.pem;"
start "$demand" ''
start '' 'reject 400'
start "$demand error_page 495 496 =403 /forbidden;" ''
start '' 'reject 403'
start "$demand error_page 495 496 = /nothing;" ''
start '' close
start '' reject

# shellcheck disable=SC2016 # Markdown
echo '| certificate | TLS | HTTP | nginx: 400 | `reject 400` | nginx: 403 | `reject 403` | nginx: 444 | `close` | `reject` |'
echo '|---|---|---|---|---|---|---|---|---|---|'
for certificate in none self-signed other expired edge; do
	for tls in 1.2 1.3; do
		for http in 1.1 2; do
			printf '| %s | %s | %s |' "$certificate" "$tls" "$http"
			for at in "${ports[@]}"; do printf ' %s |' "$(ask "$at" "$tls" "$http" "$certificate")"; done
			echo
		done
	done
done
