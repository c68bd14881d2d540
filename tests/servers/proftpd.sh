#!/bin/bash
# ProFTPD with mod_tls, whose virtual servers share a process: AUTH TLS.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs proftpd /usr/lib/proftpd/mod_tls.so
configure() {
	mkdir -p "$work/ftp"
	chmod 600 "$key"
	file proftpd.conf <<-X
		LoadModule mod_tls.c
		ServerType standalone
		DefaultServer on
		UseIPv6 off
		User nobody
		Group nogroup
		PidFile $work/pid
		ScoreboardFile $work/scoreboard
		DelayEngine off
		WtmpLog off
		SystemLog none
		TransferLog none
		Port 0
		$(each_port "<VirtualHost 127.0.0.1>${nl}Port @${nl}TLSEngine on${nl}TLSLog $work/tls.log${nl}TLSProtocol TLSv1.2 TLSv1.3${nl}TLSECCertificateFile $certificate${nl}TLSECCertificateKeyFile $key${nl}<Anonymous $work/ftp>${nl}User nobody${nl}Group nogroup${nl}UserAlias anonymous nobody${nl}RequireValidShell off${nl}</Anonymous>${nl}</VirtualHost>")
	X
}
launch() { serve proftpd -n -c "$work/proftpd.conf"; }
nl=$'\n' host_logs=(tls.log) host_log='mod_tls'
starttls=ftp request='USER anonymous\r\nQUIT\r\n' answer='^331 '
run_server
