"""Two nodes in processes of their own, worked from the command line as two watches would."""

import json
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from bench.nodes import free_port
from click.testing import CliRunner, Result

from deconflict.airspace import format_utc
from deconflict.cli import main
from deconflict.cli.client import NodeClient
from deconflict.cli.interactive import ask_declaration

pytestmark = pytest.mark.processes

PASSWORDS = "admin a long evening at sea\nolga another long evening\nboris a third long evening\n"
START_S = 30.0
PERSONNEL = (
    *("--template", "208", "--value", "where=35.4012 N 35.9487 E", "--value", "reach=2km"),
    *("--value", "since=2015-09-30T06:12:00Z"),
)


@dataclass
class Party:
    """One party at its own terminal."""

    name: str
    folder: Path
    process: subprocess.Popen[str] | None = None

    def run(self, *words: object, account: str = "boris") -> Result:
        options = ("--node", self.folder, *(("--as", account) if _acts(words) else ()))
        return CliRunner().invoke(main, [str(word) for word in (*words, *options)])

    def ok(self, *words: object, account: str = "boris", code: int = 0) -> str:
        result = self.run(*words, account=account)
        assert result.exit_code == code, result.output
        return result.output

    def json(self, *words: object, account: str = "boris", code: int = 0) -> Any:
        return json.loads(self.ok(*words, "--json", account=account, code=code))

    def last(self, kind: str) -> dict[str, Any]:
        """Return the latest message of a kind that came from the peer."""
        said = [m for m in self.json("log") if m["kind"] == kind and not m["outgoing"]]
        return dict(said[-1])

    def wait_for(self, words: str) -> str:
        """Return the line's status once it says these words."""
        return _wait(lambda: self.ok("line", "status", "--all"), words)


def blue_notice(blue: Party) -> str:
    """Return the last notice that blue said."""
    said = [m["hash"] for m in blue.json("log") if m["kind"] == "NOTIFY" and m["outgoing"]]
    return str(said[-1])


def _acts(words: tuple[object, ...]) -> bool:
    return words[0] not in ("account", "peer", "doctor", "init", "renew")


def _wait(read: Any, words: str) -> str:
    deadline = time.monotonic() + START_S
    while words not in (text := read()):
        assert time.monotonic() < deadline, text
        time.sleep(0.2)
    return str(text)


