"""A small HTTPS server on the socket that systemd hands over: hello.py CERTIFICATE KEY"""

import http.server
import os
import socket
import ssl
import sys

FIRST = 3  # sd_listen_fds(3)


class Greeter(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = b"hello from a socket of systemd\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


if os.environ.get("LISTEN_FDS") != "1":
    sys.exit("one socket is wanted from systemd")
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server = http.server.HTTPServer(("", 0), Greeter, bind_and_activate=False)
server.socket.close()
server.socket = context.wrap_socket(socket.socket(fileno=FIRST), server_side=True)
server.serve_forever()
