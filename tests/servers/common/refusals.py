"""Strangers by the hundred, and what they leave behind: refusals.py PORT ANSWER PROCESS DIRECTORY [--keeps-alerts]

Each of 200 refusals (REFUSALS) must be what ANSWER ("reject 403", "close", "close reset", "reject") says, over TLS 1.2 and 1.3, with no
certificate and with three bad ones of DIRECTORY, and give no session.  After a round of them PROCESS and its descendants
hold no descriptor more than before, and no memory: in one round of at most twelve, since allocators have their own mind, while a
leak shows in each.  --keeps-alerts: of a host that keeps OpenSSL's alerts to itself.

Prints what was measured, and what was not as it should be; ends with 1 where anything was.
"""

import argparse
import glob
import itertools
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from client import Talk, Wire, context_of  # noqa: E402

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
WARM_UP = 104
ROUND = int(os.environ.get("REFUSALS", "200"))
ROUNDS = 12
SETTLE = 5  # seconds
MEMORY_MAX = 64  # KiB in a round: a third of a KiB for each refusal
ALERTS = {"": ("handshake_failure", "certificate_required"), "other": ("unknown_ca",) * 2}
ALERTS.update({"self-signed": ("unknown_ca",) * 2, "expired": ("certificate_expired",) * 2})


class Stranger:
    def __init__(self, tls, certificate, directory):
        self.name = "TLS %s, certificate %s" % (tls, certificate or "none")
        self.tls = tls
        self.alert = ALERTS[certificate][tls == "1.3"]
        self.context = context_of(tls, certificate and "%s/%s.pem" % (directory, certificate))
        self.session = None

    def come(self, port, speaks):
        talk = Talk(Wire(port), self.context, self.session)
        talk.shake()
        if talk.handshake == "done":
            if speaks:
                talk.write(REQUEST)
            talk.read(rb"(?!)", 10)
        if talk.over and not talk.complaint:
            talk.close()
        talk.await_end()
        self.session = talk.tls.session
        talk.wire.socket.close()
        return talk

    def has_ticket(self):
        return self.session is not None and self.session.has_ticket


def complaints(stranger, talk, answer, keeps_alerts):
    """What is wrong with this refusal."""
    if talk.tls.session_reused or (stranger.tls == "1.3" and stranger.has_ticket()):
        yield "a session that can be resumed"
    if answer.startswith("reject "):
        head = b"HTTP/1.1 %s " % answer.split()[1].encode()
        if not talk.text.startswith(head) or not re.search(rb"(?i)\r\nConnection: close\r\n", talk.text):
            yield "no such answer"
        if talk.complaint or talk.wire.end != "eof":
            yield "no end in order"
        return
    if talk.text:
        yield "an answer"
    if answer == "reject":
        if talk.alert != stranger.alert and not (keeps_alerts and talk.alert == "-"):
            yield "another alert than " + stranger.alert
        if talk.wire.end == "open":
            yield "no end"
        return
    if talk.wire.since > 0 or talk.alert != "-":
        yield "bytes after the last flight"
    if talk.wire.end != {"close": "eof", "close reset": "reset"}[answer]:
        yield "another end"


def descendants(process):
    parents = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="latin-1") as file:
                words = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(path.split("/")[2])] = int(words[1])
    found = {process}
    for _ in parents:
        found |= {child for child, parent in parents.items() if parent in found}
    return found


def usage(process):
    """Descriptors, and KiB of memory that is the processes' own."""
    descriptors = memory = 0
    for one in descendants(process):
        try:
            descriptors += len(os.listdir("/proc/%d/fd" % one))
            with open("/proc/%d/status" % one, encoding="latin-1") as file:
                memory += sum(map(int, re.findall(r"Rss(?:Anon|Shmem):\s+(\d+)", file.read())))
        except OSError:
            continue
    return descriptors, memory


def settled(process, descriptors):
    """Some hosts close a moment later."""
    end = time.monotonic() + SETTLE
    while usage(process)[0] > descriptors and time.monotonic() < end:
        time.sleep(0.05)
    return usage(process)


class Trial:
    def __init__(self, options):
        self.options = options
        self.wrong = []
        combinations = itertools.product(("1.2", "1.3"), ALERTS)
        self.strangers = itertools.cycle([Stranger(*each, options.directory) for each in combinations])

    def refuse(self, count):
        speaks = self.options.answer.startswith("reject")
        for stranger in itertools.islice(self.strangers, count):
            talk = stranger.come(self.options.port, speaks)
            for complaint in complaints(stranger, talk, self.options.answer, self.options.keeps_alerts):
                seen = (talk.handshake, talk.alert, talk.wire.since, talk.wire.end, talk.text[:40], talk.complaint)
                self.wrong.append("%s: %s: handshake %s, alert %s, %d bytes after, end %s, %r %s" % (stranger.name, complaint, *seen))

    def leaves_nothing(self):
        process = self.options.process
        time.sleep(0.5)
        before = usage(process)
        self.refuse(ROUND)
        after = settled(process, before[0])
        print("descriptors %d, then %d; KiB %d, then %d" % (before[0], after[0], before[1], after[1]))
        return after[0] <= before[0] and after[1] <= before[1] + MEMORY_MAX


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("answer")
    parser.add_argument("process", type=int)
    parser.add_argument("directory")
    parser.add_argument("--keeps-alerts", action="store_true")
    trial = Trial(parser.parse_args())
    trial.refuse(WARM_UP)
    if not trial.wrong and not any(trial.leaves_nothing() for _ in range(ROUNDS)):
        trial.wrong.append("each round left something behind")
    print("\n".join(trial.wrong[:20]))
    return 1 if trial.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
