# shellcheck shell=bash
# lighttpd.sh - lighttpd with one of its TLS modules.  $module: openssl, gnutls, mbedtls, nss, wolfssl.
needs lighttpd "/usr/lib/lighttpd/mod_$module.so"
configure() {
	mkdir -p "$work/www"
	echo 'hello from lighttpd' >"$work/www/index.html"
	: | file access
	chmod 666 "$work/access"
	file lighttpd.conf <<-X
		server.modules = ("mod_$module", "mod_accesslog")
		accesslog.filename = "$work/access"
		server.document-root = "$work/www"
		server.bind = "127.0.0.1"
		server.port = ${ports[0]}
		server.username = "nobody"
		server.groupname = "nogroup"
		index-file.names = ("index.html")
		ssl.pemfile = "$pair"
		ssl.engine = "enable"
		ssl.openssl.ssl-conf-cmd = ("MinProtocol" => "TLSv1.2")
		$(each_port '$SERVER["socket"] == "127.0.0.1:@" { ssl.engine = "enable" }' | tail -n +2)
	X
}
launch() { serve lighttpd -D -f lighttpd.conf; }
# shellcheck disable=SC2034 # for refusals.sh
access_line='"GET / HTTP' http2=yes
