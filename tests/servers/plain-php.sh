#!/bin/bash
# PHP's development server, which is a plain HTTP server in C, on a port that is named.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/php8.2
ports_wanted=1
configure() { echo '<?php file_put_contents("canary", "x", FILE_APPEND); echo "done";' | file index.php; }
launch() { serve /usr/bin/php8.2 -n -S "127.0.0.1:${ports[0]}" index.php; }
plain=yes request='POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n' answer='^done'
run_server
