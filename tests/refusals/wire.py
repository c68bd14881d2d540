"""What TLS and TCP say at the end of one request: wire.py PORT TLS HTTP [CERTIFICATE]

Prints, for a table: "alert unknown_ca, FIN", "close_notify, FIN", "nothing, RST", "stays open".
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../servers/common"))
from client import Talk, Wire, context_of  # noqa: E402

REQUESTS = {
    "1.1": b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000" "00000e010500000001828487") + b"A\x09localhost",
}
PATIENCE = 1  # seconds; who has more to say, waits for the next request


def main():
    port, tls, http = sys.argv[1:4]
    certificate = sys.argv[4] if len(sys.argv) > 4 else ""
    talk = Talk(Wire(int(port)), context_of(tls, certificate, {"1.1": "http/1.1", "2": "h2"}[http]))
    talk.shake()
    if talk.handshake == "done":
        talk.write(REQUESTS[http])
        talk.read(rb"(?!)", PATIENCE)
    if talk.over and not talk.complaint:
        last = "close_notify"
    else:
        last = "nothing" if talk.alert == "-" else "alert " + talk.alert
    talk.await_end()
    end = {"eof": "FIN", "reset": "RST", "open": "stays open"}[talk.wire.end]
    print(end if end == "stays open" and last == "nothing" else "%s, %s" % (last, end))


main()
