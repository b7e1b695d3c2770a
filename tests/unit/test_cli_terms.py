"""Whoever signs terms has seen every field of them, and every change."""

import copy
import re
from collections.abc import Iterator
from enum import Enum
from itertools import compress
from typing import Any

import msgspec
import pytest

from deconflict.airspace.landmark import Landmark
from deconflict.airspace.position import Position
from deconflict.cli.terms_words import show_terms
from deconflict.messages import terms as terms_module
from deconflict.messages.terms import PartyTerms, Terms, TermsSignature, ThirdParty
from deconflict.messages.terms_defaults import default_terms
from deconflict.messages.terms_rows import changed_rows, terms_rows
from deconflict.messages.wire_form import Place, WireForm
from deconflict.messages.words import LANGUAGES, find_banned
from private_samples import document

CORNERS = tuple(Position.from_degrees(*at) for at in ((32, 35), (38, 35), (38, 43), (32, 43)))


def whole() -> Terms:
    """Return terms in which nothing is left out."""
    return default_terms(
        line="0f" * 16,
        parties=[PartyTerms(name, "watch", "duty", ("en", "ru"), 1) for name in ("blue", "red")],
        theatre="Coast",
        outline=CORNERS,
        landmarks=[Landmark("Deir ez-Zor", Position.from_degrees(35.3, 40.2))],
        third_parties=[ThirdParty("cedar", tuple(Place.of(corner) for corner in CORNERS))],
        version=2,
        replaces="a" * 64,
        private_check=document(audit_per_mille=10, arbiter="cedar"),
    )


def changes(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the value with one thing in it changed, and where; whether it could stand or not."""
    match value:
        case msgspec.Struct():
            for name in value.__struct_fields__:
                here = (*path, f"{type(value).__name__}.{name}")
                for where, other in changes(getattr(value, name), here):
                    changed = copy.copy(value)
                    msgspec.structs.force_setattr(changed, name, other)
                    yield where, changed
        case tuple():
            if len(value) > 1:
                yield path, value[:-1]
            for at, item in enumerate(value):
                for where, other in changes(item, path):
                    yield where, (*value[:at], other, *value[at + 1 :])
        case dict():
            for key, item in value.items():
                for where, other in changes(item, path):
                    yield where, {**value, key: other}
        case Enum():
            yield path, next(member for member in type(value) if member is not value)
        case int():
            yield path, value + 1
        case str():
            yield path, value + "x"


@pytest.mark.parametrize("language", LANGUAGES)
def test_change_of_any_single_field_shows_as_changed(language: str) -> None:
    in_force = whole()
    touched = set()
    for where, proposed in changes(in_force):
        rows = changed_rows(proposed, in_force, language)
        assert all(row.was != row.proposed for row in rows), where
        # The hash of the document on private checks changes with anything in it, and says nothing.
        assert [row for row in rows if proposed_hash(proposed) not in row.proposed], where
        touched.add(where[-1])
    forms = [
        form
        for form in vars(terms_module).values()
        if isinstance(form, type) and issubclass(form, WireForm) and form is not WireForm
    ]
    leaves = {
        f"{form.__name__}.{name}"
        for form in forms
        if form is not TermsSignature
        for name, kind in msgspec.structs.asdict(_filled(form)).items()
        if not _holds_forms(kind)
    }
    assert leaves <= touched


def proposed_hash(terms: Terms) -> str:
    assert terms.private_check is not None
    return terms.private_check.document_hash


def _filled(form: type[Any]) -> Any:
    """Return one value of this form out of the whole terms."""
    return next(found for found in _all_in(whole()) if type(found) is form)


def _all_in(value: Any) -> Iterator[Any]:
    if isinstance(value, msgspec.Struct):
        yield value
        for name in value.__struct_fields__:
            yield from _all_in(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _all_in(item)
    elif isinstance(value, dict):
        yield from _all_in(tuple(value.values()))


def _holds_forms(value: Any) -> bool:
    return bool(list(_all_in(value)))


@pytest.mark.parametrize("field", ["outline", "where"])
def test_taking_a_place_away_shows(field: str) -> None:
    in_force = whole()
    if field == "outline":
        theatre = msgspec.structs.replace(in_force.theatre, outline=None)
        proposed = msgspec.structs.replace(in_force, theatre=theatre)
    else:
        third = ThirdParty("cedar", None)
        proposed = msgspec.structs.replace(in_force, third_parties=(third,))
    assert changed_rows(proposed, in_force, "en")


def test_all_that_was_found_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    show_terms(whole())
    shown = capsys.readouterr().out
    for row in terms_rows(whole(), "en"):
        assert row.section.upper() in shown
        assert row.name in shown
        assert row.value in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_every_field_once_and_nothing_banned(language: str) -> None:
    rows, english = terms_rows(whole(), language), terms_rows(whole(), "en")
    assert len({(row.section, row.name) for row in rows}) == len(rows) == len(english)
    for row in rows:
        assert row.value
        assert find_banned(f"{row.section} {row.name} {row.value}") == ()


def test_figures_are_the_same_in_every_language_and_no_comma_makes_them_smaller() -> None:
    # Arabic has forms of its own for one person and two: no figure.
    counted = [not row.value.endswith((" person", " persons")) for row in terms_rows(whole(), "en")]
    rows = [compress(terms_rows(whole(), each), counted) for each in LANGUAGES]
    texts = [" ".join(row.value for row in each) for each in rows]
    figures = [re.findall(r"[0-9]+(?:[.,][0-9]+)*", text) for text in texts]
    assert LANGUAGES[0] == "en"
    assert "9,260" in figures[0]
    plain = [figure.replace(",", "") for figure in figures[0]]
    assert all(found == plain for found in figures[1:])


def test_outside_its_isolates_an_arabic_row_has_nothing_that_runs_left_to_right() -> None:
    for row in terms_rows(whole(), "ar"):
        for text in (row.section, row.name, row.value):
            outside = re.sub("[\u2066\u2068][^\u2069]*\u2069", "", text)
            assert not re.search("[A-Za-z0-9]", outside), text


def test_wider_readback_tolerance_stands_first_old_against_new(
    capsys: pytest.CaptureFixture[str],
) -> None:
    in_force = whole()
    wide = msgspec.structs.replace(in_force.readback, position_mm=9_000_000)
    show_terms(msgspec.structs.replace(in_force, readback=wide), in_force)
    shown = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    change = "position was 200 m (0.11 NM), proposed 9,000 m (4.86 NM)"
    assert shown[:2] == [
        "CHANGES version 2, in force:",
        f"A READBACK AGREES WITHIN: {change}",
    ]
    assert change in shown


def test_terms_in_force_are_shown_without_changes(capsys: pytest.CaptureFixture[str]) -> None:
    show_terms(whole())
    assert "was " not in capsys.readouterr().out


def test_names_that_a_peer_chose_cannot_steer_the_screen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    terms = whole()
    landmark = copy.copy(terms.theatre.landmarks[0])
    msgspec.structs.force_setattr(landmark, "name", "hill\n\x1b[2Jversion 1")
    theatre = copy.copy(terms.theatre)
    msgspec.structs.force_setattr(theatre, "landmarks", (landmark,))
    forged = copy.copy(terms)
    msgspec.structs.force_setattr(forged, "theatre", theatre)
    show_terms(forged, terms)
    assert "\x1b" not in capsys.readouterr().out
