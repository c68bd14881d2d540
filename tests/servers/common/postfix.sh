# shellcheck shell=bash
# postfix.sh - Postfix, whose master executes the processes that speak TLS with an environment of its own.  $wrapper: "yes" for TLS
# from the start; $chrooted: "y" for a chroot.
needs /usr/lib/postfix/sbin/master postconf
configure() {
	user postfix 973
	user postdrop 974
	mkdir -p "$work/etc" "$work/queue" "$work/data"
	chown postfix "$work/data"
	file etc/main.cf <<-X
		compatibility_level = 3.6
		queue_directory = $work/queue
		data_directory = $work/data
		command_directory = /usr/sbin
		daemon_directory = /usr/lib/postfix/sbin
		mail_owner = postfix
		setgid_group = postdrop
		myhostname = localhost
		mydestination =
		mynetworks = 127.0.0.0/8
		inet_interfaces = 127.0.0.1
		inet_protocols = ipv4
		maillog_file = /dev/stdout
		maillog_file_prefixes = /dev
		smtpd_tls_chain_files = $key $certificate
		smtpd_tls_security_level = may
		smtpd_tls_wrappermode = ${wrapper:-no}
		smtp_tls_security_level = none
		alias_maps =
		local_recipient_maps =
	X
	file etc/master.cf <<-X
		$(each_port "127.0.0.1:@ inet n - ${chrooted:-n} - - smtpd")
		rewrite unix - - n - - trivial-rewrite
		anvil unix - - n - 1 anvil
		tlsmgr unix - - n 1000? 1 tlsmgr
		cleanup unix n - n - 0 cleanup
		proxymap unix - - n - - proxymap
		bounce unix - - n - 0 bounce
		qmgr unix n - n 300 1 qmgr
		postlog unix-dgram n - n - 1 postlogd
	X
	postfix -c "$work/etc" check >"$work/check.log" 2>&1 || {
		cat "$work/check.log"
		return 1
	}
}
launch() { serve env MAIL_CONFIG="$work/etc" /usr/lib/postfix/sbin/master -c "$work/etc" -s; }
