#!/bin/bash
# Python's http.server behind its ssl, which chooses the site by the name in the hello, whatever a request says.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
# shellcheck source=tests/servers/common/hosts.sh
source "$here/hosts.sh"
mixes=no streams=(events)
configure() { cp "$here/sites.py" "$work"; }
launch() { serve /usr/bin/python3 -IS sites.py "$canaries" --tls "${ports[0]}" "$certificate" "$key"; }
run_hosts
