"""Declarations from files and pasted text: read and refused here, before anything reaches the node.

Whatever format it is in, it is read by :mod:`deconflict.formats.pasted`, as the console's is.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from deconflict.airspace import geometry_to_wire
from deconflict.airspace.where import located
from deconflict.cli.gaps import Gaps
from deconflict.cli.output import clean, count
from deconflict.errors import InvalidDocumentError
from deconflict.formats.pasted import SHAPES, Given, LossKind, ReadDraft, Reading, read_pasted

__all__ = ["MAX_FILE_BYTES", "STDIN", "Drafts", "read_drafts", "say_read"]

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
STDIN: Final = Path("-")
_MOST_SAID: Final = 40
_MOST_NAMED: Final = 10
_OPTION_FOR: Final = {
    "PURPOSE": "--purpose WORD",
    "SHAPE": f"--shape {'|'.join(SHAPES)}",
    "RADIUS": "--radius 10NM",
    "HALF_WIDTH": "--half-width 5NM",
    "LOWER": "--lower SFC",
    "UPPER": "--upper FL100",
    "BAND": "--lower SFC --upper FL100",
    "START": "--start UTC",
    "END": "--end UTC",
}
_KIND_WORDS: Final = {
    LossKind.LEFT_OUT: "LEFT OUT",
    LossKind.CHANGED: "changed",
    LossKind.SET_ASIDE: "set aside",
}


@dataclass(frozen=True, slots=True)
class Drafts:
    """Declarations as the node's API takes them, and what each file was read as."""

    wire: list[dict[str, Any]]
    readings: tuple[tuple[Path, Reading], ...]

    def report(self) -> list[dict[str, Any]]:
        """Return what was read and lost of each file, for programs."""
        return [
            {
                "file": str(file),
                "format": reading.format.value,
                "sha256": reading.sha256,
                "declarations": len(reading.drafts),
                "losses": [
                    {"kind": loss.kind.value, "where": loss.where, "text": loss.text}
                    for loss in reading.losses
                ],
            }
            for file, reading in self.readings
        ]


def read_drafts(files: Iterable[Path], gaps: Gaps | None = None) -> Drafts:
    """Return the declarations of files, whatever their format; ``-`` is standard input.

    Raises:
        InvalidInputError: a file cannot be read, something in it with a place would be left out,
            or a declaration needs what nobody has said; the text names the file.
    """
    gaps = gaps or Gaps()
    given = Given(**gaps.given)
    readings = []
    for file in files:
        data = _bytes_of(file)
        with located(f"{file}:"):
            reading = read_pasted(data, given)
            _require_whole(reading, with_losses=gaps.with_losses)
        readings.append((file, reading))
    wire = [_wire(draft, gaps.label) for _, reading in readings for draft in reading.drafts]
    return Drafts(wire, tuple(readings))


def say_read(drafts: Drafts) -> None:
    """Print what each file was read as and what was lost; nothing where all of it is plain."""
    for file, reading in drafts.readings:
        if not reading.losses and reading.format.value == "GEOJSON_PROFILE":
            continue
        click.echo(
            f"{clean(file)}: {reading.format.words}, {count(len(reading.drafts), 'declaration')}, "
            f"SHA-256 {reading.sha256}"
        )
        _say_losses(reading, err=False)
        named = [f"{at}. {clean(one.name)}" for at, one in enumerate(reading.drafts, 1) if one.name]
        if named:
            more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
            click.echo(f"  Called in it, and not sent: {', '.join(named[:_MOST_NAMED])}{more}")
        click.echo()


def _say_losses(reading: Reading, *, err: bool) -> None:
    for loss in reading.losses[:_MOST_SAID]:
        where = f"{clean(loss.where)}: " if loss.where else ""
        colour = "red" if loss.kind is LossKind.LEFT_OUT else "yellow"
        kind = click.style(f"{_KIND_WORDS[loss.kind]:<9}", fg=colour)
        click.echo(f"  {kind}  {where}{clean(loss.text)}", err=err)
    if len(reading.losses) > _MOST_SAID:
        click.echo(f"  ... and {len(reading.losses) - _MOST_SAID} more", err=err)


def _require_whole(reading: Reading, *, with_losses: bool) -> None:
    if reading.left_out and not with_losses:
        _say_losses(reading, err=True)
        raise InvalidDocumentError(
            f"{count(len(reading.left_out), 'thing')} in it would not be declared",
            given=f"{reading.format.words}; first: {reading.left_out[0].where}: "
            f"{reading.left_out[0].text}",
            expected="every shape read",
            remedy="correct it, or go on without: --with-losses",
        )
    missing = {one.what: one for draft in reading.drafts for one in draft.missing()}
    if missing:
        _say_losses(reading, err=True)
        options = [_OPTION_FOR[what] for what in missing if what in _OPTION_FOR]
        raise InvalidDocumentError(
            "something is missing that a declaration needs",
            given=reading.format.words,
            expected="; ".join(one.text for one in missing.values()),
            remedy=f"say it: {' '.join(options)}" if options else "correct the file",
        )


def _bytes_of(file: Path) -> bytes:
    if file == STDIN:
        data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
    else:
        # One byte more than is read tells that there is more, of a pipe as well.
        with file.open("rb") as opened:
            data = opened.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise InvalidDocumentError(
            "this file is too large",
            given=str(file),
            expected=f"at most {MAX_FILE_BYTES:,} bytes",
            remedy="split it",
        )
    return data


def _wire(draft: ReadDraft, label: str | None) -> dict[str, Any]:
    geometry = draft.geometry
    if geometry is None:  # looked at above, before anything is written
        raise InvalidDocumentError("a draft is not whole", given=draft.where)
    wire: dict[str, Any] = {
        "purpose": draft.purpose,
        "geometry": geometry_to_wire(geometry),
        "label": draft.label or label,
    }
    if draft.declaration_id is not None:
        wire["declaration_id"] = draft.declaration_id
    return wire
