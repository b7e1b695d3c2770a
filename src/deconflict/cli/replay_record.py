"""``deconflict replay`` of exported records: proven first, then told as they stood."""

import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.command import EXIT_FINDING, show_error
from deconflict.cli.output import clean, progress, write_json
from deconflict.cli.trusted import pieces_of, read_keys, read_roots, require_each_key
from deconflict.cli.written import write_file
from deconflict.errors import (
    InvalidDocumentError,
    InvalidInputError,
    InvalidTimeError,
    VerificationError,
)

if TYPE_CHECKING:
    from deconflict.node.bundle_verified import VerifiedBundle
    from deconflict.node.knowledge.instant import Instant
    from deconflict.node.knowledge.lines import RecordLines
    from deconflict.node.knowledge.reading import Record
    from deconflict.node.knowledge.told import Replies, Told

__all__ = ["Wanted", "is_record", "replay_records", "typed_instant"]

AFTER_SHARE = 4  # of the messages drawn: so many in one behind the instant
_FIRST_BYTES = 1 << 16
_KINDS = (b'"type":"manifest"}', b'"type":"disclosure"}', b'"type":"equivocation"}')
_DAY = len("2015-10-03")
_MINUTE = len("2015-10-03T00:04")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of records.

    Attributes:
        at_ms: an instant; None for every message of ``span_ms``.
        span_ms: from and to which instant messages are told, by their authors' stamps.
        last: how many messages are told one by one at an instant, and drawn.
        picture: the file to draw into.
        language: of what is printed.
        as_json: for programs.
    """

    at_ms: int | None
    span_ms: tuple[int | None, int | None]
    last: int
    picture: Path | None
    language: str
    as_json: bool


def is_record(file: Path) -> bool:
    """True exactly when a file is meant as the record of a line, or a proof out of one."""
    if file.is_dir():
        return False
    with file.open("rb") as stream:
        first = stream.readline(_FIRST_BYTES)
    # What is named so and begins otherwise is damaged: the proof says how.
    return file.suffix == ".deconflict" or any(kind in first for kind in _KINDS)


def typed_instant(text: str) -> int:
    """Return the instant of ``2015-10-03T00:04Z``, or with seconds, milliseconds since 1970.

    Raises:
        InvalidTimeError: it is neither.

    >>> typed_instant("2015-10-03T00:04Z") == typed_instant("2015-10-03T00:04:00Z")
    True
    """
    from deconflict.airspace import parse_utc

    whole = text.strip()
    if len(whole) == _MINUTE + 1 and whole.endswith("Z"):
        whole = f"{whole[:-1]}:00Z"
    try:
        return parse_utc(whole)
    except InvalidTimeError as error:
        raise InvalidTimeError(
            error.problem,
            given=error.given,
            expected="UTC as 2015-10-03T00:04Z or 2015-10-03T00:04:30Z",
            remedy=error.remedy,
        ) from error


def replay_records(
    ctx: click.Context, files: Sequence[Path], keys: tuple[str, ...], wanted: Wanted
) -> None:
    """Prove each record, and tell what is asked. Nothing is told of one that does not verify.

    Raises:
        InvalidInputError: a file is no whole record, or a key is missing.
    """
    from deconflict.node.knowledge.apart import apart
    from deconflict.node.knowledge.lines import RecordLines

    try:
        bundles, record = _proven(files, keys)
    except (VerificationError, InvalidDocumentError) as error:
        if not wanted.as_json:
            names = ", ".join(map(str, files))
            click.echo(click.style("NOT VERIFIED", fg="red", bold=True) + f"  {names}")
        show_error(error, as_json=wanted.as_json)
        ctx.exit(EXIT_FINDING)
    doubts = _Doubts(record, bundles, apart(record))
    if wanted.at_ms is None:
        _tell_all(doubts, wanted)
    else:
        with RecordLines(record, files) as lines:
            _tell_instant(doubts, lines, wanted.at_ms, wanted)
    signed_for = any(each.held for each in record.missing)
    if signed_for or any(bundle.unfound for bundle in bundles):
        ctx.exit(EXIT_FINDING)


@dataclass(frozen=True, slots=True)
class _Doubts:
    """A record, and what of it cannot be so."""

    record: "Record"
    bundles: "Sequence[VerifiedBundle]"
    clocks: Sequence[Any]

    def plain(self) -> dict[str, Any]:
        """Return it for programs."""
        from msgspec import to_builtins

        return {
            "clocks": to_builtins(self.clocks),
            "missing": to_builtins(self.record.missing),
            "unfound": to_builtins([one for bundle in self.bundles for one in bundle.unfound]),
            "bundles": [
                {"by": one.by, "exported_utc": one.exported_utc, "sha256": one.sha256}
                for one in self.bundles
            ],
        }


def _proven(files: Sequence[Path], keys: tuple[str, ...]) -> "tuple[list[VerifiedBundle], Record]":
    from deconflict.cli.proof import verified_proof
    from deconflict.node.bundle_proof import verify_bundle
    from deconflict.node.knowledge.reading import join_records, read_record

    trusted, roots = read_keys(keys), read_roots(keys)
    bundles: list[VerifiedBundle] = []
    records = []
    for number, file in enumerate(files):
        require_each_key(file, trusted)
        if verified_proof(file, trusted, roots) is not None:
            raise InvalidInputError(
                "who knew what is looked up in a whole record",
                given=f"{file}: one message, or a fork",
                expected="a record, as written by: deconflict export --line PEER --out FILE",
            )
        size = file.stat().st_size
        with file.open("rb") as stream, progress(f"Verifying {file.name}", size) as bar:
            proven = verify_bundle(pieces_of(stream, bar), trusted, roots=roots)
        with file.open("rb") as stream, progress(f"Reading {file.name}", size) as bar:
            records.append(read_record(pieces_of(stream, bar), proven, trusted, roots, number))
        if proven.by in {bundle.by for bundle in bundles}:
            raise InvalidInputError(
                "two records of the same exporter",
                given=f"{file}: exported by {proven.by}, as the one before it",
                expected="one of each side",
                remedy="of two exports of one side, the later one has all that the earlier one had",
            )
        bundles.append(proven)
    return bundles, join_records(records)


def _tell_instant(doubts: _Doubts, lines: "RecordLines", at_ms: int, wanted: Wanted) -> None:
    from msgspec import to_builtins

    from deconflict.cli.replay_words import Words
    from deconflict.node.knowledge.instant import at_instant
    from deconflict.node.knowledge.texts import texts_of

    record = doubts.record
    total = 2 * sum(len(record.chain(party)) for party in record.parties)
    with progress("Looking", total) as bar:
        found = at_instant(record, at_ms, lines.envelope, last=wanted.last, advance=bar.advance)
    texts = texts_of(record, lines, found, wanted.language)
    if wanted.picture is not None:
        _draw(doubts, wanted, found)
    if wanted.as_json:
        write_json({**to_builtins(found), "texts": texts, **doubts.plain()})
        return
    words = Words(wanted.language, found.at_utc[:_DAY])
    words.show(found, texts)
    words.show_doubts(doubts.clocks, record, doubts.bundles)


def _tell_all(doubts: _Doubts, wanted: Wanted) -> None:
    from msgspec import to_builtins

    from deconflict.cli.replay_words import Words

    record = doubts.record
    if wanted.picture is not None:
        _draw(doubts, wanted, None)
    rows = _told(record, wanted.span_ms)
    if wanted.as_json:
        # One row at a time: a long record need not fit into memory as text.
        head = {"line_id": record.line_id, "parties": record.parties, **doubts.plain()}
        click.echo(json.dumps(head, indent=2)[:-2] + ',\n  "messages": [', nl=False)
        for number, each in enumerate(rows):
            comma = "," if number else ""
            click.echo(f"{comma}\n    {json.dumps(to_builtins(each))}", nl=False)
        click.echo("\n  ]\n}")
        return
    words = Words(wanted.language, "")
    click.echo(click.style(clean(words.say("TIMELINE")), bold=True))
    words.show_sources(record.exporters, record.parties)
    width = max(map(len, record.parties))
    click.echo("\n" + click.style(words.heading(width), dim=True))
    for each in rows:
        day = each.said_utc[:_DAY]
        if day != words.day:
            click.echo(click.style(day, bold=True))
            words.day = day
        click.echo(words.row(each, width))
    words.show_doubts(doubts.clocks, record, doubts.bundles)


def _told(record: "Record", span_ms: tuple[int | None, int | None]) -> "Iterator[Told]":
    from deconflict.node.knowledge.told import told

    replies = _replies(record)
    for party, index in _within(record, span_ms):
        yield told(record, party, index, replies[party])


def _within(record: "Record", span_ms: tuple[int | None, int | None]) -> Iterator[tuple[str, int]]:
    """Yield the messages whose authors' stamps lie in a span, both ends included."""
    from deconflict.node.knowledge.told import both_chains

    start, end = span_ms
    for party, index in both_chains(record):
        created = record.chain(party).created[index]
        if (start is None or start <= created) and (end is None or created <= end):
            yield party, index


