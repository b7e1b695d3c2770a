"""An incident written up by two watches, and the watch handed over, from the command line."""

import json
import re
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from two_terminals import Party, blue, parties, red, wait_for_words

from deconflict.cli import main

pytestmark = pytest.mark.processes

__all__ = ["blue", "parties", "red"]  # the fixtures: two nodes that run, with terms

PERIOD = ("--from", "2015-09-01T00:00:00Z", "--until", "2015-10-01T00:00:00Z")


def test_the_whole_story_from_opening_to_a_stranger_with_the_record(
    blue: Party, red: Party, tmp_path: Path
) -> None:
    assert "No incident is open." in blue.ok("incident", "list")
    said = blue.ok(
        *("incident", "open", "--what", "close-pass", "--at", "2015-09-30T06:12:00Z"),
        *("--place", "35 52.1 N 36 12.4 E", "--level", "FL210", "--risk", "b"),
        account="olga",
    )
    incident = re.search(r"Incident ([0-9a-f]{32})", said)
    assert incident is not None
    name = incident[1][:8]
    red.wait_for("INCIDENT OPENED")

    # Two accounts, an hour and 76 km apart, and what a source without a line says.
    blue.ok(
        *("incident", "account", name, "--field", "time=2015-09-30T06:12:00Z"),
        *("--field", "closest_m=805", "--place", "there=35.20 N 40.00 E"),
        account="olga",
    )
    wrong = red.json("incident", "account", name, "--field", "closest_m=50")
    red.ok(
        *("incident", "account", name, "--field", "time=2015-09-30T07:12:00Z"),
        *("--field", "closest_m=500", "--place", "there=35.20 N 40.835 E"),
        *("--as-published", "10:12 local", "--correct", wrong["hash"]),
    )
    wait_for_words(lambda: blue.ok("incident", "list"), "closest_m")
    shown = blue.ok("incident", "show", name)
    assert re.search(r"!= +there +35\.2000000, 40\.0000000 +35\.2000000, 40\.8350000", shown)
    assert "time: 1 h apart" in shown
    assert "41.1 NM (76.0 km) apart" in shown
    assert "Accounts: 2; more in the record, corrected or older: 1" in shown
    kept = blue.ok("incident", "account", name, "--by", "newspaper", "--field", "closest_m=1")
    assert "sent to nobody" in kept
    assert "NEWSPAPER, no line" in blue.ok("incident", "show", name)
    assert "NEWSPAPER" not in red.ok("incident", "show", name)

    picture = tmp_path / "screen.png"
    picture.write_bytes(b"\x89PNG what the screen showed")
    red.ok("incident", "evidence", name, picture)
    red.ok("incident", "risk", name, "undetermined")
    blue.ok("incident", "risk", name, "a")
    wait_for_words(lambda: blue.ok("incident", "show", name), "D, undetermined")
    assert "is the file that red named" in blue.ok("incident", "evidence", name, picture, "--check")

    blue.ok(
        *("incident", "breach", "line-crossed", "--at", "2015-09-30T06:12:00Z"),
        *("--named", "the river line", "--incident", name, "--reference", "N-17"),
    )
    gone = blue.json(
        *("incident", "breach", "no-answer", "--at", "2015-09-30T06:20:00Z", "--about"),
        blue.last("RISK")["hash"],
    )
    assert (
        "corrects it"
        in blue.run(
            *(
                "incident",
                "breach",
                "other",
                "--at",
                "2015-09-30T06:20:00Z",
                "--about",
                gone["hash"],
            )
        ).output
    )
    assert (
        "corrects it"
        in blue.run(
            *("incident", "account", name, "--field", "a_m=1", "--correct", gone["hash"])
        ).output
    )
    blue.ok("incident", "breach", "--withdraw", gone["hash"])
    wait_for_words(lambda: red.ok("log"), "withdrawn")
    counts = [party.json("incident", "tally", *PERIOD) for party in (blue, red)]
    assert (
        counts[0]["numbers"]
        == counts[1]["numbers"]
        == {
            "CLOSE_PASS": 1,
            "BREACH_LINE_CROSSED": 1,
        }
    )
    assert [e["message"] for e in counts[0]["entries"]] == [
        e["message"] for e in counts[1]["entries"]
    ]
    red.ok("incident", "tally", *PERIOD, "--say")
    wait_for_words(lambda: blue.ok("incident", "tally", "--said"), "gives the same, entry by entry")

    record = tmp_path / "record.deconflict"
    deadline = time.monotonic() + 30
    blue.ok("export", "--out", record)
    keys = [
        word
        for party in (blue, red)
        for word in ("--key", f"{party.name}={party.folder / f'{party.name}.invitation'}")
    ]
    assert time.monotonic() < deadline
    proven = CliRunner().invoke(main, ["verify", str(record), *keys, "--evidence", str(picture)])
    assert proven.exit_code == 0, proven.output
    assert "1 incident, 3 accounts; 1 file named as evidence; 3 breach notes" in proven.output
    assert "1, of which 1 as the record gives" in proven.output
    assert "NAMED" in proven.output
    pages = CliRunner().invoke(main, ["verify", str(record), *keys, "--incidents"])
    assert re.search(r"!= +closest_m +805 +500", pages.output)
    assert "41.1 NM (76.0 km) apart" in pages.output
    assert "NEWSPAPER" not in pages.output
    facts = json.loads(
        CliRunner().invoke(main, ["verify", str(record), *keys, "--incidents", "--json"]).output
    )
    assert facts["pages"][0]["incident_id"] == incident[1]
    picture.write_bytes(b"\x89PNG what the screen did not show")
    other = CliRunner().invoke(
        main, ["verify", str(record), *keys, "--evidence", str(picture), "--json"]
    )
    assert other.exit_code == 1
    assert json.loads(other.output)["files"][0]["named"] == []
    refused = blue.run("incident", "evidence", name, picture, "--check")
    assert refused.exit_code == 1
    assert "is no file that was named" in refused.output


