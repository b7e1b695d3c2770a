"""The whole story of calls, between two nodes in processes of their own, from their terminals."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import icalendar
import pytest
from bench.nodes import Party, agree, make_pair, running
from click.testing import CliRunner, Result

from deconflict.airspace import format_utc
from deconflict.cli import main
from deconflict.cli.client import token_path
from deconflict.cli.options import write_private
from deconflict.node.folder import NodeFolder

pytestmark = pytest.mark.processes

WAIT_S = 20.0
BEGUN_S = time.time_ns() // 1_000_000_000
ROLES = ("--ours", "senior-1,interpreter", "--theirs", "senior-1,interpreter")


@dataclass
class Desk:
    """One party's terminal."""

    party: Party

    def run(self, *words: object) -> Result:
        return CliRunner().invoke(main, [*map(str, words), "--node", str(self.party.folder)])

    def ok(self, *words: object, code: int = 0) -> str:
        result = self.run(*words)
        assert result.exit_code == code, result.output
        return result.output

    def json(self, *words: object) -> Any:
        return json.loads(self.ok(*words, "--json"))

    def wait_for(self, *words: object, says: str) -> str:
        deadline = time.monotonic() + WAIT_S
        while says not in (text := self.run(*words).output):
            assert time.monotonic() < deadline, text
            time.sleep(0.2)
        return text

    def refused(self, *words: object, says: str) -> None:
        result = self.run(*words)
        assert result.exit_code == 2, result.output
        assert says in result.output


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Desk]]:
    west, east = make_pair(tmp_path_factory.mktemp("calls"))
    for party in (west, east):
        write_private(token_path(party.folder, "boris"), party.token)
    with running(west, east):
        agree(west, east)
        yield Desk(west), Desk(east)


def at(minutes: int) -> str:
    return format_utc((BEGUN_S + minutes * 60) * 1_000)


def arranged(west: Desk, east: Desk) -> str:
    """Have a call asked for and accepted; return what names it."""
    asked = west.json("line", "call", "request", "--tier", "watch", "--slot", f"{at(60)}+30min")
    east.wait_for("line", "call", "list", says=asked["hash"][:10])
    accepted = east.json("line", "call", "accept", asked["hash"][:10])["hash"]
    west.wait_for("line", "call", "list", says=accepted[:10])
    return str(accepted)


def held_early(desk: Desk, call: str) -> None:
    desk.ok("line", "call", "record", call[:10], "--start", at(-9), "--end", at(-5), *ROLES)


def verified(desk: Desk, other: Desk, tmp_path: Path) -> tuple[str, Any]:
    """Export the record of one side and prove it offline with both invitations alone."""
    bundle = tmp_path / f"{desk.party.name}.deconflict"
    desk.ok("export", "--out", bundle)
    keys = [
        f"--key={d.party.name}={NodeFolder.open(d.party.folder).invitation_path}"
        for d in (desk, other)
    ]
    words = [str(word) for word in ("verify", bundle, *keys)]
    text = CliRunner().invoke(main, words)
    assert text.exit_code == 0, text.output
    return text.output, json.loads(CliRunner().invoke(main, [*words, "--json"]).output)["calls"]


