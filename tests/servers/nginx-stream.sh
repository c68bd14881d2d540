#!/bin/bash
# nginx's stream module: TLS before a plain HTTP server.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs nginx /usr/lib/nginx/modules/ngx_stream_module.so
configure() { :; }
launch() {
	upstream
	file nginx.conf <<-X
		load_module /usr/lib/nginx/modules/ngx_stream_module.so;
		daemon off; pid nginx.pid; error_log stderr info; user nobody nogroup;
		events {}
		stream {
			ssl_certificate $certificate; ssl_certificate_key $key; ssl_protocols TLSv1.2 TLSv1.3;
			$(each_port "server { listen 127.0.0.1:@ ssl; proxy_pass 127.0.0.1:$spare; }")
		}
	X
	serve nginx -p "$work" -e stderr -c nginx.conf
}
answer='hello from upstream'
run_server
