"""One connection to a server, and what came of it, byte by byte.

client.py PORT [--tls 1.2|1.3] [--certificate FILE] [--starttls PROTOCOL] [--alpn NAME] [--send TEXT] [--expect REGEX]
               [--hold] [--plain] [--break]

Prints a line, and then what the server said inside of TLS:
    HANDSHAKE ALERT AFTER END ANSWERED
HANDSHAKE  done, failed, or none where it did not come to that
ALERT      the server's, in OpenSSL's words, or -
AFTER      how many bytes came after the last flight of this side
END        eof, reset, or open where the server had not ended the connection in time
ANSWERED   yes where REGEX was found in what the server said, else no

TEXT and REGEX have Python's escapes (\\r, \\x00).  --hold waits for the server to end the connection before anything is said.
--break leaves in the midst of the handshake, which is what servers see every day.  No certificate is verified here.
"""

import argparse
import re
import select
import socket
import ssl
import struct
import sys
import time

LIMIT = 10  # seconds, for all
LINGER = 3  # for the end, where all is said


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    for option in ("tls", "certificate", "starttls", "alpn", "send", "expect"):
        parser.add_argument("--" + option, default="")
    for option in ("hold", "plain", "break"):
        parser.add_argument("--" + option, action="store_true")
    return parser.parse_args()


def escaped(text):
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")


class Wire:
    """The socket; counts what came since something was sent, and knows how it ended."""

    def __init__(self, port):
        self.deadline = time.monotonic() + LIMIT
        self.since = 0
        self.end = "open"
        self.socket = socket.create_connection(("127.0.0.1", port), LIMIT)

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            return  # what it was shows when it is read

    def receive(self, limit=LIMIT):
        """What there is; nothing at the end, or when time is up."""
        limit = min(limit, self.deadline - time.monotonic())
        if self.end != "open" or limit <= 0 or not select.select([self.socket], [], [], limit)[0]:
            return b""
        try:
            data = self.socket.recv(65536)
        except OSError:
            self.end = "reset"
            return b""
        if not data:
            self.end = "eof"
        self.since += len(data)
        return data

    def until(self, pattern):
        data = b""
        while not re.search(pattern, data):
            more = self.receive()
            if not more:
                raise ConnectionError("instead of %r: %r" % (pattern, data))
            data += more
        return data


def chat(*turns):
    def dialogue(wire):
        for pattern, words in zip(turns[::2], turns[1::2]):
            if pattern:
                wire.until(pattern)
            wire.send(words)
        wire.until(turns[-1])

    return dialogue


