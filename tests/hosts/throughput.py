"""What the library leaves of the throughput of an open site on a mixed port: nginx with it and without it, by turns.

throughput.py NGINX LIBRARY CERTIFICATES FOLDER

Each has a connection, on which it is asked as a browser asks: for a page of nginx's own; for a file of 10 MiB; with 10 MiB that nginx
passes over.  Two quotients, bare by covered: of the time until the client has its answer, which is the throughput that is left, and
of nginx's time on the CPU for it, user's and kernel's, which is what is left where nothing else is done.  What disturbs them (others on
the machine, where a process comes to lie in memory) only ever adds time, so of all rounds of all starts the quickest counts.
Ends with 1 where less than 0.98 is left of a throughput.

STARTS  of each server: 5
"""
import os
import socket
import ssl
import subprocess
import sys
import time

STARTS = int(os.environ.get('STARTS', '5'))
KINDS = {'request': (10, 300), 'download': (1, 16), 'upload': (1, 16)}  # so many to a round, so many rounds
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
    """Seconds; all of them, where it sleeps now."""
    with open(f'/proc/{process.pid}/schedstat') as numbers:
        return int(numbers.read().split()[0]) / 1e9


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def one_round(process, client, kind, count):
    """Seconds for one: until the answer is there, and on the CPU."""
    on_cpu, begun = time_on_cpu(process), time.monotonic()
    for _ in range(count):
        ask(*client, kind)
    ended = time.monotonic()
    return (ended - begun) / count, (time_on_cpu(process) - on_cpu) / count


def measure(best):
    ports = free_port(), free_port()
    servers = [start(port, covered) for port, covered in zip(ports, (False, True))]
    try:
        clients = [connect(port) for port in ports]
        for kind, (count, rounds) in KINDS.items():
            for turn in range(rounds):
                for which in (0, 1) if turn % 2 else (1, 0):
                    seen = one_round(servers[which], clients[which], kind, count)
                    best[kind][which] = tuple(map(min, best[kind][which], seen))
        with open(f'{folder}/covered/shim.log') as log:
            if 'started ' not in log.read():
                raise SystemExit('the library was not there')
    finally:
        for server in servers:
            server.terminate()
            server.wait()


def main():
    best = {kind: [(float('inf'),) * 2] * 2 for kind in KINDS}
    for _ in range(STARTS):
        measure(best)
    least = 1
    for kind, ((bare, bare_cpu), (covered, covered_cpu)) in best.items():
        print(f'{kind}: {covered * 1e6:.0f} us, bare {bare * 1e6:.0f}: {bare / covered:.3f} of the throughput; '
              f'on the CPU {covered_cpu * 1e6:.1f} us, bare {bare_cpu * 1e6:.1f}: {bare_cpu / covered_cpu:.3f}', flush=True)
        least = min(least, bare / covered)
    sys.exit(least < LEAST)


main()
