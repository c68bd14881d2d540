"""What requests are sent to a server of two open names and two that are enforced, on one port, and whose answers come.

hosts.py PORT CERTIFICATES CANARIES LANE [--table]
  PORT          of the server on 127.0.0.1
  CERTIFICATES  the folder of `cfshim test-ca`: edge.pem is shop.example's, other.pem other.example's
  CANARIES      the file into which the server writes the name of each site that has executed a request, a line each
  LANE          open: connections opened under direct.example, without a certificate;
                own: under shop.example, with its certificate
                long: 1,000 requests, one after the other, 10 MiB to the server and 10 MiB from /large, for both open names, all on
                one connection; it prints how many of the 1,004 were answered right
                long-each: the same on a connection for each name, of a server that does not choose by Host

A line for each lane: how many requests, how many of those that are well-formed were answered by their own site, and how many
were executed by a site that the connection was not opened for and that would not have admitted it.  --table: the numbers alone.
"""
import concurrent.futures
import os
import random
import socket
import ssl
import sys
import time

OPEN, SECOND, SHOP, OTHER = 'direct.example', 'blog.example', 'shop.example', 'other.example'
PATIENCE = float(os.environ.get('CFSHIM_HOSTS_PATIENCE', '0.7'))


def request(line='GET / HTTP/1.1', host=None, fields=(), body=''):
    lines = [line] + ([f'Host: {host}'] if host is not None else []) + list(fields)
    return '\r\n'.join(lines) + '\r\n\r\n' + body


def post(host, body, fields=None):
    return request('POST / HTTP/1.1', host, fields or [f'Content-Length: {len(body)}'], body)


def well_formed(own):
    """(bytes, how many answers of `own` are due)"""
    close = ['Connection: close']
    get = request(host=own)
    smuggled = request('GET /smuggled HTTP/1.1', OTHER)
    yield request(host=own, fields=close), 1
    yield get, 1
    yield request('GET / HTTP/1.0', own), 1
    yield request('GET / HTTP/1.0', own, ['Connection: keep-alive']), 1
    yield request('GET /?a=http://other.example/ HTTP/1.1', own), 1
    yield request('GET /%2e%2e/%00?x HTTP/1.1'.replace('%00', '%41'), own), 1
    yield request(f'GET http://{own}/ HTTP/1.1', own), 1
    yield request(host=own, fields=close + ['Accept-Language: de']), 1
    yield 'GET / HTTP/1.1\r\nhOsT:' + own + '\r\n\r\n', 1
    yield f'GET / HTTP/1.1\r\nHost: \t{own} \r\n\r\n', 1
    yield request(host=own + ':443'), 1
    yield request(host=own, fields=[f'Referer: https://{OTHER}/', f'X-Forwarded-Host: {OTHER}', f'Origin: https://{OTHER}']), 1
    yield request(host=own, fields=['Cookie: a=' + 'x' * 3000]), 1
    yield request(host=own, fields=['X-Empty:', 'X-Blank: ', 'X-Tab:\ta\tb', 'X-Colon: a:b: c', 'X-Text: \u00e4']), 1
    yield request(host=own, fields=['Accept: */*', 'Accept: text/html', 'TE: trailers', 'Expect: 100-continue'][:3]), 1
    yield get + get, 2
    yield get * 3, 3
    for body in ('', 'a', 'a=b' * 300, 'x' * 20000, smuggled, '\r\n' + smuggled, '0\r\n\r\n' + smuggled, 'GET / HTTP/1.1'):
        yield post(own, body), 1
        chunks = f'{len(body):x}\r\n{body}\r\n0\r\n\r\n' if body else '0\r\n\r\n'
        yield post(own, chunks, ['Transfer-Encoding: chunked']), 1
        yield post(own, body) + get, 2
    cut = ''.join(f'1\r\n{c}\r\n' for c in smuggled)
    yield post(own, cut + '0\r\n\r\n', ['transfer-encoding: Chunked']) + get, 2


