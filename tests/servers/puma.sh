#!/bin/bash
# Puma, by its extension in C, which gives OpenSSL memory.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/puma
configure() {
	file config.ru <<-'X'
		# It would free what is over when it pleases.
		Thread.new { loop { sleep 0.2; GC.start } }
		run lambda { |environment| [200, {"Content-Type" => "text/plain"}, ["hello from puma\n"]] }
	X
}
# shellcheck disable=SC2046 # two words for each port
launch() { serve /usr/bin/puma -C - -e production -t 1:4 --log-requests $(each_port "-b ssl://127.0.0.1:@?key=$key&cert=$certificate") config.ru; }
answer='hello from puma' access_line='"GET / HTTP'
alerts=no
run_server