XMPP = b"<stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
STARTTLS = {
    "smtp": chat(b"220 .*\n", b"EHLO test\r\n", b"250 .*\n", b"STARTTLS\r\n", b"220 .*\n"),
    "imap": chat(b"OK .*\n", b"a STARTTLS\r\n", b"a OK.*\n"),
    "pop3": chat(b"\\+OK.*\n", b"STLS\r\n", b"\\+OK.*\n"),
    "ftp": chat(b"220 .*\n", b"AUTH TLS\r\n", b"234.*\n"),
    "nntp": chat(b"20[01] .*\n", b"STARTTLS\r\n", b"382.*\n"),
    "postgres": chat(b"", struct.pack("!II", 8, 80877103), b"S"),
    "mysql": chat(b"(?s)^.\\x00\\x00\\x00.{60}", struct.pack("<I", 32 | 1 << 24) + struct.pack("<IIB23x", 0x8AA00, 1 << 24, 45), b""),
    "xmpp": chat(b"", XMPP, b"</stream:features>", b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", b"<proceed"),
    "ldap": chat(b"", bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037", b"\x0a\x01\x00"),
    "tds-prelogin": chat(b"", b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00", b"\x02.\x08\x00\x01\x00\x00\x00"),
}


def context_of(tls, certificate, alpn=""):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)  # no close_notify is no end in order
    if tls:
        version = ssl.TLSVersion["TLSv" + tls.replace(".", "_")]
        context.minimum_version = context.maximum_version = version
    if alpn:
        context.set_alpn_protocols(alpn.split(","))
    if certificate:
        context.load_cert_chain(certificate, re.sub(r"\.pem$", ".key", certificate))
    return context


class Talk:
    """TLS over the wire, record for record in our own hands."""

    def __init__(self, wire, context, session=None, leaves=False):
        self.wire = wire
        self.leaves = leaves
        self.handshake = "failed"
        self.alert = "-"
        self.complaint = ""
        self.text = b""
        self.over = False
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost", session=session)

    def flush(self):
        data = self.outgoing.read()
        if data:
            self.wire.send(data)
        return bool(data)

    def more(self, limit=LIMIT):
        data = self.wire.receive(limit)
        if data:
            self.incoming.write(data)
        elif self.wire.end != "open":
            self.incoming.write_eof()
        return bool(data)

    def failed(self, error):
        self.over = True
        self.complaint = str(error)
        found = re.search(r"\[SSL: \w+?_ALERT_(\w+)\]", self.complaint)
        if found and self.alert == "-":
            self.alert = found.group(1).lower()

    def shake(self):
        while not self.over and self.handshake != "done":
            try:
                self.tls.do_handshake()
                self.handshake = "done"
            except ssl.SSLWantReadError:
                if self.flush():
                    self.wire.since = 0
                elif self.leaves:
                    return
                if not self.more() and self.wire.end == "open":
                    return
                if self.leaves:
                    return
            except ssl.SSLError as error:
                self.failed(error)
        if self.flush():
            self.wire.since = 0

    def read(self, pattern, seconds):
        """Until the pattern is there, the connection is over, or it took too long."""
        end = time.monotonic() + seconds
        while not self.over and not (pattern and re.search(pattern, self.text, re.S | re.M)):
            try:
                data = self.tls.read(65536)
                self.over = not data
                self.text += data
            except ssl.SSLWantReadError:
                self.flush()
                left = end - time.monotonic()
                if left <= 0 or (not self.more(left) and self.wire.end == "open"):
                    return
            except ssl.SSLError as error:
                self.failed(error)

    def close(self):
        """A client's part, where the server has said that it is done."""
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass
        self.flush()

    def await_end(self):
        while self.over and self.more(LINGER):
            pass

    def write(self, data):
        if data and not self.over:
            try:
                self.tls.write(data)
            except ssl.SSLError as error:
                self.failed(error)
            self.flush()


def plain(wire, options):
    wire.send(escaped(options.send))
    text = b""
    while time.monotonic() < wire.deadline and wire.end == "open":
        data = wire.receive(LINGER)
        text += data
        if not data or re.search(escaped_pattern(options.expect), text, re.S | re.M):
            break
    report("none", "-", wire, text, options.expect)


def escaped_pattern(expect):
    return expect.encode("latin-1") if expect else rb"(?!)"


def report(handshake, alert, wire, text, expect, complaint=""):
    answered = re.search(escaped_pattern(expect), text, re.S | re.M)
    print(handshake, alert, wire.since, wire.end, "yes" if answered else "no")
    print(re.sub(r"[^\n -~]", lambda odd: "" if odd[0] == "\r" else r"\x%02x" % ord(odd[0]), text.decode("latin-1"))[:2000])
    if complaint:
        print(complaint)


def main():
    options = arguments()
    wire = Wire(options.port)
    if options.plain:
        plain(wire, options)
        return
    if options.starttls:
        try:
            STARTTLS[options.starttls](wire)
        except ConnectionError as error:
            report("none", "-", wire, b"", options.expect, str(error))
            return
    talk = Talk(wire, context_of(options.tls, options.certificate, options.alpn), leaves=getattr(options, "break"))
    talk.shake()
    if talk.leaves:
        wire.socket.close()
        print("none - 0 open no")
        return
    pattern = escaped_pattern(options.expect)
    if talk.handshake == "done":
        if options.hold:
            talk.read(pattern, LINGER)
        talk.write(escaped(options.send))
        talk.read(pattern, LIMIT)
    talk.await_end()
    report(talk.handshake, talk.alert, wire, talk.text, options.expect, talk.complaint)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        print("none - 0 reset no\n%s" % error)
        sys.exit(0)
