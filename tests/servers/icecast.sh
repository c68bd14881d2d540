#!/bin/bash
# Icecast, whose status page is asked for.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs icecast2
configure() {
	mkdir -p "$work/log"
	chmod 777 "$work/log"
	file icecast.xml <<-X
		<icecast>
		<limits><clients>10</clients><sources>2</sources></limits>
		<authentication><source-password>a</source-password><admin-user>b</admin-user><admin-password>c</admin-password></authentication>
		<hostname>localhost</hostname>
		$(each_port '<listen-socket><port>@</port><bind-address>127.0.0.1</bind-address><ssl>1</ssl></listen-socket>')
		<paths><logdir>$work/log</logdir><webroot>/usr/share/icecast2/web</webroot><adminroot>/usr/share/icecast2/admin</adminroot>
		<ssl-certificate>$pair</ssl-certificate></paths>
		<logging><errorlog>-</errorlog><accesslog>access.log</accesslog><loglevel>3</loglevel></logging>
		<security><changeowner><user>nobody</user><group>nogroup</group></changeowner></security>
		</icecast>
	X
}
launch() { serve icecast2 -c icecast.xml; }
request='GET /status-json.xsl HTTP/1.0\r\nHost: localhost\r\n\r\n' answer='icestats' host_log=' INFO '
run_server
