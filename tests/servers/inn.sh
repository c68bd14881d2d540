#!/bin/bash
# INN's nnrpd with TLS from the start, a process for each connection.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/lib/news/bin/nnrpd
ports_wanted=1
configure() {
	user news 9
	cp "$certificate" "$work/inn.pem"
	cp "$key" "$work/inn.key"
	chown news "$work/inn.key"
	chmod 400 "$work/inn.key"
	mkdir -p /run/news /var/lib/news /var/spool/news /var/log/news
	printf '%s\n' 'mta: "/bin/true"' 'organization: x' 'ovmethod: tradindexed' 'hismethod: hisv6' 'enableoverview: true' 'pathnews: /usr/lib/news' \
		'pathhost: localhost' 'domain: localhost' "tlscertfile: $work/inn.pem" "tlskeyfile: $work/inn.key" 'tlscapath: /etc/news' >/etc/news/inn.conf
	printf 'auth all { auth: "x" \n default: "u" }\naccess all { users: "*" \n newsgroups: "*" }\n' >/etc/news/readers.conf
	: >/var/lib/news/active
	: >/var/lib/news/newsgroups
	chown -R news /run/news /var/lib/news
}
launch() { serve /usr/lib/news/bin/nnrpd -D -f -S -p "${ports[0]}" -b 127.0.0.1; }
request='DATE\r\nQUIT\r\n' answer='^(111|205|20[01]|48|40) '
run_server
