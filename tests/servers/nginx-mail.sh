#!/bin/bash
# nginx's mail module: it greets, and takes IMAP's STARTTLS by itself.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs nginx /usr/lib/nginx/modules/ngx_mail_module.so
configure() {
	file nginx.conf <<-X
		load_module /usr/lib/nginx/modules/ngx_mail_module.so;
		daemon off; pid nginx.pid; error_log stderr info; user nobody nogroup;
		events {}
		mail {
			ssl_certificate $certificate; ssl_certificate_key $key; ssl_protocols TLSv1.2 TLSv1.3;
			server_name localhost; auth_http 127.0.0.1:1/;
			$(each_port 'server { listen 127.0.0.1:@; protocol imap; starttls on; }')
		}
	X
}
launch() { serve nginx -p "$work" -e stderr -c nginx.conf; }
starttls=imap request='b CAPABILITY\r\n' answer='IMAP4rev1'
run_server
