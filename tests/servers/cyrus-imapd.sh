#!/bin/bash
# Cyrus IMAP: its master executes the processes that speak TLS.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/sbin/cyrmaster /usr/lib/cyrus/bin/imapd
configure() {
	user cyrus 979
	mkdir -p "$work/lib" "$work/spool" "$work/run" "$work/lib/socket" "$work/lib/proc" "$work/lib/log" "$work/lib/db" "$work/lib/quota" "$work/lib/user"
	chown -R cyrus "$work/lib" "$work/spool" "$work/run"
	file imapd.conf <<-X
		configdirectory: $work/lib
		defaultpartition: default
		partition-default: $work/spool
		proc_path: $work/run/proc
		mboxname_lockpath: $work/run/lock
		tls_server_cert: $certificate
		tls_server_key: $key
		tls_session_timeout: 0
		allowplaintext: yes
		sasl_mech_list: PLAIN
		servername: localhost
	X
	file cyrus.conf <<-X
		START {
		  recover cmd="/usr/lib/cyrus/bin/ctl_cyrusdb -C $work/imapd.conf -r"
		}
		SERVICES {
		$(each_port "  p@ cmd=\"imapd -C $work/imapd.conf -s\" listen=\"127.0.0.1:@\" prefork=0 proto=tcp4")
		}
		EVENTS {
		}
	X
}
launch() { serve cyrmaster -C "$work/imapd.conf" -M "$work/cyrus.conf" -p "$work/run/pid" -L "$work/server.log"; }
request='a CAPABILITY\r\nb LOGOUT\r\n' answer='b OK' host_log='^D N|cyrus'
run_server
