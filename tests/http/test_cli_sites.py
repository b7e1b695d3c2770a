"""Who speaks for protected sites declares them, and sees how far each recipient has them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from at_terminal import AtTerminal
from fastapi import FastAPI
from stand_in import PEER, StandInNode

from deconflict.api.accounts import Accounts

SITE = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [36.0, 35.0]},
    "properties": {
        "purpose": "PROTECTED_SITE",
        "label": "hospital",
        "radius": "500 m",
        "lower": "0 ft AMSL",
        "upper": "3000 ft AMSL",
        "start_utc": "2015-10-01T06:00:00Z",
        "end_utc": "2015-10-02T06:00:00Z",
    },
}


@pytest.fixture
def notifier(
    app: FastAPI, accounts: Accounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[AtTerminal]:
    monkeypatch.chdir(tmp_path)
    Path("site.geojson").write_text(json.dumps(SITE))
    made = AtTerminal(app, accounts, "humanitarian_notifier", monkeypatch)
    yield made
    made.leave()


def declares(notifier: AtTerminal, *words: str) -> str:
    return notifier.types("declare", "site.geojson", "--line", PEER, *words)


def test_a_notifier_who_declares_a_site_is_told_that_it_is_declared_and_to_whom(
    notifier: AtTerminal, node: StandInNode
) -> None:
    said = declares(notifier)
    (site,) = node.declared
    assert site[:10] in said
    assert f"1 declaration on 1 line ({PEER})" in said
    assert "too close to anything is shown to others of your party alone" in said


def test_what_a_notifier_is_not_shown_does_not_read_as_no_conflict(notifier: AtTerminal) -> None:
    assert json.loads(declares(notifier, "--json"))["conflicts"] is None


def test_a_notifier_lists_own_sites_and_how_far_each_recipient_has_them(
    notifier: AtTerminal,
) -> None:
    assert "No protected site of yours is declared." in notifier.types("declare", "--list")
    declares(notifier)
    for words in (("--list",), ("--list", "--sites", "--all")):
        (row,) = [
            line for line in notifier.types("declare", *words).splitlines() if "hospital" in line
        ]
        assert PEER in row
        assert " delivered " in row
        assert " no " in row


def test_a_notifier_ends_and_changes_a_site_without_reading_anything_else(
    notifier: AtTerminal, node: StandInNode
) -> None:
    declares(notifier)
    (site,) = node.declared
    assert "is updated" in declares(notifier, "--update", site[:8])
    assert "is cancelled" in notifier.types("declare", "--cancel", site[:8])


def test_an_exercise_marks_what_a_notifier_sees_of_a_site(
    notifier: AtTerminal, node: StandInNode
) -> None:
    node.drilling = "2015-09-30T08:00:00.000Z"
    assert "DRILL: protected site, labelled hospital" in declares(notifier)
