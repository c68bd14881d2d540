#!/bin/bash
# lighttpd with its module for wolfSSL.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
module=wolfssl
# shellcheck source=tests/servers/common/lighttpd.sh
source "$here/lighttpd.sh"
cover=none answer='hello from lighttpd'
run_server
