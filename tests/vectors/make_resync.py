"""Writes ``vectors/resync.json``: questions and answers (specs/packets.md §7), and none of them.

    python tests/vectors/make_resync.py

The json module and the published chain alone: nothing of the code under test is imported, so what
it decodes was not written by it.
"""

import base64
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "vectors"
NONCE = "0c" * 16


def chain() -> dict[str, Any]:
    """Return the published chain, whose entries and receipts the answers hold."""
    content: dict[str, Any] = json.loads((FOLDER / "chain.json").read_text("utf-8"))
    return content


def line_of(value: dict[str, Any]) -> str:
    """Return a packet as one line, its keys in the order given."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def held(published: dict[str, Any], item: dict[str, Any]) -> dict[str, str]:
    """Return a signed thing within an answer."""
    return {
        "data": base64.b64encode(item["text"].encode()).decode(),
        "algorithm": "Ed25519",
        "key_id": published["parties"][item["by"]]["key_id"],
        "signature": base64.b64encode(bytes.fromhex(item["signature"])).decode(),
    }


def point(item: dict[str, Any]) -> dict[str, Any]:
    """Return the place of an entry in its chain."""
    said = json.loads(item["text"])
    return {"epoch": said["epoch"], "seq": said["seq"], "hash": item["sha256"]}


def question(line: str, role: str, after: dict[str, Any] | None) -> dict[str, Any]:
    """Return a question, its keys in the order of the specification."""
    return {"type": "question", "line": line, "role": role, "nonce": NONCE, "after": after}


def answer(line: str, role: str, **said: Any) -> dict[str, Any]:
    """Return an answer, its keys in the order of the specification."""
    plain = {"deaf": False, "begins": True, "head": None, "entries": [], "receipt": None}
    return {"type": "answer", "line": line, "role": role, "nonce": NONCE, **(plain | said)}


def made() -> dict[str, Any]:
    """Return the whole file."""
    published = chain()
    line = published["line"]
    entries = [
        item for item in published["items"] if (item["by"], item["type"]) == ("blue", "envelope")
    ]
    receipts = [
        item for item in published["items"] if (item["by"], item["type"]) == ("red", "receipt")
    ]
    signed = [held(published, item) for item in entries]
    first, last = point(entries[0]), point(entries[-1])
    receipt = held(published, receipts[-1])
    asked = question(line, "AUTHOR", first)
    whole = answer(line, "AUTHOR", head=last, entries=signed[1:], receipt=receipt)
    good = [
        ("an author asks from the start", question(line, "AUTHOR", None)),
        ("an author asks behind its first entry", asked),
        ("a listener asks behind the first entry", question(line, "LISTENER", first)),
        ("nothing is held of that chain", answer(line, "AUTHOR")),
        ("all of it from the start", answer(line, "AUTHOR", head=last, entries=signed)),
        ("what stands behind the first, and its receipt", whole),
        ("a deaf one answers, which is no receipt", answer(line, "AUTHOR", deaf=True, head=last)),
        ("it does not hold what was to be begun behind", answer(line, "AUTHOR", begins=False)),
        ("an author says its chain again", answer(line, "LISTENER", head=last, entries=signed)),
    ]
    turned = dict(reversed(asked.items()))
    bad: list[tuple[str, str]] = [
        ("a question with its keys in another order", line_of(turned)),
        ("a question without its nonce", line_of(without(asked, "nonce"))),
        ("a nonce too short", line_of(asked | {"nonce": "0c" * 15})),
        ("a nonce in capitals", line_of(asked | {"nonce": "0C" * 16})),
        ("no such role", line_of(asked | {"role": "WITNESS"})),
        ("a key more", line_of(asked | {"urgent": True})),
        ("a point without its hash", line_of(asked | {"after": without(first, "hash")})),
        ("a point of number nought", line_of(asked | {"after": first | {"seq": 0}})),
        ("a space behind a colon", line_of(asked).replace('"role":', '"role": ')),
        ("no newline at the end", line_of(asked).removesuffix("\n")),
        ("a number for true", line_of(whole | {"begins": 1})),
        ("an answer without its receipt", line_of(without(whole, "receipt"))),
        ("an entry with a type", line_of(whole | {"entries": [{"type": "envelope"} | signed[0]]})),
        (
            "an entry with the place of a second signature",
            line_of(whole | {"entries": [signed[0] | {"second_signature": None}]}),
        ),
        (
            "another base64 spelling of an entry",
            line_of(whole | {"entries": [signed[0] | {"data": signed[0]["data"] + "\n"}]}),
        ),
        ("257 entries", line_of(whole | {"entries": [_small(signed[0])] * 257})),
        ("the head as text", line_of(whole | {"head": last["hash"]})),
    ]
    return {
        "about": "good: each line decodes and encodes to the same text; signed things in it verify "
        "with the keys of chain.json. bad: decoding the body raises InvalidDocumentError. "
        "specs/packets.md §7.",
        "source": "made by tests/vectors/make_resync.py from chain.json (keys of RFC 8032 §7.1 "
        "TEST 1 and 2), with the json module alone; signatures checked in its tests by the "
        "cryptography package's Ed25519",
        "good": [{"name": name, "text": line_of(value)} for name, value in good],
        "bad": [{"name": name, "text": text} for name, text in bad],
    }


def without(value: dict[str, Any], key: str) -> dict[str, Any]:
    """Return a copy that lacks one key."""
    return {name: held for name, held in value.items() if name != key}


def _small(signed: dict[str, str]) -> dict[str, str]:
    return signed | {"data": "e30=", "signature": "AA=="}


def written() -> str:
    """Return the text of the file."""
    return json.dumps(made(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    (FOLDER / "resync.json").write_text(written(), "utf-8")