def test_what_cannot_be_said_is_refused_in_words(blue: Party, tmp_path: Path) -> None:
    for words, why in (
        (("incident", "account", "00ff00ff", "--field", "a_m=1"), "no incident has this id"),
        (("incident", "account", "00" * 16, "--field", "a_m=1"), "no incident of this id"),
        (("incident", "breach"), "what is noted?"),
        (("incident", "breach", "no-answer"), "when was it?"),
        (
            ("incident", "breach", "no-answer", "--at", "2015-09-30T06:12:00Z"),
            "names nothing",
        ),
        (("incident", "tally"), "which tally?"),
        (("incident", "tally", "--said", "--say"), "which tally?"),
        (("incident", "tally", "--from", "2015-09-30T06:12:00Z"), "of which period?"),
        (("incident", "tally", *PERIOD[2:], "--from", "2016-01-01T00:00:00Z"), "is empty"),
        (("line", "handover", "--sign-off", "--take"), "what is to be done"),
        (("line", "handover", "--with-open"), "what is to be done"),
    ):
        refused = blue.run(*words)
        assert refused.exit_code == 2, (words, refused.output)
        assert why in refused.output, (words, refused.output)


def test_the_watch_is_handed_over_and_the_peer_learns_desk_time_and_languages(
    blue: Party, red: Party, tmp_path: Path
) -> None:
    asked = red.json(
        *("line", "cease", "--place", "35.40 N 35.95 E", "--reach", "2km"),
        account="olga",
    )
    wait_for_words(lambda: blue.ok("line", "handover"), "cease request from red")
    refused = blue.run("line", "handover", "--sign-off", account="olga")
    assert refused.exit_code == 2
    assert "left open" in refused.output
    assert "--with-open" in refused.output
    blue.ok("line", "answer", asked["hash"], "ceased", account="olga")
    assert "Signed off." in blue.ok("line", "handover", "--sign-off", account="olga")
    assert "is signed off" in blue.run("line", "handover", "--take", account="olga").output
    assert "Handover of the watch" in blue.ok("line", "handover", account="olga")
    red.ok(
        *("line", "query", "--place", "35 52.1 N 36 12.4 E", "--level", "FL210"),
        *("--course", "090", "--speed", "450 kt"),
    )
    wait_for_words(lambda: blue.ok("line", "handover"), "query from red")
    taken = blue.ok("line", "handover", "--take", "--language", "en", "--language", "ru")
    assert re.search(r"\[ \] NEW .*\n +Open: query from red", taken)
    wait_for_words(lambda: red.ok("log"), "Languages on watch: en, ru.")
    change = red.last("WATCH_CHANGE")
    assert set(change["body"]) == {"desk", "at_utc", "languages"}
    out = tmp_path / "sheet.txt"
    blue.ok("line", "handover", "--out", out)
    assert out.read_text().startswith("Handover of the watch: blue, watch, ")
    assert blue.run("line", "handover", "--out", out).exit_code == 2
    sheet = blue.json("line", "handover", "--hours", "1")
    assert sheet["signed_off_utc"] is None
    assert {item["part"] for item in sheet["items"]} >= {"QUERIES", "CHECKS"}
