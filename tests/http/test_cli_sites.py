"""Who speaks for protected sites declares them, and sees how far each recipient has them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from api_parts import Client
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


def test_a_notifier_sees_its_lines_sites_and_warnings_with_what_answers_them(
    notifier: AtTerminal, node: StandInNode
) -> None:
    declares(notifier)
    asked = node.say("CEASE", {}, precedence="FLASH", state="SEEN").hash
    node.say("ACK", {"answer": "ROGER"}, outgoing=False)
    node.sent[-1] = replace(node.sent[-1], ref=asked)
    said = notifier.types("line", "status")
    assert f"{PEER}  UP " in said
    (row,) = [line for line in said.splitlines() if line.startswith("CEASE  ")]
    assert " seen at a desk " in row
    assert " ROGER " in row
    assert "hospital" in said
    assert "SENT" not in said.splitlines()[2]  # how much a line carries is not for who notifies


def test_a_warning_that_nobody_answered_stands_as_no_answer(
    notifier: AtTerminal, node: StandInNode
) -> None:
    node.say("SAFETY", {}, precedence="FLASH")
    (row,) = [
        line
        for line in notifier.types("line", "status").splitlines()
        if line.startswith("SAFETY  ")
    ]
    assert " NO ANSWER " in row


def test_a_notifier_requests_that_activity_around_its_site_cease(
    notifier: AtTerminal, node: StandInNode
) -> None:
    declares(notifier)
    (site,) = node.declared
    said = notifier.types("line", "cease", "--site", site[:8], "--reason", "civilians-there")
    assert said.startswith(f"CEASE to {PEER}")
    (_, _, asked) = next(call for call in node.calls if call[0] == "send")
    assert asked["kind"] == "CEASE"
    assert asked["body"]["reach_mm"] == 500_000
    assert asked["body"]["position"] == {"lat_e7": 350_000_000, "lon_e7": 360_000_000}


def test_a_notifier_sends_a_safety_message_and_reads_it_in_the_log(
    notifier: AtTerminal, node: StandInNode
) -> None:
    values = ("where=35.0, 36.0", "reach=1 km", "since=2015-09-30T06:00:00Z")
    stated = [word for value in values for word in ("--value", value)]
    assert notifier.types("line", "send", "--template", "208", *stated).startswith("SAFETY to")
    assert "SAFETY" in notifier.types("log")
    assert "SAFETY sent" in notifier.types("log", "--message", node.sent[-1].hash)


def test_a_notifier_is_refused_every_other_call_that_reads(
    app: FastAPI, accounts: Accounts
) -> None:
    token = accounts.issue("humanitarian_notifier", by="test").token
    client = Client(app, {"Authorization": f"Bearer {token}"})
    for path in ("lines", f"lines/{PEER}/messages", "alerts", "declarations", "conflicts"):
        assert client.get(f"/api/v1/{path}").status_code == 403, path
    for path in ("sites", "sites/lines", "sites/messages", "sites/alerts"):
        assert client.get(f"/api/v1/{path}").status_code == 200, path
    client.close()
