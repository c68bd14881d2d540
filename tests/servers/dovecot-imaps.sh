#!/bin/bash
# Dovecot with TLS from the start, as IMAPS.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
# shellcheck source=tests/servers/common/dovecot.sh
source "$here/dovecot.sh"
implicit_tls=yes
request='b LOGIN u p\r\nc SELECT INBOX\r\nd LOGOUT\r\n' answer='c OK' host_log='^D N .*(Login|Logged|Aborted|Disconnected|Info)'
alerts=no
run_server
