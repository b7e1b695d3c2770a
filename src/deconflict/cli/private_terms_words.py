"""The document on private checks in words, for `deconflict terms show`: every field of it."""

from collections.abc import Iterator
from decimal import Decimal

from deconflict.airspace.notation import echo
from deconflict.cli.figures import exact, lateral, metres, span, vertical
from deconflict.messages.private_terms import PrivateCheckTerms

__all__ = ["check_rows"]


def check_rows(check: PrivateCheckTerms | None) -> Iterator[tuple[str, str, str]]:
    """Yield section, name and value of each field; what belongs to one thing stands together."""
    if check is None:
        yield "PRIVATE CHECK", "agreed", "no"
        return
    yield from (("PRIVATE CHECK", *row) for row in _what(check))
    yield from (("PRIVATE CHECK, WHEN", *row) for row in _when(check))
    yield from (("PRIVATE CHECK, HOW MUCH IS ASKED AND SHOWN", *row) for row in _how_much(check))
    yield from (("PRIVATE CHECK, OPENED AND KEPT", *row) for row in _kept(check))


def _what(check: PrivateCheckTerms) -> Iterator[tuple[str, str]]:
    minima = check.minima
    yield "document", check.document_hash
    yield (
        "finds whoever is within",
        f"{lateral(minima.horizontal_mm)} lateral, {vertical(minima.vertical_tmm)} vertical, "
        f"{span(minima.time_ms)}",
    )
    written = echo(check.origin.position)
    yield "origin of the grid", f"{written.decimal} (MGRS {written.mgrs})"
    yield (
        "cells",
        f"{lateral(check.cell_mm)} wide, {vertical(check.level_tmm)} high, "
        f"{span(check.slot_ms)} long",
    )
    west, south = check.west_mm, check.south_mm
    yield (
        "west to east",
        f"{check.columns:,} cells, from {_east(west)} to "
        f"{_east(west + check.columns * check.cell_mm)}",
    )
    yield (
        "south to north",
        f"{check.rows:,} cells, from {_north(south)} to "
        f"{_north(south + check.rows * check.cell_mm)}",
    )
    yield (
        "levels",
        f"{check.levels:,}, from {metres(check.floor_tmm)} to "
        f"{metres(check.floor_tmm + check.levels * check.level_tmm)} {check.reference.value}",
    )
    parts = ", then ".join(str(each) for each in check.refinements)
    yield "closer looks cut cells into", parts or "none: no closer look"


def _when(check: PrivateCheckTerms) -> Iterator[tuple[str, str]]:
    yield "a period", f"{check.slots:,} slots, {span(check.slots * check.slot_ms)}"
    yield "a period begins every", f"{span(check.cadence_ms)}, counted from 1970"
    gap_ms = check.cadence_ms - check.slots * check.slot_ms
    if gap_ms > 0:
        yield "NOT CHECKED between periods", span(gap_ms)
    yield "due before its period", span(check.ahead_ms)
    yield "expires when late by", span(check.run_limit_ms)
    yield "tags leave at multiples of", span(check.tags_after_ms)


def _how_much(check: PrivateCheckTerms) -> Iterator[tuple[str, str]]:
    yield "points asked in a slot", f"{check.points:,}, always"
    yield "tags shown in a run", f"{check.bucket:,}, always"
    yield "a side sends in a run", f"{check.bytes_of_run():,} bytes, and its HELLO"
    yield "sorties in a period", f"at most {check.sorties:,}"
    yield "cells of a sortie in a slot", f"at most {check.cells_per_sortie_slot:,}"
    yield "a slot is asked about", f"at most {check.runs_per_slot} times, closer looks included"


def _kept(check: PrivateCheckTerms) -> Iterator[tuple[str, str]]:
    rate = "none" if not check.audit_per_mille else f"{check.audit_per_mille} of 1,000, by a coin"
    yield "runs opened", rate
    yield "opened to", check.arbiter or "nobody"
    yield "a plan is opened after", f"{check.opened_after_days} days, no sooner"
    yield "plans, seeds and parts kept for", f"{check.retention_days} days"


def _east(mm: int) -> str:
    return f"{exact(Decimal(abs(mm)) / 1_000)} m {'west' if mm < 0 else 'east'}"


def _north(mm: int) -> str:
    return f"{exact(Decimal(abs(mm)) / 1_000)} m {'south' if mm < 0 else 'north'}"
