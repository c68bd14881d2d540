#!/bin/bash
# Apache with its event module, HTTP/1.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
processing=event protocols=http/1.1
# shellcheck source=tests/servers/common/apache.sh
source "$here/apache.sh"
answer='hello from apache'
run_server
