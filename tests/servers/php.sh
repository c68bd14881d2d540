#!/bin/bash
# PHP's stream_socket_server().
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/php8.2
configure() {
	file server.php <<-'X'
		<?php
		[, $certificate, $key] = $argv;
		$options = stream_context_create(['ssl' => ['local_cert' => $certificate, 'local_pk' => $key, 'verify_peer' => false]]);
		$listeners = [];
		foreach (array_slice($argv, 3) as $port)
			$listeners[] = stream_socket_server("tls://127.0.0.1:$port", $code, $words, STREAM_SERVER_BIND | STREAM_SERVER_LISTEN, $options);
		while (true) {
			$ready = $listeners; $write = $except = null;
			stream_select($ready, $write, $except, null);
			foreach ($ready as $listener) {
				if (!($connection = @stream_socket_accept($listener, 5)))
					continue;
				if (fgets($connection) !== false)
					fwrite($connection, "HTTP/1.0 200 OK\r\n\r\nhello from php\n");
				fclose($connection);
			}
		}
	X
}
launch() { serve /usr/bin/php8.2 -n -d extension=openssl server.php "$certificate" "$key" "${ports[@]}"; }
answer='hello from php'
run_server
