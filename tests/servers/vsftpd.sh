#!/bin/bash
# vsftpd: FTP's AUTH TLS, a process for each session, in a chroot; and data connections to other ports.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs vsftpd curl
ports_wanted=1
data_ports=21100-21109
configure() {
	mkdir -p "$work/ftp" "$work/empty"
	echo 'hello from vsftpd' >"$work/ftp/hello"
	chmod 555 "$work/ftp" "$work/empty"
	file vsftpd.conf <<-X
		listen=YES
		listen_address=127.0.0.1
		listen_port=${ports[0]}
		background=NO
		anonymous_enable=YES
		local_enable=NO
		anon_root=$work/ftp
		ftp_username=daemon
		nopriv_user=nobody
		secure_chroot_dir=$work/empty
		ssl_enable=YES
		allow_anon_ssl=YES
		require_ssl_reuse=NO
		pasv_address=127.0.0.1
		pasv_min_port=${data_ports%-*}
		pasv_max_port=${data_ports#*-}
		ssl_ciphers=HIGH
		rsa_cert_file=$certificate
		rsa_private_key_file=$key
		seccomp_sandbox=NO
	X
}
launch() { serve vsftpd "$work/vsftpd.conf"; }
starttls=ftp request='USER anonymous\r\nQUIT\r\n' answer='^331 '

# curl speaks FTP with all of its TLS, and has its certificate on both connections.
has_file() { # CERTIFICATE
	local said
	said=$(curl -sSk --max-time 10 --noproxy '*' --ssl-reqd --cert "$work/ca/$1.pem" --key "$work/ca/$1.key" \
		"ftp://127.0.0.1:${ports[0]}/hello" 2>&1)
	echo "curl: $said"
	[[ $said == 'hello from vsftpd' ]]
}
data_is_refused() {
	if has_file edge; then return 1; fi
	grep -E " refused reason=untrusted-issuer port=211[0-9]+ " "$work/shim.log"
}
more() {
	start_or_give_up 'with its data ports named' "$(policy_of reject "${ports[0]}")
[port $data_ports]
ca = $work/ca/ca.pem"
	check "$name gives the edge a file by a data connection whose port is named" has_file edge
	stop
	start_or_give_up 'with data ports that no section names' "$(policy_of reject "${ports[0]}")"
	check "$name: a data connection whose port is not named is held to [port *]" data_is_refused
	stop
}
run_server
