#!/bin/bash
# Postfix with TLS from the start, as SMTPS, in a chroot.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
# shellcheck source=tests/servers/common/postfix.sh
source "$here/postfix.sh"
wrapper=yes chrooted=y
request='EHLO test\r\nMAIL FROM:<a@example.org>\r\nQUIT\r\n' answer='^250 2.1.0 Ok' host_log='postfix/(smtpd|anvil|master|tlsmgr|postlog)'
run_server
