#!/bin/bash
# Apache with HTTP/2.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
processing=event protocols='h2 http/1.1'
# shellcheck source=tests/servers/common/apache.sh
source "$here/apache.sh"
alpn=h2 request=$http2_request answer='hello from apache'
http2=yes sessions=
run_server
