#!/bin/bash
# Pure-FTPd: AUTH TLS, a process for each session.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs pure-ftpd
ports_wanted=1
configure() {
	echo 'ftp:x:978:978::/mnt/work/ftp:/bin/false' >>/etc/passwd
	mkdir -p "$work/ftp" /etc/ssl/private
	cp "$pair" /etc/ssl/private/pure-ftpd.pem
	chmod 600 /etc/ssl/private/pure-ftpd.pem
}
launch() { serve pure-ftpd -S "127.0.0.1,${ports[0]}" -Y 1 -e -4 -H -g "$work/pid"; }
starttls=ftp request='USER anonymous\r\nPASS a@b\r\nPWD\r\nQUIT\r\n' answer='^230 .*^257 '
run_server
