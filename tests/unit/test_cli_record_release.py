"""Who reads a message is told to whom it may be passed on now, not as it was once written (R42)."""

from typing import Any

import pytest

from deconflict.cli.record import show_message


def shown(capsys: pytest.CaptureFixture[str], *, written: str, now: str) -> str:
    item: dict[str, Any] = {
        "kind": "SAFETY",
        "outgoing": False,
        "logged_utc": "2015-09-30T06:12:00.000Z",
        "created_utc": "2015-09-30T06:12:00.000Z",
        "text": "red says something.",
        "from_party": "red",
        "from_desk": "watch",
        "to_party": "blue",
        "to_desk": "watch",
        "state": "LOGGED",
        "delayed": False,
        "escalation": 0,
        "late_ms": None,
        "precedence": "FLASH",
        "ref": None,
        "release": written,
        "release_now": now,
        "language": "en",
        "seq": 7,
        "epoch": "00" * 16,
        "hash": "ab" * 32,
        "body": {},
    }
    show_message(item, as_json=False)
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("release"))
    return line.removeprefix("release").strip()


def test_a_consent_taken_back_is_what_a_reader_sees(capsys: pytest.CaptureFixture[str]) -> None:
    line = shown(capsys, written="OWN_FORCES", now="NONE")
    assert line == "NONE by its author's later word; written OWN FORCES"


def test_without_a_later_word_stands_what_was_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, written="COALITION", now="COALITION") == "COALITION"