# Ways of writing Transfer-Encoding that some take for it and some do not: the shapes of published lists.
CODINGS = [
    'Transfer-Encoding: xchunked', 'Transfer-Encoding : chunked', 'Transfer-Encoding\t: chunked', 'Transfer-Encoding:\tchunked',
    'Transfer-Encoding:chunked', 'Transfer-Encoding:  chunked', 'Transfer-Encoding: chunked ', 'Transfer-Encoding: "chunked"',
    "Transfer-Encoding: 'chunked'", 'Transfer-Encoding: chunk', 'Transfer-Encoding: CHUNKED', 'Transfer-Encoding: cHuNkEd',
    'Transfer-Encoding: chunked, identity', 'Transfer-Encoding: identity, chunked', 'Transfer-Encoding: chunked, cow',
    'Transfer-Encoding: cow, chunked', 'Transfer-Encoding: ,chunked', 'Transfer-Encoding: chunked,', 'Transfer-Encoding: chunked;q=1',
    'Transfer-Encoding: gzip, chunked', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: cow',
    'Transfer-Encoding: cow\r\nTransfer-Encoding: chunked', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding:\r\n chunked', 'Transfer-Encoding:\n chunked', 'Transfer-Encoding: \x0bchunked', 'Transfer-Encoding: \x0cchunked',
    'Transfer-Encoding: \x00chunked', 'Transfer-Encoding: chunked\x00', 'Transfer-Encoding: \x08chunked', 'Transfer-Encoding\x00: chunked',
    'Transfer-Encoding\x0b: chunked', 'Transfer_Encoding: chunked', 'Transfer Encoding: chunked', ' Transfer-Encoding: chunked',
    '\tTransfer-Encoding: chunked', 'X: x\nTransfer-Encoding: chunked', 'X: x\rTransfer-Encoding: chunked', 'X:\r\nTransfer-Encoding: chunked',
    'X: x\r\n\rTransfer-Encoding: chunked', '\u00a0Transfer-Encoding: chunked', 'Transfer-Encoding: \u00a0chunked',
    'Transfer-Encoding: chunk\u00e9d', 'tRANSFER-ENCODING: chunked', 'Foo: bar\r\n\tTransfer-Encoding: chunked',
    'Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked', 'Transfer-Encoding: chunked\r\nConnection: transfer-encoding',
    'Transfer-Encoding-: chunked', 'Transfer-Encoding: identity', 'Transfer-Encoding:',
]
LENGTHS = ['+{}', '-{}', '{}, {}', '{},', '0x{:x}', '0{}', '{}.0', '{} ', ' {}', '{}\x0b', '\x0b{}', '{}e0', '"{}"', '{}\x00', '{};', '1 {}', '{}\t']


def hosts_of(own, target):
    """Values of one Host that somebody might take for `target`."""
    for text in ('{t}', '{t}.', '{t}:443', '{t}:', '{t}:0443', '{t}:80', '{T}', '{t}..', ' {t}', '\t{t}', '{t} ', '{t}\t', '\x0b{t}', '{t}\x00', '\x00{t}',
                 '{t}\x00{o}', '{o}\x00{t}', '{o},{t}', '{t},{o}', '{o} {t}', '{t} {o}', '{o}\t{t}', '{o}@{t}', '{t}@{o}', 'x:y@{t}', '{o}:443@{t}',
                 '{o}:{t}', '{t}:{o}', '{o}/{t}', '{t}/', '{t}/{o}', '{t}#{o}', '{o}#{t}', '{t}?{o}', '{o}?{t}', '{o}\\{t}', '{t}\\{o}', '{o};{t}', '{t};',
                 'https://{t}', 'http://{t}/', '//{t}', '[{t}]', '[::1]{t}', '"{t}"', "'{t}'", '<{t}>', '({t})', '%73hop.example', '{t}%00', '{t}%20',
                 '{o}%00{t}', '*', '*.example', 'sh\u00f6p.example', '{t}\u00a0', '\uff53hop.example', '{t}:443:443', '{t}:x', 'x.{t}', '.{t}', '{t}\r{o}',
                 '{o}\r{t}', '{t}\n', '{o}\n{t}', '127.0.0.1', '127.0.0.1:443', '[::1]', '2130706433', '0x7f.1', '', ' ', ':443', '_', '-', 'localhost',
                 'nobody.example', 'a' * 64 + '.example', ('a' * 60 + '.') * 5 + 'example', '{t}' + ' ' * 300 + '{o}', '{o}' + '\t' * 300 + '{t}'):
        yield text.format(o=own, t=target, T=target.upper())


