"""tests/facts/chat-methods.tsv holds what the discovery document says that travels with Google's client.

As a program it prints the facts of the installed document about the methods in that file.
"""

import json
import unittest
from pathlib import Path

import googleapiclient

FACTS = Path(__file__).parent.parent / "facts" / "chat-methods.tsv"
DOCUMENT = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents" / "chat.v1.json"
SCOPE = "https://www.googleapis.com/auth/"
HEAD = (
    "# Facts of the Chat API's discovery document, revision {}: "
    "method, HTTP method, path, query parameters of its own, scopes."
)
MEND = "target/python/bin/python tests/python/discovery.py >facts.tsv && mv facts.tsv tests/facts/chat-methods.tsv"


def method(document, name):
    """A method by its name, such as spaces.members.create."""
    *resources, last = name.split(".")
    for resource in resources:
        document = document["resources"][resource]
    return document["methods"][last]


def fact(document, name):
    """A line about a method."""
    told = method(document, name)
    parameters = told.get("parameters", {})
    query = sorted(name for name, parameter in parameters.items() if parameter["location"] == "query")
    scopes = sorted(scope.removeprefix(SCOPE) for scope in told["scopes"])
    return "\t".join([name, told["httpMethod"], told["flatPath"], ",".join(query) or "-", ",".join(scopes)])


def facts(document, names):
    """The lines of the file, without their ends."""
    return [HEAD.format(document["revision"]), *(fact(document, name) for name in names)]


def written():
    """The lines that are there."""
    return FACTS.read_text().splitlines()


def installed():
    """The lines as they should be."""
    names = [line.split("\t")[0] for line in written() if not line.startswith("#")]
    return facts(json.loads(DOCUMENT.read_text()), names)


class Facts(unittest.TestCase):
    maxDiff = None

    def test_the_facts_are_those_of_the_document(self):
        there, expected = written(), installed()
        if there[0] != expected[0]:
            self.fail(
                f"the facts and the installed document are of different revisions.\n"
                f"  facts:     {there[0]}\n  installed: {expected[0]}\n"
                f"Mend it with\n  {MEND}\nand let src/chat and src/emulator follow what has changed."
            )
        self.assertEqual(there, expected, f"mend it with\n  {MEND}")


if __name__ == "__main__":
    print("\n".join(installed()))
