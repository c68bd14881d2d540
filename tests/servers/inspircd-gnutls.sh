#!/bin/bash
# InspIRCd with its module for GnuTLS: IRC.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
module=gnutls
cover=none
needs inspircd "/usr/lib/inspircd/modules/m_ssl_$module.so"
configure() {
	user irc 39
	mkdir -m 777 "$work/irc"
	file inspircd.conf <<-X
		<server name="irc.test" description="x" id="97K" network="x">
		<admin name="x" nick="x" email="x@x.test">
		<module name="cap">
		<module name="ssl_$module">
		<sslprofile name="p" provider="$module" certfile="$certificate" keyfile="$key" $([[ $module == openssl ]] && echo 'tlsv1="no" requestclientcert="no"' || echo 'requestclientcert="no"')>
		$(each_port '<bind address="127.0.0.1" port="@" type="clients" sslprofile="p">')
		<connect name="all" allow="*" maxchans="20" timeout="20" localmax="100" globalmax="100" resolvehostnames="no" useident="no">
		<class name="x" commands="">
		<files motd="/dev/null">
		<path configdir="$work" datadir="$work/irc" logdir="$work/irc" runtimedir="$work/irc">
		<pid file="$work/irc/pid">
		<log method="stderr" type="* -USERINPUT -USEROUTPUT" level="default" target="-">
	X
	chown -R irc "$work/irc"
}
launch() { serve setpriv --reuid=39 --regid=39 --clear-groups inspircd --config="$work/inspircd.conf" --nofork --nopid --nolog; }
request='CAP LS\r\n' answer='CAP \* LS'
run_server
