"""What an update changes, as its sender sees it: old against new."""

from typing import Any

import pytest

from deconflict.airspace import Geometry, Position, geometry_to_wire
from deconflict.cli.changes import show_change
from node_pair import HOUR_MS, START_MS, circle

MOVED = circle(
    at=Position.from_degrees(36, 36), feet=(1_000, 20_000), end_ms=START_MS + 5 * HOUR_MS
)
SECOND = circle(feet=(1_000, 22_000))


def stated(*geometry: Any, label: str | None = None) -> dict[str, Any]:
    whole: Geometry = geometry
    return {
        "declaration_id": "a" * 32,
        "purpose": "FLIGHT",
        "geometry": geometry_to_wire(whole),
        "label": label,
    }


def shown(
    capsys: pytest.CaptureFixture[str], before: dict[str, Any], now: dict[str, Any]
) -> list[str]:
    show_change(before, now, [])
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_times_altitudes_places_and_label_are_shown_old_against_new(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = shown(capsys, stated(circle(), label="a"), stated(MOVED, SECOND, label="b"))
    assert "place 35.4000000, 35.9000000 36.0000000, 36.0000000" in told
    assert "to 2015-09-30 08:00:00Z 2015-09-30 11:00:00Z" in told
    assert "parts 1 part 2 parts" in told
    assert "label a b" in told
    band = (
        "altitudes 0 ft (0 m) to 25,000 ft (7,620 m), AMSL 1,000 ft (305 m) to 22,000 ft (6,706 m)"
    )
    assert any(line.startswith(band) for line in told)
    assert "Places that were not in it before: 1 of 2." in told
    assert not any(line.startswith(("from ", "purpose ")) for line in told)


def test_what_is_the_same_is_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, stated(circle()), stated(circle())) == ["Nothing in it changed."]


def test_a_change_that_no_figure_shows_is_still_told(capsys: pytest.CaptureFixture[str]) -> None:
    before, now = (stated(circle(), circle(feet=(0, high))) for high in (5_000, 6_000))
    (told,) = shown(capsys, before, now)
    assert "the geometry is not" in told
