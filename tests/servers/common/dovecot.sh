# shellcheck shell=bash
# dovecot.sh - Dovecot, whose master executes the process that speaks TLS, in memory.  $implicit_tls: "yes" for TLS from the start.
nl=$'\n'
needs dovecot /usr/lib/dovecot/imap
configure() {
	user dovecot 971
	user dovenull 972
	mkdir -p "$work/run" "$work/state" "$work/mail"
	chmod 777 "$work/mail"
	echo "u:{PLAIN}p:65534:65534::$work/mail" | file passwd
	file dovecot.conf <<-X
		base_dir = $work/run
		state_dir = $work/state
		protocols = imap
		listen = 127.0.0.1
		log_path = /dev/stderr
		ssl = yes
		ssl_cert = <$certificate
		ssl_key = <$key
		mail_location = mbox:$work/mail:INBOX=$work/mail/inbox
		first_valid_uid = 100
		passdb {
		  driver = passwd-file
		  args = $work/passwd
		}
		userdb {
		  driver = passwd-file
		  args = $work/passwd
		}
		service imap-login {
		  inet_listener imap {
		    port = 0
		  }
		  inet_listener imaps {
		    port = 0
		  }
		$(each_port "  inet_listener p@ {${nl}    port = @${nl}    ssl = ${implicit_tls:-no}${nl}  }")
		}
	X
}
launch() { serve dovecot -F -c dovecot.conf; }
