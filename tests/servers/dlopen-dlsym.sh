#!/bin/bash
# A program that is linked to no OpenSSL, and looks all functions up in one that it loads.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
program=$build/tests/process/servers/late_server
needs "$program"
run_server
