"""The document on private checks: what a run takes from it, what is refused, one to begin with."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deconflict import sealed
from deconflict.airspace import (
    AltitudeReference,
    Containment,
    Position,
    Trajectory,
    Waypoint,
    format_utc,
)
from deconflict.cli.terms import _with_check
from deconflict.errors import InvalidDocumentError, InvalidInputError, RefusedBatchError
from deconflict.line.canonical import canonical_bytes
from deconflict.line.statement import hash_of
from deconflict.messages.phrases import wording
from deconflict.messages.private_bodies import (
    MAX_STEP_BYTES,
    PrivateEndReason,
    PrivateStep,
    Refines,
    StepWord,
    cut,
)
from deconflict.messages.private_defaults import default_private_check
from deconflict.messages.private_terms import CheckMinima, PrivateCheckTerms
from deconflict.messages.terms import PartyTerms, Terms, terms_from_wire, terms_to_wire
from deconflict.messages.terms_defaults import default_terms
from deconflict.messages.wire_form import Place, read_form, write_form
from deconflict.messages.words import LANGUAGES
from deconflict.sealed.cover import cover
from deconflict.sealed.tubes import filled
from private_samples import FIRST_MS, MINUTE_MS, PERIOD_MS, document

COAST = tuple(Position.from_degrees(*at) for at in ((34, 35), (37, 35), (37, 39), (34, 39)))


def terms_of(check: PrivateCheckTerms | None = None, **more: Any) -> Terms:
    return default_terms(
        line="0f" * 16,
        parties=[PartyTerms(name, "watch", "duty", ("en",), 1) for name in ("blue", "red")],
        theatre="Coast",
        outline=COAST,
        private_check=check,
        **more,
    )


def test_the_grid_of_a_period_is_the_document_and_its_begin() -> None:
    check = document()
    grid = check.grid(FIRST_MS)
    assert (grid.start_ms, grid.end_ms) == (FIRST_MS, FIRST_MS + PERIOD_MS)
    assert (grid.origin, grid.columns, grid.minima) == (
        check.origin.position,
        check.columns,
        check.minima.reach,
    )
    shape = check.shape(FIRST_MS)
    named = {"document": check.document_hash, "start_utc": format_utc(FIRST_MS)}
    assert shape.grid == hash_of(canonical_bytes(named))
    assert (shape.parts, shape.slots, shape.points, shape.bucket) == (1, (), 8, 256)
    assert check.shape(FIRST_MS + PERIOD_MS).grid != shape.grid
    assert document(points=9).shape(FIRST_MS).grid != shape.grid


def test_a_closer_look_has_the_grid_of_its_period() -> None:
    refines = Refines(of="ab" * 32, run=0, parts=4, slots=(1, 7))
    check = document()
    shape = check.shape(FIRST_MS, refines)
    assert shape.grid == check.shape(FIRST_MS).grid
    assert (shape.parts, shape.slots) == (4, (1, 7))
    shape.require_sound()
    assert check.asked_slots(refines) == 8
    # Points, evaluated points with a proof a slot, root, 64 chunks with their paths, done.
    assert check.bytes_of_run(refines) == 8 * (8 * 32 + 8 * 32 + 64) + 32 + 12 * 256 + 64 * 192 + 32


@pytest.mark.parametrize(
    ("parts", "slots"), [(3, (1,)), (8, (1,)), (2, (10,))], ids=["3", "8", "beyond"]
)
def test_a_closer_look_that_is_not_agreed_is_refused(parts: int, slots: tuple[int, ...]) -> None:
    refines = Refines(of="ab" * 32, run=0, parts=parts, slots=slots)
    with pytest.raises(InvalidInputError):
        document().shape(FIRST_MS, refines)


@pytest.mark.parametrize("start_ms", [FIRST_MS + 1, FIRST_MS + MINUTE_MS, -PERIOD_MS])
def test_no_period_begins_beside_the_cadence(start_ms: int) -> None:
    for made in (document().grid, document().shape):
        with pytest.raises(InvalidInputError, match="no period"):
            made(start_ms)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"refinements": (4, 2)}, "refinements"),
        ({"refinements": (2, 6, 4)}, "refinements"),
        ({"refinements": (3,)}, "grid"),
        ({"reference": AltitudeReference.AGL}, "grid"),
        ({"columns": 130}, "grid"),
        ({"levels": 9_000}, "grid"),
        ({"cadence_ms": 90_000}, "cadence_ms"),
        ({"cadence_ms": 3 * MINUTE_MS}, "runs_per_slot"),
        ({"tags_after_ms": 300_000}, "tags_after_ms"),
        ({"bucket": 250}, "bucket"),
        ({"points": 22}, "points"),
        ({"audit_per_mille": 1}, "arbiter"),
        ({"opened_after_days": 31}, "opened_after_days"),
        (
            {"points": 6_000, "sorties": 6_000, "slots": 1_000, "cadence_ms": 1_000 * MINUTE_MS},
            "POINTS of 4,000 slots",
        ),
    ],
)
def test_a_document_that_does_not_hold_together_is_refused(
    other: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidDocumentError, match=named):
        document(**other)


@pytest.mark.parametrize(
    "minima",
    [CheckMinima(9_259_999, 3_048_000, 2_000), CheckMinima(9_260_000, 3_047_999, 2_000),
     CheckMinima(9_260_000, 3_048_000, 1_999)],
)  # fmt: skip
def test_terms_refuse_a_check_that_finds_less_than_an_open_one(minima: CheckMinima) -> None:
    assert terms_of(document()).private_check == document()
    with pytest.raises(InvalidDocumentError, match="minima"):
        terms_from_wire(
            terms_to_wire(terms_of()) | {"private_check": write_form(document(minima=minima))}
        )


def test_the_default_is_one_that_the_terms_allow() -> None:
    made = terms_of()
    check = default_private_check(made)
    agreed = terms_of(check)
    assert agreed.private_check == check
    assert read_form(PrivateCheckTerms, write_form(check), what="it") == check
    assert (check.minima.horizontal_mm, check.minima.vertical_tmm) == (9_260_000, 3_048_000)
    assert check.cell_mm == 9_260_000


@pytest.mark.parametrize("corner", range(4))
def test_a_flight_along_the_rim_of_the_theatre_is_on_the_default_grid(corner: int) -> None:
    check = default_private_check(terms_of())
    start_ms = check.cadence_ms * 60_000
    grid = check.grid(start_ms)
    one, other = COAST[corner], COAST[(corner + 1) % 4]
    flight = Trajectory(
        AltitudeReference.AMSL,
        (
            Waypoint(start_ms + MINUTE_MS, one, 0),
            Waypoint(start_ms + 60 * MINUTE_MS, other, 180_000_000),
        ),
        Containment(1_852_000, 914_400, 30_000),
    )
    assert list(cover(filled(flight, grid, {}), grid))  # raises where it leaves the grid


def test_a_level_flight_fills_one_level_of_the_default_grid() -> None:
    check = default_private_check(terms_of())
    start_ms = check.cadence_ms * 60_000
    grid = check.grid(start_ms)
    for feet in range(0, 60_000, 500):
        flight = Trajectory(
            AltitudeReference.AMSL,
            (
                Waypoint(start_ms, Position.from_degrees(35.5, 37.01), feet * 3_048),
                Waypoint(start_ms + 10_000, Position.from_degrees(35.5, 37.02), feet * 3_048),
            ),
            Containment(0, 0, 0),
        )
        assert len({cell[3] for cell in cover(filled(flight, grid, {}), grid)}) == 1, feet


def test_there_is_no_default_for_a_theatre_without_an_outline() -> None:
    made = msgspec.structs.replace(
        terms_of(), theatre=msgspec.structs.replace(terms_of().theatre, outline=None)
    )
    with pytest.raises(InvalidInputError, match="outline"):
        default_private_check(made)


def test_a_theatre_as_wide_as_a_continent_is_refused() -> None:
    wide = [Place.of(Position.from_degrees(*at)) for at in ((20, 0), (50, 0), (50, 40), (20, 40))]
    theatre = msgspec.structs.replace(terms_of().theatre, outline=tuple(wide))
    with pytest.raises(InvalidInputError, match=r"grid|1,000 km"):
        default_private_check(msgspec.structs.replace(terms_of(), theatre=theatre))


def test_terms_propose_takes_a_document_of_a_file_the_default_or_none(tmp_path: Path) -> None:
    file = tmp_path / "check.json"
    file.write_bytes(canonical_bytes(write_form(document())))
    made = terms_of()
    assert _with_check(made, str(file)).private_check == document()
    assert _with_check(made, "default").private_check == default_private_check(made)
    assert _with_check(terms_of(document()), "none").private_check is None
    with pytest.raises(InvalidInputError, match="cannot be read"):
        _with_check(made, str(tmp_path / "nothing.json"))
    file.write_text("{}")
    with pytest.raises(InvalidDocumentError):
        _with_check(made, str(file))


def test_parts_of_a_step_are_full_but_the_last() -> None:
    data = bytes(range(256)) * 36_000  # 9.2 MB
    body = PrivateStep.of(0, StepWord.POINTS, 0, data)
    parts = cut(data)
    assert b"".join(parts) == data
    assert [len(part) for part in parts] == [4_194_304, 4_194_304, len(data) - 8_388_608]
    assert body.parts == tuple(hash_of(part) for part in parts)
    assert (body.inline, body.size) == (None, len(data))
    assert MAX_STEP_BYTES == 64 * 4_194_304


def test_whatever_a_session_refuses_has_a_word_of_an_end() -> None:
    found = set(re.findall(r"``([A-Z_]+)``", RefusedBatchError.__doc__ or ""))
    for name in ("session", "steps", "tags"):
        source = Path(sealed.__file__).with_name(f"{name}.py").read_text()
        found |= set(re.findall(r'(?:reason=|abort\(|, )"([A-Z][A-Z_]+)"', source))
    assert {"BAD_PROOF", "OTHER_SHAPE", "MALFORMED", "OUT_OF_TURN"} <= found
    assert found <= {reason.value for reason in PrivateEndReason}
    for language in LANGUAGES:
        words = wording(language)["terms"]["check_end"]
        assert list(words) == [reason.value for reason in PrivateEndReason], language
