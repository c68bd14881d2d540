"""What the library costs on an open site of a mixed port: nginx's time on the CPU, with it and without it.

throughput.py NGINX LIBRARY CERTIFICATES FOLDER

Both serve the same on a connection each, by turns: requests as a browser has them, on one connection; 10 MiB from a file; 10 MiB
up, which nginx passes over.  What disturbs them (others on the machine, where a process comes to lie in memory) only ever adds time, so
of all rounds of all starts the quickest counts.  Prints for each kind: the microseconds of one, bare and covered, and the quotient,
which is the throughput that is left.  Ends with 1 where one of these is below 0.98.
"""
import os
import socket
import ssl
import subprocess
import sys
import time

STARTS = int(os.environ.get('STARTS', '5'))
KINDS = {'request': (10, 200), 'download': (1, 12), 'upload': (1, 12)}  # so many to a round, so many rounds
LARGE = 10 << 20
LEAST = 0.98
nginx, library, certificates, folder = sys.argv[1:]
FIELDS = ('Host: direct.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n'
          'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n'
          'Accept-Encoding: gzip, deflate, br\r\nConnection: keep-alive\r\n')
REQUESTS = {
    'request': f'GET / HTTP/1.1\r\n{FIELDS}\r\n'.encode(),
    'download': f'GET /large HTTP/1.1\r\n{FIELDS}\r\n'.encode(),
    'upload': f'POST / HTTP/1.1\r\n{FIELDS}Content-Length: {LARGE}\r\n\r\n'.encode() + bytes(LARGE),
}


def start(port, covered):
    place = f'{folder}/{"covered" if covered else "bare"}'
    os.makedirs(place, exist_ok=True)
    with open(f'{place}/large', 'wb') as large:
        large.write(bytes(LARGE))
    with open(f'{place}/policy.conf', 'w') as policy:
        policy.write(f'[port {port}]\nca = {certificates}/ca.pem\n[port {port} server direct.example]\nverify = off\n')
    with open(f'{place}/nginx.conf', 'w') as conf:
        conf.write(f'''daemon off; master_process off; pid nginx.pid; error_log errors;
            events {{ worker_connections 64; }}
            http {{ access_log off; keepalive_requests 1000000; client_max_body_size 0;
            client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
            server {{ listen 127.0.0.1:{port} ssl; ssl_protocols TLSv1.3;
            ssl_certificate {certificates}/server.pem; ssl_certificate_key {certificates}/server.key;
            location / {{ default_type text/plain; return 200 "the answer of the server itself, and nothing else"; }}
            location = /large {{ root {place}; }} }} }}''')
    more = {'LD_PRELOAD': library, 'CFSHIM_POLICY': f'{place}/policy.conf', 'CFSHIM_LOG': f'{place}/shim.log'} if covered else {}
    return subprocess.Popen([nginx, '-p', place, '-c', 'nginx.conf'], env={**os.environ, **more})


def connect(port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for turn in range(200):
        try:
            raw = socket.create_connection(('127.0.0.1', port), timeout=30)
            break
        except OSError:
            time.sleep(0.05)
    stream = context.wrap_socket(raw, server_hostname='direct.example')
    return stream, stream.makefile('rb')


def ask(stream, lines, kind):
    stream.sendall(REQUESTS[kind])
    status, length = lines.readline(), 0
    while (line := lines.readline()) not in (b'\r\n', b''):
        if line.lower().startswith(b'content-length:'):
            length = int(line.split(b':')[1])
    if not status.startswith(b'HTTP/1.1 200 ') or len(lines.read(length)) != length:
        raise SystemExit(f'{kind}: not answered: {status!r}')


def time_on_cpu(process):
    """Nanoseconds; all of them, where it sleeps now."""
    with open(f'/proc/{process.pid}/schedstat') as numbers:
        return int(numbers.read().split()[0])


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def measure(best):
    ports = free_port(), free_port()
    servers = [start(port, covered) for port, covered in zip(ports, (False, True))]
    try:
        clients = [connect(port) for port in ports]
        for kind, (count, rounds) in KINDS.items():
            for turn in range(rounds):
                for which in (0, 1) if turn % 2 else (1, 0):
                    before = time_on_cpu(servers[which])
                    for _ in range(count):
                        ask(*clients[which], kind)
                    best[kind][which] = min(best[kind][which], (time_on_cpu(servers[which]) - before) / count / 1000)
        with open(f'{folder}/covered/shim.log') as log:
            if 'started ' not in log.read():
                raise SystemExit('the library was not there')
    finally:
        for server in servers:
            server.terminate()
            server.wait()


def main():
    best = {kind: [float('inf')] * 2 for kind in KINDS}
    for _ in range(STARTS):
        measure(best)
    for kind, (bare, covered) in best.items():
        print(f'{kind}: {bare:.1f} us, with the library {covered:.1f} us: {bare / covered:.3f}')
    sys.exit(any(bare / covered < LEAST for bare, covered in best.values()))


main()
