"""What a person types at a terminal into ``declare --interactive``: a slip costs one answer.

The questions run in a process of their own on a real pseudo-terminal; only the node is a stand-in,
of which nothing but its landmarks is asked.
"""

import json
import os
import pty
import select
import sys
from typing import Any

from deconflict.airspace import Corridor, Polygon, Trajectory, geometry_from_wire

PROGRAM = """
import json
from deconflict.cli.interactive import ask_declaration

class NoLines:
    def may(self, action):
        return True

    def lines(self):
        return []

print("DRAFT", json.dumps(ask_declaration(NoLines(), drill=True)), flush=True)
"""
PATIENCE_S = 30.0
CORNERS = ("35.0, 36.0", "35.0, 37.0", "36.0, 37.0", "36.0, 36.0")
BAND_AND_TIMES = (
    ("Floor", "SFC"),
    ("Ceiling", "FL210"),
    ("From", "2015-10-01T06:00:00Z"),
    ("To", "2015-10-01T07:00:00Z"),
)
Answers = list[tuple[str, str]]


def asked(*answers: tuple[str, str]) -> tuple[str, dict[str, Any]]:
    """Answer each question when it stands there; return all that was shown, and the draft."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
        os.execv(sys.executable, [sys.executable, "-c", PROGRAM])
    shown = new = ""
    try:
        for question, answer in answers:
            while question not in new:
                said = _read(terminal)
                assert said, f"{question!r} was not asked:\n{shown}"
                shown, new = shown + said, new + said
            new = new.partition(question)[2]
            os.write(terminal, answer.encode() + b"\n")
        while said := _read(terminal):
            shown += said
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
    draft: dict[str, Any] = json.loads(shown.rpartition("DRAFT ")[2].splitlines()[0])
    return shown, draft


def _read(terminal: int) -> str:
    ready, _, _ = select.select([terminal], [], [], PATIENCE_S)
    try:
        return os.read(terminal, 65_536).decode() if ready else ""
    except OSError:  # the other end is closed
        return ""


def place(question: str, typed: str) -> Answers:
    return [(question, typed), ("Is this the place?", "y")]


def waypoint(number: int, typed: str, utc: str, altitude: str) -> Answers:
    return [*place(f"Place {number}", typed), ("UTC", utc), ("Altitude", altitude)]


CONTAINED = (("To each side", "1 NM"), ("Above and below", "500 ft"), ("Early or late", "60 s"))
YES = ("Is all of it right?", "y")


def test_one_corner_of_a_crossed_polygon_is_typed_again_and_no_other() -> None:
    crossed = (CORNERS[0], CORNERS[1], CORNERS[3], CORNERS[2])
    answers = [("Purpose", "HAZARD"), ("Shape", "Polygon")]
    for number, corner in enumerate(crossed, start=1):
        answers += place(f"Corner {number}", corner)
    answers += [("Corner 5", ""), ("is to be typed again?", "3")]
    answers += place("Corner 3", "35.5, 37.5")
    shown, draft = asked(*answers, *BAND_AND_TIMES, ("Label", ""), YES)
    assert "given: edge 1 crosses edge 3" in shown
    (volume,) = geometry_from_wire(draft["geometry"])
    assert isinstance(volume.outline, Polygon)
    assert [v.lat_deg for v in volume.outline.vertices] == [35.0, 35.0, 35.5, 36.0]
    assert draft["purpose"] == "HAZARD"


def test_a_wrong_time_or_reference_is_asked_again_alone_and_a_banned_label_at_once() -> None:
    answers = [("Purpose", "FLIGHT"), ("Shape", "TRAJECTORY")]
    answers += waypoint(1, "35.4, 36.0", "2015-10-01T06:00:00Z", "FL200")
    answers += [*place("Place 2", "35.6, 39.0"), ("UTC", "2015-10-01T05:30:00Z")]
    answers += [("UTC", "2015-10-01T06:30:00Z"), ("Altitude", "20000 ft AMSL")]
    answers += [("Altitude", "FL210"), ("Place 3", ""), *CONTAINED]
    answers += [("Label", "cleared"), ("Label", "ALPHA"), YES]
    shown, draft = asked(*answers)
    assert "given: 20000 ft AMSL" in shown
    assert "later than 2015-10-01T06:00:00" in shown
    assert "cleared" in shown
    assert draft["label"] == "ALPHA"
    flight = geometry_from_wire(draft["geometry"])
    assert isinstance(flight, Trajectory)
    assert [w.altitude_tmm for w in flight.waypoints] == [60_960_000, 64_008_000]
    # The last look says all of it.
    look = shown.partition("To be declared: ")[2]
    assert look.startswith("DRILL: flight, labelled ALPHA")
    for words in ("06:00:00Z, FL200", "06:30:00Z, FL210", "1.00 NM (1.85 km) aside"):
        assert words in look


def test_a_corridor_that_repeats_a_place_asks_for_that_place() -> None:
    answers = [("Purpose", "activity"), ("Shape", "corridor"), ("Half width", "5 NM")]
    answers += [*place("path 1", CORNERS[0]), *place("path 2", CORNERS[0]), ("path 3", "")]
    answers += [("is to be typed again?", "2"), *place("path 2", CORNERS[2])]
    shown, draft = asked(*answers, *BAND_AND_TIMES, ("Label", ""), YES)
    (volume,) = geometry_from_wire(draft["geometry"])
    assert isinstance(volume.outline, Corridor)
    assert len(volume.outline.path) == 2
    assert "corridor 5.00 NM (9.26 km) to each side of a path of 2 places" in shown
    assert "FL210" in shown.partition("To be declared: ")[2]
