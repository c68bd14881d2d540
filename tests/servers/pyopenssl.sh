#!/bin/bash
# pyOpenSSL over sockets, with a callback for the server name that changes the context.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs /usr/bin/python3 /usr/lib/python3/dist-packages/OpenSSL
configure() {
	file server.py <<-X
		import socket, sys, threading
		from OpenSSL import SSL
		def context():
		    made = SSL.Context(SSL.TLS_SERVER_METHOD)
		    made.use_certificate_file(sys.argv[1])
		    made.use_privatekey_file(sys.argv[2])
		    return made
		first, second = context(), context()
		first.set_tlsext_servername_callback(lambda connection: connection.set_context(second))
		def talk(plain):
		    connection = SSL.Connection(first, plain)
		    connection.set_accept_state()
		    try:
		        if connection.recv(4096):
		            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello from pyOpenSSL\n")
		            connection.shutdown()
		    except (SSL.Error, OSError):
		        pass
		    plain.close()
		def serve(listener):
		    while True:
		        threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()
		for port in sys.argv[3:]:
		    threading.Thread(target=serve, args=(socket.create_server(("127.0.0.1", int(port))),)).start()
	X
}
launch() { serve /usr/bin/python3 server.py "$certificate" "$key" "${ports[@]}"; }
stop_signal=KILL answer='hello from pyOpenSSL'
run_server
