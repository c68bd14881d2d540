"""Sites of HTTP/1.1, plain, or behind TLS and told apart by the name in the hello; with 10 MiB more at /large, and events at /events.

sites.py CANARIES PORT NAME...            a plain one for each port
sites.py CANARIES --tls PORT CERTIFICATE KEY
"""
import http.server
import ssl
import sys
import threading
import time

canaries = sys.argv[1]


class Site(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    timeout = 20

    def body(self):
        if self.headers.get('Transfer-Encoding', '').lower() == 'chunked':
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        else:
            self.rfile.read(int(self.headers.get('Content-Length', 0)))

    def answer(self):
        self.body()
        name = getattr(self.server, 'site', None) or self.connection.site
        with open(canaries, 'a') as lines:
            lines.write(name + '\n')
        if self.path == '/events':
            self.events(name)
            return
        text = f'canary of {name}\n'.encode() + (b'x' * (10 << 20) if self.path == '/large' else b'')
        self.send_response(200)
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(text)

    def events(self, name):
        self.send_response(200)
        self.send_header('Content-Type', 'text/event-stream')
        self.send_header('Connection', 'close')
        self.end_headers()
        for number in range(5):
            self.wfile.write(f'data: {number} of {name}\n\n'.encode())
            time.sleep(0.1)
        self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = answer

    def log_message(self, *words):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    site = None
    context = None

    def finish_request(self, request, client_address):
        if self.context:
            request.settimeout(20)
            request = self.context.wrap_socket(request, server_side=True)
            request.site = names.get(id(request), None) or getattr(request.context, 'site', 'shop.example')
        super().finish_request(request, client_address)
        if self.context:
            try:
                request.unwrap()
            except OSError:
                pass

    def handle_error(self, request, client_address):
        pass


names = {}


def choose(stream, name, context):
    names[id(stream)] = name if name in ('shop.example', 'other.example', 'direct.example', 'blog.example') else 'shop.example'


if sys.argv[2] == '--tls':
    server = Server(('127.0.0.1', int(sys.argv[3])), Site)
    server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.context.load_cert_chain(sys.argv[4], sys.argv[5])
    server.context.sni_callback = choose
    servers = [server]
else:
    servers = []
    for port, name in zip(sys.argv[2::2], sys.argv[3::2]):
        servers.append(Server(('127.0.0.1', int(port)), Site))
        servers[-1].site = name
for server in servers:
    threading.Thread(target=server.serve_forever).start()
