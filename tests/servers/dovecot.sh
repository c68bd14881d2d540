#!/bin/bash
# Dovecot: IMAP's STARTTLS, spoken by a process that its master executes, in memory.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
# shellcheck source=tests/servers/common/dovecot.sh
source "$here/dovecot.sh"
starttls=imap
request='b LOGIN u p\r\nc SELECT INBOX\r\nd LOGOUT\r\n' answer='c OK' host_log='^D N .*(Login|Logged|Aborted|Disconnected|Info)'
alerts=no
run_server