def test_three_calls_from_the_request_to_the_proof(
    desks: tuple[Desk, Desk], tmp_path: Path
) -> None:
    west, east = desks
    # Asked for, countered, accepted.
    asked = west.ok(
        *("line", "call", "request", "--tier", "senior-1", "--subject", "incident"),
        *("--slot", f"{at(60)}+50min", "--slot", f"{at(120)}+50min"),
        *("--language", "en", "--language", "ru", "--by", "phone", "--by", "video"),
    )
    name = re.search(r"TALK_REQUEST to east, ([0-9a-f]{10})", asked)
    assert name is not None
    assert "That is no answer." in asked
    east.wait_for("line", "status", says="waits for our answer")
    west.refused("line", "call", "accept", name[1], "--time", 1, says="--by")
    west.refused(
        *("line", "call", "accept", name[1], "--time", 1, "--by", "phone"),
        says="your own side",
    )
    east.refused("line", "call", "accept", name[1], says="which time?")
    east.ok("line", "call", "propose", name[1], "--slot", f"{at(180)}+40min", "--by", "phone")
    west.wait_for("line", "call", "list", says="waits for our answer")
    call = west.json("line", "call", "accept", name[1])["hash"]
    east.wait_for("line", "call", "list", says="arranged")
    for desk in desks:
        assert "1 call asked for or arranged" in desk.ok("line", "status")
        peer = "east" if desk is west else "west"
        assert f"A call with {peer} is arranged from" in desk.ok("line", "handover")

    # In a calendar.
    file = tmp_path / "call.ics"
    east.ok("line", "call", "ics", call[:10], "--out", file)
    east.refused("line", "call", "ics", call[:10], "--out", file, says="--force")
    events = icalendar.Calendar.from_ical(file.read_bytes()).walk("VEVENT")
    assert [str(e["STATUS"]) for e in events] == ["CANCELLED", "CANCELLED", "CONFIRMED"]
    assert {e["SEQUENCE"] for e in events} == {2}

    # Held, and recorded with different ends.
    for desk, end in ((west, at(-10)), (east, at(-4))):
        desk.ok("line", "call", "record", call[:10], "--start", at(-50), "--end", end, *ROLES)
    for desk in desks:
        shown = desk.wait_for("line", "call", "list", call[:10], says="differ in end")
        assert "6 min apart" in shown
        assert "is arranged from" not in desk.ok("line", "handover")  # it was held
        assert "none is chosen" in desk.wait_for(
            "line", "status", "--all", says="RECORDS OF A CALL"
        )

    # Notes and drafts at home, then a readout that both sign.
    west.ok("line", "call", "note", call[:10], "They were in a hurry.")
    draft = west.json(
        "line", "readout", "draft", call[:10], "--text", "en=Both sides spoke of the event."
    )["paper_id"]
    west.ok(
        "line", "readout", "draft", call[:10], "--draft", draft, "--text", "ru=Стороны говорили."
    )
    kept = west.ok("line", "readout", "show", call[:10])
    assert "kept here; only what is proposed, stated or signed is sent" in kept
    west.ok("line", "readout", "propose", call[:10], "--draft", draft)
    east.wait_for("line", "readout", "show", call[:10], says="not signed by the other side")
    assert "never sent" not in west.ok("line", "readout", "show", call[:10])  # its text was
    assert "hurry" not in east.ok("line", "readout", "show", call[:10])
    proposed = east.json("line", "readout", "show", call[:10])["call"]["readouts"][0]
    east.refused("line", "readout", "agree", call[:10], "--hash", "0" * 10, says="another text")
    east.ok("line", "readout", "agree", call[:10], "--hash", proposed["readout_hash"][:10])
    west.wait_for("line", "readout", "show", call[:10], says="signed by both sides")
    west.ok("line", "readout", "draft", "--delete", draft)
    assert "draft" not in west.ok("line", "readout", "show", call[:10])

    # A second call, held before its time: each side's own. A third: details withheld.
    second = arranged(west, east)
    west.refused("line", "readout", "own", second[:10], "--text", "en=We.", says="has not begun")
    held_early(west, second)
    east.wait_for("line", "call", "list", second[:10], says="phone")
    for desk, text in ((west, "We stated our view."), (east, "We listened.")):
        desk.ok("line", "readout", "own", second[:10], "--text", f"en={text}")
        other = west if desk is east else east
        other.wait_for("line", "readout", "show", second[:10], says=text)
    third = arranged(east, west)
    held_early(east, third)
    east.ok("line", "readout", "withhold", third[:10])
    west.wait_for("line", "readout", "show", third[:10], says="east withholds details")

    # A stranger proves all of it, from either side's record.
    for desk, peer in ((west, east), (east, west)):
        text, calls = verified(desk, peer, tmp_path)
        assert "VERIFIED" in text
        assert "the same bytes" in text
        by_name = {each["call_id"]: each for each in calls}
        assert by_name[call]["differing"] == ["end_utc"]
        (agreed,) = by_name[call]["readouts"]
        assert (agreed["state"], sorted(agreed["signed_by"])) == ("AGREED", ["east", "west"])
        assert agreed["readout_hash"] == proposed["readout_hash"]
        own = by_name[second]["readouts"]
        assert sorted((one["state"], *one["signed_by"]) for one in own) == [
            ("OWN", "east"),
            ("OWN", "west"),
        ]
        (withheld,) = by_name[third]["readouts"]
        assert (withheld["state"], withheld["signed_by"]) == ("WITHHELD", ["east"])
        assert b"hurry" not in (tmp_path / f"{desk.party.name}.deconflict").read_bytes()