def tricks(own, target):
    get_target = request('GET /smuggled HTTP/1.1', target)
    get_own = request(host=own)
    # a spelling of the own name that a server may not know, and answer by its default site
    for spelling in (own.upper(), own.capitalize(), own + '.', own + '.:443'):
        yield request(host=spelling)
        yield request('GET / HTTP/1.0', spelling)
        yield request(f'GET http://{spelling}/ HTTP/1.1', spelling)
    yield f'GET http://{own}/ HTTP/1.0\r\n\r\n'
    # whose request it is
    for value in hosts_of(own, target):
        yield request(host=value)
        yield request('GET / HTTP/1.0', value)
    for name in ('Host ', 'Host\t', ' Host', '\tHost', 'Host\x00', 'Host\x0b', 'H\u00f6st', 'host', 'HOST', 'Host_', 'Host\x7f', 'X\nHost', 'X\rHost', 'X: x\nHost'):
        yield f'GET / HTTP/1.1\r\n{name}: {target}\r\nHost: {own}\r\n\r\n'
        yield f'GET / HTTP/1.1\r\nHost: {own}\r\n{name}: {target}\r\n\r\n'
        yield f'GET / HTTP/1.1\r\n{name}: {target}\r\n\r\n'
    for end in ('\n', '\r', '\r\r\n', '\n\r', '\r\n\t', '\r\n ', '\x00\r\n', '\x85', '\u2028'):
        yield f'GET / HTTP/1.1\r\nX: x{end}Host: {target}\r\nHost: {own}\r\n\r\n'
        yield f'GET / HTTP/1.1\r\nHost: {own}{end}Host: {target}\r\n\r\n'
        yield f'GET / HTTP/1.1{end}Host: {target}\r\nHost: {own}\r\n\r\n'
        yield f'GET / HTTP/1.1\r\nHost: {own}{end}{end}{get_target}'
    for authority in (target, f'{target}:443', f'x@{target}', f'{own}@{target}', f'{own}#@{target}', f'{own}\\@{target}', f'{own}%00.{target}', f'{target}.', f'{own}:{target}',
                      f'[{target}]', f'{own}?@{target}', f'{own};@{target}'):
        for scheme in ('http', 'https', 'HTTP', 'ftp', 'ws', '', 'http:http'):
            yield request(f'GET {scheme}://{authority}/ HTTP/1.1', own)
        yield request(f'GET http://{authority}/ HTTP/1.1', target)
        yield request(f'GET http://{authority}/ HTTP/1.1')
        yield request(f'GET http://{authority}/ HTTP/1.0')
    for line in ('GET //{t}/ HTTP/1.1', 'GET /\\{t}/ HTTP/1.1', 'GET {t} HTTP/1.1', 'GET {t}:443 HTTP/1.1', 'CONNECT {t}:443 HTTP/1.1', 'GET @{t}/ HTTP/1.1', 'GET / http://{t}/ HTTP/1.1',
                 'GET http:/{t}/ HTTP/1.1', 'GET http:{t} HTTP/1.1', 'GET http:///{t}/ HTTP/1.1', 'GET  / HTTP/1.1', 'GET / HTTP/1.1 ', 'GET\t/\tHTTP/1.1', 'GET\x0b/ HTTP/1.1',
                 'GET / HTTP/1.2', 'GET / HTTP/2.0', 'GET / HTTP/0.9', 'GET / HTTP/1.', 'GET / HTTP/11', 'GET / http/1.1', 'GET /', 'GET / ', '', ' GET / HTTP/1.1', 'get / HTTP/1.1',
                 'OPTIONS * HTTP/1.1', 'GET * HTTP/1.1', 'PRI * HTTP/2.0', 'GET /\x00 HTTP/1.1', 'GET / HTTP/1.1\x00', 'GET / HTTP/1.1\tX'):
        yield request(line.format(t=target), target)
        yield request(line.format(t=target), own) + get_target
    yield 'GET /\r\n'
    yield 'GET /\n'
    yield request('GET / HTTP/1.1')
    yield request('GET / HTTP/1.0')
    yield request(host=own, fields=[f'Host: {target}'])
    yield request(host=target, fields=[f'Host: {own}'])
    yield request(host=own, fields=[f'Host: {own}', f'Host: {target}'])
    # one behind the other
    yield get_own + get_target
    yield get_own + get_target * 3
    yield request('GET / HTTP/1.0', own) + get_target
    yield request(host=own, fields=['Connection: close']) + get_target
    yield '\r\n' + get_target
    yield get_own + '\r\n' + get_target
    yield get_own + '\n' + get_target
    # where one ends
    for coding in CODINGS:
        body = '0\r\n\r\n' + get_target
        yield request('POST / HTTP/1.1', own, [f'Content-Length: {len(body)}', coding], body)
        yield request('POST / HTTP/1.1', own, [coding, f'Content-Length: {len(body)}'], body)
        yield request('POST / HTTP/1.1', own, [coding], body)
        yield request('POST / HTTP/1.0', own, [coding], body)
        line = f'{len(get_target):x}'
        yield request('POST / HTTP/1.1', own, ['Content-Length: ' + str(len(line) + 2), coding], f'{line}\r\n{get_target}\r\n0\r\n\r\n')
    for form in LENGTHS:
        length = form.format(len(get_target), len(get_target)).replace('\r\n', '')
        yield request('POST / HTTP/1.1', own, ['Content-Length: ' + length], get_target)
        yield request('POST / HTTP/1.1', own, ['Content-Length: 0', 'Content-Length: ' + length], get_target)
        yield request('POST / HTTP/1.1', own, ['Content-Length: ' + length, 'Content-Length: 0'], get_target)
    for name in ('Content-Length ', 'Content_Length', ' Content-Length', 'Content-Length\t', 'Content-Length\x00', 'Content Length', 'X\nContent-Length'):
        yield request('POST / HTTP/1.1', own, [f'{name}: {len(get_target)}'], get_target)
        yield request('POST / HTTP/1.1', own, ['Content-Length: 0', f'{name}: {len(get_target)}'], get_target)
    for method in ('GET', 'HEAD', 'OPTIONS', 'TRACE', 'DELETE', 'PUT', 'PATCH', 'FOO'):
        yield request(f'{method} / HTTP/1.1', own, [f'Content-Length: {len(get_target)}'], get_target)
        yield request(f'{method} / HTTP/1.1', own, ['Transfer-Encoding: chunked'], f'{len(get_target):x}\r\n{get_target}\r\n0\r\n\r\n')
    for chunks in ('0\n\n', '0\r\n\n', '0\n\r\n', '00\r\n\r\n', '0;x\r\n\r\n', '0;x\n\r\n\r\n', '0 \r\n\r\n', ' 0\r\n\r\n', '0x0\r\n\r\n', '-0\r\n\r\n', '+0\r\n\r\n', '\r\n\r\n', '1\r\naX0\r\n\r\n',
                   '1\r\na\n0\r\n\r\n', '1\na\r\n0\r\n\r\n', '2\r\na\r\n0\r\n\r\n', '10000000000000000\r\n', 'fffffffffffffffff\r\n\r\n', '100000000\r\n\r\n', '0\r\nHost: {t}\r\n\r\n', '0\r\nX: x\r\n\r\n',
                   '0\r\nContent-Length: 5\r\n\r\n', '0\r\n\r\n\r\n', '1;\n\r\na\r\n0\r\n\r\n', '1;{t}\r\na\r\n0\r\n\r\n', '0_0\r\n\r\n', 'g\r\n\r\n', '0\r\r\n\r\n', '0\r\n\r\r\n', '1\r\n\r\n\r\n0\r\n\r\n'):
        yield request('POST / HTTP/1.1', own, ['Transfer-Encoding: chunked'], chunks.format(t=target) + get_target)
    for fields in (['Expect: 100-continue', f'Content-Length: {len(get_target)}'], ['Expect: x', f'Content-Length: {len(get_target)}'], ['Expect: 100-continue', 'Content-Length: 0']):
        yield request('POST / HTTP/1.1', own, fields, get_target)
        yield request('GET / HTTP/1.1', own, fields, get_target)
    for fields in (['Connection: Host'], ['Connection: close, Host'], ['Connection: Content-Length', 'Content-Length: 0']):
        yield request('POST / HTTP/1.1', own, fields + [f'X-Host: {target}'], get_target)
    # another protocol
    for upgrade in ('h2c', 'websocket', 'WebSocket', 'TLS/1.0', 'websocket, h2c', 'HTTP/2.0', 'x'):
        fields = ['Connection: Upgrade, HTTP2-Settings', f'Upgrade: {upgrade}', 'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA']
        more = ['Connection: Upgrade', f'Upgrade: {upgrade}', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
        preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'
        block = f'\x82\x84\x87\x41{chr(len(target))}{target}'
        frames = preface + f'\0\0{chr(len(block))}\x01\x05\0\0\0\x03{block}'
        yield request(host=own, fields=fields) + frames
        yield request(host=own, fields=more) + get_target
        yield request(host=target, fields=more)
        yield request('CONNECT ' + own + ':443 HTTP/1.1', own, more) + get_target
    block = f'\x82\x84\x87\x41{chr(len(target))}{target}'
    yield 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0' + f'\0\0{chr(len(block))}\x01\x05\0\0\0\x01{block}'
    # what is too long, or nothing at all
    yield request(host=own, fields=['X: ' + 'x' * 70000]) + get_target
    yield request(host=own, fields=['X: x'] * 2000) + get_target
    yield request('GET /' + 'x' * 9000 + ' HTTP/1.1', target)
    yield '\x16\x03\x01\x02\x00\x01\x00'
    yield 'EHLO x\r\nGET / HTTP/1.1\r\nHost: ' + target + '\r\n\r\n'


def mutations(own, target, count):
    """The same in every run."""
    chance = random.Random(8)
    bases = [request(host=own) + request(host=target), request(host=target), request('GET / HTTP/1.1', own, [f'X: {target}']),
             post(own, request(host=target)), request('POST / HTTP/1.1', own, ['Transfer-Encoding: chunked'], '5\r\nabcde\r\n0\r\n\r\n') + request(host=target),
             request(f'GET http://{own}/ HTTP/1.1', own) + request(f'GET http://{target}/ HTTP/1.1', target)]
    pieces = ['\r', '\n', '\r\n', '\0', ' ', '\t', ':', ',', '/', '0', 'Host', target, own, 'HTTP/1.1', 'Content-Length: 0\r\n', 'Transfer-Encoding: chunked\r\n', '\x0b', '\x85', '@', '#']
    for _ in range(count):
        text = chance.choice(bases)
        for _ in range(chance.randint(1, 4)):
            at, way = chance.randrange(len(text)), chance.randrange(4)
            if way == 0:
                text = text[:at] + chance.choice(pieces) + text[at:]
            elif way == 1:
                text = text[:at] + text[at + chance.randint(1, 3):]
            elif way == 2:
                text = text[:at] + chance.choice(pieces) + text[at + 1:]
            else:
                end = at + chance.randint(1, 30)
                text = text[:at] + text[at:end] * 2 + text[end:]
            text = text or 'x'
        yield text


def to_bytes(text):
    try:
        return text.encode('latin-1')
    except UnicodeEncodeError:
        return text.encode()


def converse(port, name, certificate, data, split):
    """All that comes back until the server has ended, or says no more."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(certificate, certificate.replace('.pem', '.key'))
    seen = b''
    try:
        with socket.create_connection(('127.0.0.1', port), timeout=10) as raw, context.wrap_socket(raw, server_hostname=name) as stream:
            if split:
                for at in range(0, min(len(data), 200)):
                    stream.sendall(data[at:at + 1])
                stream.sendall(data[200:])
            else:
                stream.sendall(data)
            stream.settimeout(PATIENCE)
            while more := stream.recv(65536):
                seen += more
    except (OSError, ssl.SSLError):
        pass
    return seen


def executed(canaries):
    time.sleep(0.5)
    with open(canaries, encoding='latin-1') as lines:
        return [line.strip() for line in lines if line.strip()]


def run(port, certificates, canaries, lane):
    own, target, certificate = (OPEN, SHOP, None) if lane == 'open' else (SHOP, OTHER, f'{certificates}/edge.pem')
    foreign = {'open': {SHOP, OTHER}, 'own': {OTHER}}[lane]
    good = [(own, text, due) for text, due in well_formed(own)]
    bad = [(own, text, 0) for text in tricks(own, target)] + [(own, text, 0) for text in mutations(own, target, 200)]
    # a server may not know its own name in the hello either, and answer by its default site
    bad += [(spelling, request(host=own), 0) for spelling in (own.upper(), own.capitalize(), own + '.')]
    open(canaries, 'w').close()
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        jobs = [(text, due, i % 3 == 2) for i, (_, text, due) in enumerate(good + bad)]
        answers = list(pool.map(lambda name, job: converse(port, name, certificate, to_bytes(job[0]), job[2]),
                                (name for name, _, _ in good + bad), jobs))
    answered = 0
    for (text, due, split), seen in zip(jobs, answers):
        if not due:
            continue
        if seen.count(b'canary of ' + own.encode()) == due:
            answered += 1
        else:
            print(f'# {lane}: {text[:300]!r}{" byte by byte" if split else ""}: {seen[:300]!r}', file=sys.stderr)
    hits = [name for name in executed(canaries) if name in foreign]
    told = [text for (text, _, _), seen in zip(jobs, answers) if any(b'canary of ' + name.encode() in seen for name in foreign)]
    if '--show' in sys.argv and hits:
        print(f'# {lane}: executed by {hits}, told {len(told)}', file=sys.stderr)
    for text in told[:20] if '--show' in sys.argv else []:
        print(f'# {lane}: another site answers {text[:400]!r}', file=sys.stderr)
    return len(jobs), len(good), answered, max(len(hits), len(told))


def answer_of(lines):
    """The body of the next answer, by its length."""
    length = 0
    while (line := lines.readline()) not in (b'\r\n', b''):
        name, _, value = line.partition(b':')
        length = int(value) if name.lower() == b'content-length' else length
    return lines.read(length)


def is_right(answer, name, least):
    return answer.startswith(f'canary of {name}'.encode()) and len(answer) > least


def converse_long(port, name, jobs):
    """On one connection, opened for `name`: how many of (name, request, least length of the answer) were answered right."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(('127.0.0.1', port), timeout=30) as raw, context.wrap_socket(raw, server_hostname=name) as stream:
        lines, right = stream.makefile('rb'), 0
        for asked, text, least in jobs:
            stream.sendall(text.encode())
            right += is_right(answer_of(lines), asked, least)
    return right


def long_jobs():
    large = 10 << 20
    jobs = [(name, request(host=name), 0) for name in (OPEN, SECOND) * 500]
    for name in (SECOND, OPEN):
        jobs += [(name, post(name, 'x' * large), 0), (name, request('GET /large HTTP/1.1', name), large)]
    return jobs


def main():
    if sys.argv[4] == 'long':
        print(converse_long(int(sys.argv[1]), OPEN, long_jobs()))
        return
    if sys.argv[4] == 'long-each':
        print(sum(converse_long(int(sys.argv[1]), name, [job for job in long_jobs() if job[0] == name]) for name in (OPEN, SECOND)))
        return
    port, certificates, canaries, lane = int(sys.argv[1]), *sys.argv[2:5]
    count, good, answered, hits = run(port, certificates, canaries, lane)
    print(f'{count} {good} {answered} {hits}')


main()
