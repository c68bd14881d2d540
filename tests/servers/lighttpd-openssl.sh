#!/bin/bash
# lighttpd with its module for OpenSSL, which has a ClientHello callback of its own.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
module=openssl
# shellcheck source=tests/servers/common/lighttpd.sh
source "$here/lighttpd.sh"
answer='hello from lighttpd'
run_server
