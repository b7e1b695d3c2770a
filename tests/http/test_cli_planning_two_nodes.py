"""What two watches agree, declare and find, from the command lines of two running nodes."""

import json
import re
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from two_terminals import Party, blue, parties, red, wait_for_words

from deconflict.airspace import format_utc
from deconflict.cli.client import NodeClient
from deconflict.cli.interactive import ask_declaration

pytestmark = pytest.mark.processes

__all__ = ["blue", "parties", "red"]  # the fixtures: two nodes that run, with terms


def blue_notice(blue: Party) -> str:
    """Return the last notice that blue said."""
    said = [m["hash"] for m in blue.json("log") if m["kind"] == "NOTIFY" and m["outgoing"]]
    return str(said[-1])


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
    wait_for_words(lambda: red.ok("declare", "--list"), camp_id[:10])
    told = red.ok("declare", area(tmp_path, "ACTIVITY", 35.36, 40.2), code=1)
    assert "1 conflict" in told
    assert "Agreed minimum" in told
    wait_for_words(lambda: blue.run("check").output, "1 conflict")

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
    wait_for_words(lambda: blue.ok("log"), "a change of declaration")
    proposed = blue.last("PROPOSE")
    blue.ok("line", "propose", proposed["hash"][:10], "--change", camp_id, "--lower", "2000 ft")
    wait_for_words(lambda: red.ok("log"), "2000 ft (609.6 m) lower")
    heard = red.last("PROPOSE")
    assert (heard["ref"], heard["body"]["level_tmm"]) == (proposed["hash"], -6_096_000)
    red.ok("line", "ack", heard["hash"][:10], "negative", account="olga")
    wait_for_words(lambda: blue.ok("log"), "red answers: no.")
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
    wait_for_words(lambda: blue.ok("declare", "--list"), "AGREES")
    red.ok("line", "readback", camp_id[:8], "--place", "35.42, 40.14", "--yes")
    wait_for_words(lambda: blue.ok("declare", "--list"), "DIFFERS")
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
    wait_for_words(lambda: red.run("check").output, "No conflict")
    blue.ok("declare", "--cancel", camp_id[:8], "--reason", "ended-early")
    wait_for_words(lambda: red.ok("log"), "It ended early.")
    assert camp_id[:10] not in red.ok("declare", "--list")


def test_a_way_out_is_found_and_nobody_learns_of_it(
    blue: Party, red: Party, tmp_path: Path
) -> None:
    """R19, R20, R25: what would end it is told to the own planner alone, as a fact."""
    site = red.json("declare", area(tmp_path, "OWN_PRESENCE", 34.2, 38.0, label="depot"))
    (site_id,) = site["declaration_ids"]
    wait_for_words(lambda: blue.ok("declare", "--list"), site_id[:10])
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


def test_what_another_program_wrote_is_read_by_a_running_node_and_checked(
    blue: Party, tmp_path: Path
) -> None:
    now = time.time_ns() // 1_000_000
    zones = tmp_path / "zones.txt"
    zones.write_text("AC R\nAN R-100\nAL GND\nAH FL65\nV X=35:50:00 N 040:10:00 E\nDC 5\n")
    gaps = {
        "purpose": "HAZARD",
        "start_utc": format_utc(now + 60_000),
        "end_utc": format_utc(now + 7_200_000),
        "label": "VIPER 21",
    }
    with NodeClient.of(blue.folder, "boris") as node:
        read = node.post("drafts/read", body={"text": zones.read_text(), **gaps})
        place = node.post("places/read", body={"text": "35 50 00 N 40 10 00 E"})
    (draft,) = read["drafts"]
    assert (read["format"], draft["name"], draft["whole"]) == ("OPENAIR", "R-100", True)
    assert draft["places"] == [place]
    assert place["landmark"] == "Deir ez-Zor"
    assert "north of Deir ez-Zor" in draft["text"]
    assert [one["rule"] for one in draft["warnings"]] == [
        "LABEL_READS_LIKE_AIRCRAFT",
        "LEAD_TIME_SHORT",
    ]
    options = ("--purpose", "hazard", "--start", gaps["start_utc"], "--end", gaps["end_utc"])
    said = blue.ok("declare", zones, *options, "--label", "VIPER 21", "--dry-run")
    assert "OpenAir, 1 declaration" in said
    assert "true from Deir ez-Zor" in said
    assert "warning: NEVER SHARED?" in said
    assert "the terms say at least 15 min" in said


def test_own_declarations_are_not_read_back(blue: Party, tmp_path: Path) -> None:
    made = blue.json("declare", area(tmp_path, "HAZARD", 32.0, 36.0))["declaration_ids"][0]
    refused = blue.run("line", "readback", made, "--yes")
    assert refused.exit_code == 2
    assert "your own" in refused.output


def test_roles_hold_at_the_command_line(blue: Party, tmp_path: Path) -> None:
    refused = blue.run("declare", area(tmp_path, "HAZARD", 31.0, 36.0), account="olga")
    assert refused.exit_code == 2
    assert "releasing_officer" in refused.output
    consent = ("line", "consent", blue_notice(blue)[:10], "--to", "coalition")
    refused = blue.run(*consent, account="olga")
    assert refused.exit_code == 2
    assert "releasing_officer" in refused.output