def _serve(party: Party) -> None:
    party.process = subprocess.Popen(
        [sys.executable, "-m", "deconflict", "serve", "--node", str(party.folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _stop(party: Party) -> str:
    """End the node as a service manager does; it has to end well, and soon."""
    if party.process is None:
        return ""
    party.process.send_signal(signal.SIGTERM)
    said, _ = party.process.communicate(timeout=20)
    return f"{party.name} ended with {party.process.returncode}: {said}"


@pytest.fixture(scope="module")
def parties(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Party, Party]]:
    """Blue and red, made, pinned, logged in, running and with terms that both signed."""
    root = tmp_path_factory.mktemp("parties")
    words = root / "passwords"
    words.touch(mode=0o600)
    words.write_text(PASSWORDS)
    blue, red = (Party(name, root / name) for name in ("blue", "red"))
    for party in (blue, red):
        made = CliRunner().invoke(
            main,
            [
                *("init", str(party.folder), "--party", party.name, "--passwords", str(words)),
                *("--peer-listen", f"127.0.0.1:{free_port()}"),
                *("--operators-listen", f"127.0.0.1:{free_port()}"),
                *("--account", "olga=watch_officer", "--account", "boris=releasing_officer"),
            ],
        )
        assert made.exit_code == 0, made.output
        for account, line in zip(("olga", "boris"), PASSWORDS.splitlines()[1:], strict=True):
            file = root / f"{party.name}-{account}"
            file.touch(mode=0o600)
            file.write_text(line.partition(" ")[2])
            party.ok("account", "login", account, "--password-file", file)
    for party, other in ((blue, red), (red, blue)):
        heard = other.json("peer", "show")["fingerprint"]
        invitation = other.folder / f"{other.name}.invitation"
        party.ok("peer", "add", invitation, "--fingerprint", heard)
    for party in (blue, red):
        _serve(party)
    try:
        for party in (blue, red):
            _wait(lambda party=party: party.run("line", "status").output, "UP")
        blue.ok(
            *("terms", "propose", "--default", "--theatre", "Latakia to Deir ez-Zor"),
            *("--minima", "5NM,1000ft", "--landmark", "Deir ez-Zor=35.2854, 40.1760"),
            *("--outline", "30, 35.5; 37, 35.5; 37, 42; 30, 42"),
        )
        proposed = red.json("terms", "show")["proposed_hash"]
        red.ok("terms", "accept", "--hash", proposed[:10])
        for party in (blue, red):
            party.wait_for("agreed")
        yield blue, red
    finally:
        ended = [_stop(party) for party in (blue, red)]
    assert all("ended with 0" in end and "Traceback" not in end for end in ended), ended


@pytest.fixture
def blue(parties: tuple[Party, Party]) -> Party:
    return parties[0]


@pytest.fixture
def red(parties: tuple[Party, Party]) -> Party:
    return parties[1]


def area(
    tmp_path: Path,
    purpose: str,
    lat: float,
    lon: float,
    *,
    label: str | None = None,
    starts_in_ms: int = 3_600_000,
) -> Path:
    now = time.time_ns() // 1_000_000
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "properties": {
            "purpose": purpose,
            "label": label,
            "radius": "9 km",
            "lower": "SFC",
            "upper": "5000 ft AMSL",
            "start_utc": format_utc(now + starts_in_ms),
            "end_utc": format_utc(now + 7_200_000),
        },
    }
    file = tmp_path / f"{purpose}.geojson"
    file.write_text(json.dumps(feature))
    return file


def test_terms_in_force_are_said_in_words(blue: Party) -> None:
    shown = blue.ok("terms", "show")
    assert "signed by both" in shown
    assert re.search(
        r"flight and flight +9,260 m \(5\.00 NM\) lateral, 304\.8 m \(1,000 ft\)", shown
    )
    assert "Deir ez-Zor" in shown


def test_terms_in_force_are_written_edited_and_proposed(
    blue: Party, red: Party, tmp_path: Path
) -> None:
    file = tmp_path / "terms.json"
    before = blue.json("terms", "show")
    blue.ok("terms", "show", "--out", file)
    assert blue.run("terms", "show", "--out", file).exit_code == 2
    written = json.loads(file.read_text("utf-8"))
    assert written == {
        **before["agreed"],
        "version": before["agreed"]["version"] + 1,
        "replaces": before["agreed_hash"],
    }
    file.write_text(json.dumps({**written, "theatre": {**written["theatre"], "name": "South"}}))
    assert "South" in blue.ok("terms", "propose", "--file", file)


def test_terms_other_than_those_read_are_not_signed(blue: Party, red: Party) -> None:
    blue.ok("terms", "propose", "--default", "--theatre", "Another")
    refused = red.run("terms", "accept", "--hash", "0123456789")
    assert refused.exit_code == 2
    assert "other terms" in refused.output


def test_a_draft_is_checked_and_nobody_learns_of_it(
    blue: Party, red: Party, tmp_path: Path
) -> None:
    file = area(tmp_path, "HAZARD", 33.0, 36.0)
    before = blue.json("line", "status")["lines"][0]["own_seq"]
    assert "No conflict found in 1 draft" in blue.ok("check", file)
    assert "nothing was sent" in blue.ok("declare", file, "--dry-run")
    assert blue.json("line", "status")["lines"][0]["own_seq"] == before
    assert not [
        d for d in red.json("declare", "--list")["declarations"] if d["purpose"] == "HAZARD"
    ]


def test_exchanged_coordinates_are_refused_unless_meant(blue: Party, tmp_path: Path) -> None:
    file = area(tmp_path, "HAZARD", 40.14, 35.34)
    held = blue.json("declare", area(tmp_path, "ACTIVITY", 32.0, 41.0))["declaration_ids"][0]
    before = blue.json("line", "status")["lines"][0]["own_seq"]
    for words in (
        ("declare", file),
        ("declare", file, "--dry-run"),
        ("declare", "--update", held, file),
        ("declare", "--correct", held, file),
        ("check", file),
    ):
        refused = blue.run(*words)
        assert refused.exit_code == 2, refused.output
        assert "latitude and longitude look exchanged" in refused.output
        assert "35.3400000, 40.1400000" in refused.output
    assert blue.json("line", "status")["lines"][0]["own_seq"] == before
    assert "SWAPPED?" in blue.ok("check", file, "--as-written")


def test_what_is_longer_than_a_message_is_refused_alike_and_the_node_goes_on(
    blue: Party, tmp_path: Path
) -> None:
    file = area(tmp_path, "HAZARD", 35.0, 36.0)
    feature = json.loads(file.read_text())
    west = [[35.0, 30 + n / 1_000] for n in range(1_500)]
    ring = [*west, *([36.0, lat] for _, lat in reversed(west)), west[0]]
    feature["geometry"] = {"type": "Polygon", "coordinates": [ring]}
    del feature["properties"]["radius"]
    file.write_text(json.dumps(feature))
    for words in (("check", file), ("declare", file, "--dry-run"), ("declare", file)):
        refused = blue.run(*words)
        assert refused.exit_code == 2, refused.output
        assert "bytes, 3,000 vertices" in refused.output
        assert "split it into several declarations" in refused.output
    banned = area(tmp_path, "ACTIVITY", 35.0, 36.0, label="go ahead")
    for words in (("check", banned), ("declare", banned, "--dry-run"), ("declare", banned)):
        refused = blue.run(*words)
        assert refused.exit_code == 2, refused.output
        assert '"go ahead"' in refused.output
    assert blue.json("line", "status")["node"]["party"] == "blue"


def test_a_check_warns_of_what_declaring_would_warn_of(blue: Party, tmp_path: Path) -> None:
    file = area(tmp_path, "ACTIVITY", 33.0, 33.0, starts_in_ms=60_000)
    for words in (("check", file), ("declare", file, "--dry-run")):
        assert "warning: " in blue.ok(*words)
        short, outside = blue.json(*words)["warnings"]
        assert short.startswith("LEAD TIME SHORT.")
        assert outside.startswith("OUTSIDE THEATRE.")


def test_a_conflict_is_found_on_both_sides_read_back_and_drawn(
    blue: Party, red: Party, tmp_path: Path
) -> None:
    camp = blue.json("declare", area(tmp_path, "OWN_PRESENCE", 35.34, 40.14, label="camp"))
    (camp_id,) = camp["declaration_ids"]
    assert camp["conflicts"] == []
    _wait(lambda: red.ok("declare", "--list"), camp_id[:10])
    told = red.ok("declare", area(tmp_path, "ACTIVITY", 35.36, 40.2), code=1)
    assert "1 conflict" in told
    assert "Agreed minimum" in told
    _wait(lambda: blue.run("check").output, "1 conflict")

    (conflict,) = red.json("check", code=1)["conflicts"]
    said = red.ok("line", "concern", conflict["conflict_id"][:8], account="olga")
    assert "They come closer than the agreed minima." in said
    assert conflict["conflict_id"][:10] in blue.ok("line", "status")
    heard = blue.last("CONCERN")
    ids = {conflict["first_declaration"], conflict["second_declaration"]}
    assert {heard["body"]["first"], heard["body"]["second"]} == ids
    assert heard["ref"] in {heard["body"]["first_message"], heard["body"]["second_message"]}
    again = red.json("line", "concern", *ids, "--reason", "place-or-time-doubted", account="olga")
    assert again["kind"] == "CONCERN"
    refused = red.run("line", "concern", camp_id, camp_id, account="olga")
    assert refused.exit_code == 2
    assert "one of each side" in refused.output

    concern = heard["hash"][:10]
    said = red.ok("line", "propose", concern, "--later", "10min", account="olga")
    assert "All of it 10 min later." in said
    _wait(lambda: blue.ok("log"), "a change of declaration")
    proposed = blue.last("PROPOSE")
    blue.ok("line", "propose", proposed["hash"][:10], "--change", camp_id, "--lower", "2000 ft")
    _wait(lambda: red.ok("log"), "2000 ft (609.6 m) lower")
    heard = red.last("PROPOSE")
    assert (heard["ref"], heard["body"]["level_tmm"]) == (proposed["hash"], -6_096_000)
    red.ok("line", "ack", heard["hash"][:10], "negative", account="olga")
    _wait(lambda: blue.ok("log"), "red answers: no.")
    consented = blue.ok("line", "consent", blue_notice(blue)[:10], "--to", "coalition")
    assert "within the receiver's coalition" in consented
    nothing = red.run("line", "propose", concern, account="olga")
    assert nothing.exit_code == 2
    assert "--later or --earlier" in nothing.output

    svg = tmp_path / "picture.svg"
    conflicts = blue.json("check", "--picture", svg, code=1)["conflicts"]
    assert {one["kind"] for one in conflicts} == {"STRATEGIC_CONFLICT"}
    words = [each.text for each in ET.parse(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert {"blue", "red", "camp", "Deir ez-Zor"} <= set(words)

    assert "READBACK" in red.ok("line", "readback", camp_id[:8], "--yes")
    _wait(lambda: blue.ok("declare", "--list"), "AGREES")
    red.ok("line", "readback", camp_id[:8], "--place", "35.42, 40.14", "--yes")
    _wait(lambda: blue.ok("declare", "--list"), "DIFFERS")
    red.ok("line", "loaded", camp_id[:8], account="olga")
    red.ok("line", "seen", red.last("NOTIFY")["hash"][:10], account="olga")

    right = area(tmp_path, "OWN_PRESENCE", 33.5, 36.3)
    shown = blue.ok("declare", "--correct", camp_id, right)
    assert re.search(r"place +35\.3400000, 40\.1400000 +33\.5000000, 36\.3000000", shown)
    assert "The place moved by" in shown
    assert re.search(r"label +camp +-", shown)
    assert "reach" not in shown
    replaced = blue.json("declare", "--update", camp_id, right)["replaced"]
    assert (replaced["declaration_id"], replaced["revision"]) == (camp_id, 2)
    _wait(lambda: red.run("check").output, "No conflict")
    blue.ok("declare", "--cancel", camp_id[:8], "--reason", "ended-early")
    _wait(lambda: red.ok("log"), "It ended early.")
    assert camp_id[:10] not in red.ok("declare", "--list")


def test_a_way_out_is_found_and_nobody_learns_of_it(
    blue: Party, red: Party, tmp_path: Path
) -> None:
    """R19, R20, R25: what would end it is told to the own planner alone, as a fact."""
    site = red.json("declare", area(tmp_path, "OWN_PRESENCE", 34.2, 38.0, label="depot"))
    (site_id,) = site["declaration_ids"]
    _wait(lambda: blue.ok("declare", "--list"), site_id[:10])
    start_ms = time.time_ns() // 1_000_000 + 3_600_000
    points = [(start_ms, 34.2, 37.5), (start_ms + 600_000, 34.2, 38.5)]
    feature = {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": [[lon, lat] for _, lat, lon in points]},
        "properties": {
            "purpose": "FLIGHT",
            "label": "transit",
            "altitudes": ["3000 ft AMSL"] * 2,
            "times": [format_utc(at_ms) for at_ms, _, _ in points],
        },
    }
    file, out, svg = (tmp_path / name for name in ("flight.geojson", "out.geojson", "out.svg"))
    file.write_text(json.dumps(feature))
    before = blue.json("line", "status")["lines"][0]["own_seq"]
    assert "1 conflict" in blue.ok("check", file, code=1)
    told = blue.ok("advise", file, "--out", out, "--picture", svg)
    assert "transit conflicts with 1 declaration as planned" in told
    assert "red depot" in told
    assert "3,000 ft (914 m) higher" in told
    assert "Nothing was sent." in told
    options = blue.json("advise", file)["advice"][0]["options"]
    assert {kind for option in options for kind in option["kinds"]} == {"SHIFT", "LEVEL", "OFFSET"}
    table = tmp_path / "flight.csv"
    for party, code in (("blue", 0), ("red", 2)):
        rows = [f"transit,{party},{format_utc(ms)},{lat},{lon},3000" for ms, lat, lon in points]
        head = "flight,party,time,lat_deg,lon_deg,altitude_ft"
        table.write_text("\n".join([head, *rows]) + "\n")
        told = blue.run("advise", table, "--altitude-reference", "AMSL", "--json")
        assert told.exit_code == code
        if code:
            assert "a draft is of another party than the node" in told.stderr
        else:
            assert json.loads(told.stdout)["advice"][0]["options"] == options
    assert "No conflict found in 1 draft" in blue.ok("check", out)
    assert "No conflict found" in blue.ok("advise", out)
    words = [each.text for each in ET.parse(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert {"transit", "transit changed", "red depot"} <= set(words)
    narrow = ("--max-shift", "1min", "--by", "shift")
    assert "None within the limits: shift ±1 min." in blue.ok("advise", file, *narrow, code=1)
    assert blue.json("line", "status")["lines"][0]["own_seq"] == before
    assert not [d for d in red.json("declare", "--list")["declarations"] if d["label"] == "transit"]
    # What is declared is advised without a file, and one free plan is written for all of it.
    blue.ok("declare", file, code=1)
    # What an alert tells of is asked for by its id, or by the conflict's, on either side.
    with NodeClient.of(blue.folder, "boris") as node:
        (alert,) = [one for one in node.get("alerts") if one["rule"] == "CONFLICT"]
    told = blue.json("advise", "--conflict", alert["alert_id"])
    assert [one["name"] for one in told["advice"]] == ["transit"]
    assert told == blue.json("advise", "--conflict", alert["subject"])
    assert {kind for o in told["advice"][0]["options"] for kind in o["kinds"]} >= {"SHIFT"}
    assert "depot conflicts with" in red.run("advise", "--conflict", alert["subject"]).output
    assert "no conflict has this id" in blue.run("advise", "--conflict", "ffffffff").output
    assert "transit" in blue.ok("advise", "--conflict", alert["subject"], account="olga")
    told = blue.ok("advise", "--together", "--by", "level", "--out", out, "--force")
    assert re.search(r"transit +3,000 ft \(914 m\) higher", told)
    held = blue.json("declare", "--list")["declarations"]
    (flight_id,) = [d["declaration_id"] for d in held if d["label"] == "transit"]
    assert json.loads(out.read_text())["features"][0]["properties"]["declaration_id"] == flight_id
    blue.ok("declare", "--update", flight_id, out)
    assert "nothing to change" in blue.ok("advise")
    blue.ok("declare", "--cancel", flight_id[:8], "--reason", "ended-early")
    red.ok("declare", "--cancel", site_id[:8], "--reason", "ended-early")


def test_a_place_that_is_typed_is_echoed_before_it_counts(blue: Party) -> None:
    drafts = []

    @click.command()
    def ask() -> None:
        with NodeClient.of(blue.folder, "boris") as node:
            drafts.append(ask_declaration(node))

    typed = [
        *("hazard", "circle", "north of Aleppo", "35 24 04 N 35 56 55 E", "n"),
        *("36SYE6779321530", "y", "5", "5 km", "SFC", "2000 ft AGL"),
        *("tomorrow", "2026-11-24T06:00:00Z", "2026-11-24T08:00:00Z", "", "y"),
    ]
    asked = CliRunner().invoke(ask, input="\n".join(typed) + "\n")
    assert asked.exit_code == 0, asked.output
    assert "compass words" in asked.output
    assert "relative time" in asked.output
    assert "35°24'04.3337\"N 035°56'55.3402\"E" in asked.output
    assert "true from Deir ez-Zor" in asked.output
    (volume,) = drafts[0]["geometry"]["volumes"]
    assert volume["outline"]["circle"]["radius_mm"] == 5_000_000
    declined = CliRunner().invoke(ask, input="\n".join([*typed[:-1], "n"]) + "\n")
    assert declined.exit_code != 0
    assert len(drafts) == 1


def test_own_declarations_are_not_read_back(blue: Party, tmp_path: Path) -> None:
    made = blue.json("declare", area(tmp_path, "HAZARD", 32.0, 36.0))["declaration_ids"][0]
    refused = blue.run("line", "readback", made, "--yes")
    assert refused.exit_code == 2
    assert "your own" in refused.output


def test_what_is_asked_is_answered(blue: Party, red: Party) -> None:
    where = ("--place", "36SYE6779321530")
    sent = blue.ok("line", "cease", *where, "--reach", "2km", "--reason", "personnel-there")
    assert "Our personnel are there." in sent
    assert "red has signed that it holds this. That is no answer." in sent
    blue.ok(
        *("line", "query", *where, "--level", "FL210", "--course", "090", "--speed", "450 kt"),
        account="olga",
    )
    blue.ok("line", "send", *PERSONNEL, "--drill")
    red.ok("line", "answer", red.last("CEASE")["hash"][:10], "ceased", account="olga")
    red.ok("line", "answer", red.last("QUERY")["hash"][:10], "not-ours", account="olga")
    assert red.last("SAFETY")["drill"]
    acknowledged = red.ok("line", "ack", red.last("SAFETY")["hash"][:10], account="olga")
    assert "Acknowledged is not permission." in acknowledged
    shown = blue.ok("log", "--message", blue.last("ANSWER")["hash"][:12])
    assert "not ours" in shown
    # An answer ends the alert that asked for it, so it stands by itself until it is seen.
    assert "not ours" in blue.ok("line", "status", account="olga")
    answers = blue.json("line", "status", account="olga")["answers"]
    assert {answer["kind"] for answer in answers} == {"CEASED", "ANSWER"}
    for answer in answers:
        blue.ok("line", "seen", answer["hash"][:12], account="olga")
    assert "not marked as seen" not in blue.ok("line", "status", account="olga")


def test_an_exercise_marks_what_is_written_and_a_real_cease_ends_it(
    blue: Party, red: Party
) -> None:
    where = ("--place", "36SYE6779321530", "--reach", "2km")
    assert "red is told" in blue.ok("line", "drill", "begin", "--for", "1h")
    assert "THEIRS UNTIL" in red.ok("line", "drill", "list")
    status = blue.ok("line", "status")
    assert status.startswith("DRILL with red until ")  # before anything else
    assert "UP, DRILL" in status
    drilled = blue.ok("line", "cease", *where)
    assert "DRILL DRILL DRILL." in drilled
    assert "say it again as real" in drilled
    answered = red.ok("line", "ack", red.last("CEASE")["hash"][:10], account="olga")
    assert "DRILL DRILL DRILL." in answered
    report = blue.json("line", "drill", "report")
    (cease,) = (each for each in report["messages"] if each["kind"] == "CEASE")
    assert cease["answered_by"] == "ACK"
    assert "DRILL CEASE" in blue.ok("line", "drill", "report")
    real = blue.ok("line", "cease", *where, "--real")
    assert "EXERCISE OVER" in real
    assert "DRILL DRILL DRILL." not in real
    assert "REAL FLASH" in red.ok("line", "status")
    assert "No exercise lasts." in blue.ok("line", "drill", "list")
    assert "a real CEASE is open" in blue.ok("line", "drill", "begin", "--for", "1h", code=2)
    assert blue.run("line", "drill", "end").exit_code == 2
    theirs = red.json("line", "drill", "report")
    assert (theirs["by"], theirs["cut_by"]) == ("blue", red.last("CEASE")["hash"])
    red.ok("line", "answer", red.last("CEASE")["hash"][:10], "ceased", account="olga")


def test_a_page_and_an_email_of_an_exercise_say_so(blue: Party, tmp_path: Path) -> None:
    blue.ok("line", "send", *PERSONNEL, "--drill")
    drilled = [m for m in blue.json("log") if m["outgoing"] and m["drill"]][-1]
    said = blue.ok("line", "carry", "red", "--voice", drilled["hash"][:12])
    assert said.count("DRILL DRILL DRILL.") >= 1
    text, page = tmp_path / "mail.txt", tmp_path / "page.svg"
    only = ("--since", drilled["position"])
    assert "DRILL" in blue.ok("line", "carry", "red", *only, "--email", text)
    assert text.read_text().splitlines()[0].startswith("DRILL")
    blue.ok("line", "carry", "red", *only, "--qr", page)
    pages = list(tmp_path.glob("page*.svg"))  # of one page or several, by how long it is
    assert pages
    assert all("DRILL DRILL DRILL" in one.read_text() for one in pages)


def test_a_line_check_retyped_wrongly_alarms(blue: Party, red: Party) -> None:
    blue.ok("line", "check", account="olga")
    check = red.last("LINE_CHECK")
    red.ok("line", "check", "--reply", check["hash"][:10], "1111 2222 3333", account="olga")
    assert "LINE CHECK WRONG" in blue.wait_for("LINE CHECK WRONG")


def test_roles_hold_at_the_command_line(blue: Party, tmp_path: Path) -> None:
    refused = blue.run("declare", area(tmp_path, "HAZARD", 31.0, 36.0), account="olga")
    assert refused.exit_code == 2
    assert "releasing_officer" in refused.output
    consent = ("line", "consent", blue_notice(blue)[:10], "--to", "coalition")
    refused = blue.run(*consent, account="olga")
    assert refused.exit_code == 2
    assert "releasing_officer" in refused.output


def test_watching_shows_what_happens_and_misses_nothing(blue: Party, red: Party) -> None:
    after = red.json("line", "status")["node"]["last_event_id"]
    words = ["line", "watch", "--node", str(red.folder), "--as", "olga", "--after", str(after)]
    blue.ok("line", "send", *PERSONNEL)
    red.last("SAFETY")
    watching = subprocess.Popen(
        [sys.executable, "-m", "deconflict", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Tests that run in a shell's background ignore Ctrl-C, and so would what they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert watching.stdout is not None
    try:
        line = watching.stdout.readline()
        assert "<- blue  SAFETY" in line
    finally:
        watching.send_signal(signal.SIGINT)
        _, said = watching.communicate(timeout=20)
    assert watching.returncode == 130
    assert "Traceback" not in said


def test_doctor_sees_a_running_node_and_the_peers_key(blue: Party) -> None:
    shown = blue.ok("doctor")
    assert re.search(r"ok +peer red +answers .* with the pinned key", shown)
    assert "in use by the running node" in shown


def test_an_exported_record_verifies_and_an_altered_one_does_not(
    blue: Party, red: Party, tmp_path: Path
) -> None:
    record, altered = tmp_path / "blue.deconflict", tmp_path / "altered.deconflict"
    blue.ok("export", "--out", record)
    keys = [
        word
        for party in (blue, red)
        for word in ("--key", f"{party.name}={party.folder / f'{party.name}.invitation'}")
    ]
    proven = CliRunner().invoke(main, ["verify", str(record), *keys])
    assert proven.exit_code == 0, proven.output
    assert "VERIFIED" in proven.output
    facts = json.loads(CliRunner().invoke(main, ["verify", str(record), *keys, "--json"]).output)
    assert [chain["party"] for chain in facts["chains"]] == ["blue", "red"]
    assert all(len(chain["head"]["hash"]) == 64 for chain in facts["chains"])
    data = bytearray(record.read_bytes())
    data[len(data) // 2] ^= 1
    altered.write_bytes(data)
    refused = CliRunner().invoke(main, ["verify", str(altered), *keys])
    assert refused.exit_code == 1
    assert "NOT VERIFIED" in refused.output
    alone = CliRunner().invoke(main, ["verify", str(record), *keys[:2]])
    assert alone.exit_code == 2  # wrong use: nothing was found out about the record
    assert "the key of red is needed as well" in alone.output
    assert "NOT VERIFIED" not in alone.output
    assert blue.run("export", "--out", record).exit_code == 2  # a record is never overwritten


def test_one_message_is_exported_alone_and_proves_itself(
    blue: Party, red: Party, tmp_path: Path
) -> None:
    said = json.loads(blue.ok("log", "--json"))[0]
    file = tmp_path / "message.deconflict"
    deadline = time.monotonic() + 40
    # Ten seconds after its receipt both sides have fixed it.
    while (shown := blue.run("export", "--only", said["hash"], "--out", file)).exit_code != 0:
        assert "not fixed" in shown.output
        assert time.monotonic() < deadline
        time.sleep(1)
    assert "nothing of the others" in shown.output
    keys = [
        word
        for party in (blue, red)
        for word in ("--key", f"{party.name}={party.folder / f'{party.name}.invitation'}")
    ]
    proven = CliRunner().invoke(main, ["verify", str(file), *keys])
    assert proven.exit_code == 0, proven.output
    assert said["hash"] in proven.output
    assert said["text"].split()[0] in proven.output
    none = blue.run("export", "--fork", "--out", tmp_path / "fork")
    assert none.exit_code != 0
    assert "nothing kept here proves" in none.output
    both = blue.run("export", "--fork", "--only", said["hash"], "--out", tmp_path / "x")
    assert both.exit_code == 2
