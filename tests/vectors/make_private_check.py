"""Writes the section ``session`` of ``vectors/private-check.json`` (specs/private-check.md).

    python -m tests.vectors.make_private_check

By the slow twin alone: nothing of the code under test is imported. The other sections are published
vectors and stay as they are.
"""

import json
from pathlib import Path
from typing import Any

from tests.oracle import sealed_twin as twin

FILE = Path(__file__).parents[2] / "vectors" / "private-check.json"
RECEIVER, SENDER, SSID = bytes([1]) * 32, bytes([2]) * 32, bytes([3]) * 32
PER_SLOT, LENGTH = 3, 10
SALT_PLACES = [(7, 0), (7, 1), (2**32 - 1, 65_534)]


def cell(slot: int, x: int, y: int, z: int) -> bytes:
    """Return the id of a cell."""
    return slot.to_bytes(4, "big") + b"".join(n.to_bytes(2, "big") for n in (x, y, z))


def session() -> dict[str, Any]:
    """Return the whole section; the cell at 1, 2, 3 in slot 7 is the one that both hold."""
    asked = {7: [cell(7, 1, 2, 3), cell(7, 1, 2, 4)], 8: [], 2**32 - 1: [cell(2**32 - 1, 9, 9, 9)]}
    held = {7: [cell(7, 1, 2, 3), cell(7, 5, 5, 5)], 8: [cell(8, 1, 2, 4)]}
    slots = sorted(asked)
    points = twin.blinded(RECEIVER, SSID, asked, PER_SLOT, LENGTH)
    evaluated, proofs = twin.evaluated(SENDER, SSID, slots, PER_SLOT, points)
    pads = [twin.derived("tag", SENDER, SSID, 0, index)[:12] for index in range(3)]
    made = {
        "source": "specs/private-check.md, by tests/vectors/make_private_check.py",
        "receiver": RECEIVER,
        "sender": SENDER,
        "ssid": SSID,
        "sender_key": twin.public_key(SENDER),
        "per_slot": PER_SLOT,
        "receiver_cells": {str(slot): asked[slot] for slot in slots},
        "sender_cells": {str(slot): held[slot] for slot in sorted(held)},
        "blinded": points,
        "evaluated": evaluated,
        "proofs": proofs,
        "receiver_tags": twin.tags(SENDER, SSID, asked),
        "sender_tags": twin.tags(SENDER, SSID, held),
        "pad_tags": b"".join(pads),
        "salt_places": SALT_PLACES,
        "salts": [
            twin.derived("salt", RECEIVER, twin.BEFORE, *place)[:32] for place in SALT_PLACES
        ],
    }
    return in_hexadecimal(made)


def in_hexadecimal(value: Any) -> Any:
    """Return the value with all its bytes as text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: in_hexadecimal(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [in_hexadecimal(item) for item in value]
    return value


if __name__ == "__main__":
    published = json.loads(FILE.read_text("utf-8"))
    published["session"] = session()
    FILE.write_text(json.dumps(published, indent=1) + "\n", "utf-8")