def _replies(record: "Record") -> "dict[str, Replies]":
    from deconflict.node.knowledge.told import replies_in

    return {
        party: replies_in(record.chain(party), record.chain(record.other(party)))
        for party in record.parties
    }


def _draw(doubts: _Doubts, wanted: Wanted, found: "Instant | None") -> None:
    from deconflict.cli.replay_picture import draw_lanes
    from deconflict.cli.replay_words import Words
    from deconflict.node.knowledge.told import told

    if wanted.picture is None:
        return
    record, at_ms = doubts.record, wanted.at_ms
    count, before, after = 0, deque[tuple[str, int]](maxlen=wanted.last), list[tuple[str, int]]()
    for party, index in _within(record, wanted.span_ms):
        count += 1
        if at_ms is None or record.chain(party).created[index] <= at_ms:
            before.append((party, index))
        elif len(after) < max(wanted.last // AFTER_SHARE, 1):
            after.append((party, index))
    replies = _replies(record)
    rows = [told(record, party, index, replies[party]) for party, index in (*before, *after)]
    day = found.at_utc if found is not None else rows[-1].said_utc if rows else ""
    words = Words(wanted.language, day[:_DAY])
    svg = draw_lanes(rows, record.parties, words, found=found, count=count)
    write_file(wanted.picture, svg.encode())
