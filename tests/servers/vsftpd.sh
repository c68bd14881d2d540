#!/bin/bash
# vsftpd: FTP's AUTH TLS, a process for each session, in a chroot.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs vsftpd
ports_wanted=1
configure() {
	mkdir -p "$work/ftp" "$work/empty"
	chmod 555 "$work/ftp" "$work/empty"
	file vsftpd.conf <<-X
		listen=YES
		listen_address=127.0.0.1
		listen_port=${ports[0]}
		background=NO
		anonymous_enable=YES
		local_enable=NO
		anon_root=$work/ftp
		ftp_username=nobody
		nopriv_user=nobody
		secure_chroot_dir=$work/empty
		ssl_enable=YES
		allow_anon_ssl=YES
		ssl_ciphers=HIGH
		rsa_cert_file=$certificate
		rsa_private_key_file=$key
		seccomp_sandbox=NO
	X
}
launch() { serve vsftpd "$work/vsftpd.conf"; }
starttls=ftp request='USER anonymous\r\nQUIT\r\n' answer='^331 '
run_server