def test_a_call_is_declined_or_called_off_and_that_is_an_answer(desks: tuple[Desk, Desk]) -> None:
    west, east = desks
    asked = west.json("line", "call", "request", "--tier", "working", "--slot", f"{at(30)}+10min")
    east.wait_for("line", "call", "list", says=asked["hash"][:10])
    assert "stand by" in east.ok("line", "call", "standby", asked["hash"][:10])
    again = east.ok("line", "call", "standby", asked["hash"][:10])
    assert "Said already: stand by" in again
    assert "It is not signed again" in again
    east.ok("line", "call", "decline", asked["hash"][:10], "--reason", "time")
    west.wait_for("line", "call", "list", asked["hash"][:10], says="declined")
    call = arranged(west, east)
    west.ok("line", "call", "cancel", call[:10], "--reason", "settled")
    assert "the matter is settled" in east.wait_for("line", "status", "--all", says="CALLED OFF")


def test_words_and_names_that_a_call_cannot_hold_are_refused(
    desks: tuple[Desk, Desk], tmp_path: Path
) -> None:
    west, _ = desks
    west.refused("line", "call", "request", "--tier", "watch", says="when?")
    west.refused(
        *("line", "call", "request", "--tier", "watch", "--slot", "tomorrow+30min"), says="relative"
    )
    west.refused(
        *("line", "call", "record", "--start", at(-9), "--end", at(-5), "--tier", "watch"),
        *("--by", "phone", "--language", "en", "--ours", "Col. Smith", "--theirs", "planner"),
        says="never persons",
    )
    call = west.json(
        *("line", "call", "record", "--start", at(-9), "--end", at(-5), "--tier", "watch"),
        *("--by", "phone", "--language", "en", "--ours", "watch-officer"),
        *("--theirs", "watch-officer"),
    )["hash"]
    west.refused(
        "line",
        "readout",
        "own",
        call[:10],
        "--text",
        "en=They granted permission",
        says="granted",
    )
    (tmp_path / "ru.txt").write_bytes("Стороны говорили.".encode("cp1251"))
    file = f"ru={tmp_path / 'ru.txt'}"
    west.refused("line", "readout", "own", call[:10], "--file", file, says="UTF-8 text")


def test_a_call_that_nobody_arranged_is_found_by_its_record(desks: tuple[Desk, Desk]) -> None:
    west, _ = desks
    call = west.json(
        *("line", "call", "record", "--start", at(-9), "--end", at(-5), "--tier", "watch"),
        *("--by", "phone", "--language", "en", "--ours", "planner", "--theirs", "planner"),
    )["hash"]
    assert f"Call {call[:10]} with east" in west.ok("line", "call", "list", call[:10])
    west.refused("line", "call", "list", call[:3], says="too short for the id of a call")
    west.refused("line", "call", "list", call[:10] + "z", says="no call has this id")
    note = west.json("line", "call", "note", call[:10], "They were in a hurry.")["paper_id"]
    assert "hurry" in west.ok("line", "call", "note", call[:10])
    assert f"{note} is thrown away" in west.ok("line", "call", "note", "--delete", note)
    assert "No notes" in west.ok("line", "call", "note", call[:10])
