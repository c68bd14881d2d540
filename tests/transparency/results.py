"""results.py counts FILE, results.py differences FILE FILE - what CPython's --junit-xml says of its tests."""

import collections
import sys
import xml.etree.ElementTree as tree


def results(path):
    """How each test ended.  One name may stand for several tests (subtests)."""
    found = collections.defaultdict(list)
    for case in tree.parse(path).iter("testcase"):
        name = case.get("name")
        if case.find("error") is not None:
            ending = "error"
        elif case.find("failure") is not None:
            ending = "failure"
        elif case.find("skipped") is not None or case.get("result") == "skipped":
            ending = "skipped"
        else:
            ending = "passed"
        found[name].append(ending)
    return found


def counts(path):
    endings = collections.Counter(ending for all_of_one in results(path).values() for ending in all_of_one)
    return ", ".join(f"{endings[word]} {word}" for word in ("passed", "skipped", "failure", "error") if endings[word])


def differences(bare, covered):
    if not bare or not covered:
        yield "no results"
    for name in sorted(bare.keys() | covered.keys()):
        if sorted(bare[name]) != sorted(covered[name]):
            yield f"{name}: without {bare[name]}, with {covered[name]}"


if sys.argv[1] == "counts":
    print(counts(sys.argv[2]))
else:
    print(*differences(results(sys.argv[2]), results(sys.argv[3])), sep="\n")
