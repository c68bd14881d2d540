#!/bin/bash
# Python's http.server: sockets that are wrapped, a thread for each request.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/python3
# That of the demo, with the log that it mutes.
configure() { sed '/def log_message/,/pass/d' examples/demo/server.py | file server.py; }
launch() { serve /usr/bin/python3 server.py "$certificate" "$key" "${ports[@]}"; }
answer='hello from Python' host_log=$of_python access_line='"GET / HTTP'
run_server
