"""A small HTTPS server that knows nothing of client certificates: server.py CERTIFICATE KEY PORT..."""

import http.server
import ssl
import sys
import threading


class Greeter(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = b"hello from Python\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
for port in sys.argv[3:]:
    server = http.server.HTTPServer(("127.0.0.1", int(port)), Greeter)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever).start()
