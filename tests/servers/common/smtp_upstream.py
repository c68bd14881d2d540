"""A mail server without TLS, of a few words: smtp_upstream.py PORT."""

import socketserver
import sys


class Talker(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 localhost ESMTP\r\n")
        for line in self.rfile:
            word = line.split()[0].lower() if line.split() else b""
            self.wfile.write(b"250 " + (b"localhost" if word in (b"ehlo", b"helo") else word) + b"\r\n")


socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Talker).serve_forever()
