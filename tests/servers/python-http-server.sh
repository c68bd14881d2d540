#!/bin/bash
# Python's http.server: sockets that are wrapped, a thread for each request.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/python3
configure() { :; }
launch() { serve /usr/bin/python3 "$PWD/examples/demo/server.py" "$certificate" "$key" "${ports[@]}"; }
answer='hello from Python' host_log=$of_python
run_server
