#!/bin/bash
# lighttpd with its module for mbedTLS.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
module=mbedtls
# shellcheck source=tests/servers/common/lighttpd.sh
source "$here/lighttpd.sh"
cover=none versions=1.2 answer='hello from lighttpd'
run_server
