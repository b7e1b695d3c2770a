"""Each numbered requirement of the field is named by a test, or stands here with why none is.

Where one is kept after all, a test names it, and this file says that it has to go from the table.
"""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
NUMBERS = {f"R{number}" for number in range(1, 52)}
WAITING = {
    "R17": "what a side has not read back is shown; lines agreed by voice cannot be recorded",
    "R21": "a node has no tracks",
    "R22": "a node has no tracks",
    "R23": "a node has no tracks",
    "R49": "a node has no tracks; for how many days a record is kept is agreed, and not acted on",
}


def test_each_requirement_is_named_by_a_test_or_waits_for_a_stated_reason() -> None:
    named: set[str] = set()
    for file in TESTS.rglob("test_*.py"):
        if file != Path(__file__):
            named |= NUMBERS.intersection(re.findall(r"\bR\d{1,2}\b", file.read_text("utf-8")))
    assert NUMBERS - named == WAITING.keys()
