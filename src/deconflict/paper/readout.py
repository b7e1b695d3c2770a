"""A readout to hand over and to sign by hand: in two languages, with what proves it beside it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from deconflict.airspace import Position, geometry_from_wire
from deconflict.messages.phrases import render_named
from deconflict.node.call_views import CallView, ReadoutView, TalkView
from deconflict.node.views import DeclarationView, HeadView, NodeView
from deconflict.paper.picture import Shape, draw_map
from deconflict.paper.qr import qr_svg
from deconflict.paper.sheet import (
    Blanks,
    Block,
    Code,
    Columns,
    Fact,
    Facts,
    Heading,
    Paragraph,
    Picture,
    Sheet,
    Words,
)
from deconflict.paper.words import Both, as_written

__all__ = ["Drawn", "languages_of_line", "readout_sheet"]

# What the map shows. What is declared is told to the peer of a line and to nobody else, and a
# readout may be meant for others: so it is drawn only where somebody asks for it.
Drawn: TypeAlias = Literal["none", "theatre", "declared"]

_MOST_SHAPES: Final = 200


def readout_sheet(
    about: NodeView,
    call: CallView,
    readout: ReadoutView,
    *,
    language: str,
    talk: TalkView | None,
    terms: Mapping[str, Any] | None,
    heads: Sequence[HeadView],
    declarations: Sequence[DeclarationView],
    drawn: Drawn,
) -> Sheet:
    """Return the sheet of one readout of a call.

    Args:
        about: this node.
        call: the call.
        readout: which of its readouts.
        language: the reader's; the peer's stands beside it.
        talk: how it was arranged, if it was.
        terms: those agreed on its line, if any are: theatre and the peer's languages.
        heads: the ends of both chains now.
        declarations: what may be drawn.
        drawn: what the map shows.
    """
    both = Both(languages_of_line(language, terms, call.peer))
    signers = [about.party, call.peer]
    state = both(f"readout.{readout.state}", **_party(readout))
    blocks: list[Block] = [
        Paragraph(state, strong=True),
        *_texts(readout, both),
        Heading(both("readout.of")),
        Facts(tuple(_facts(call, readout, talk, both, signers))),
        *_map(call, talk, terms, declarations, drawn, both),
        _heads(call, readout, heads, both),
        *_signatures(signers, both),
    ]
    return Sheet(
        name=f"readout-{call.call_id[:10]}",
        languages=both.languages,
        title=both("readout.title"),
        made_utc=about.now_utc,
        blocks=tuple(blocks),
        mark=render_named("DRILL", {}, both.languages[0]) if call.drill else "",
    )


def languages_of_line(language: str, terms: Mapping[str, Any] | None, peer: str) -> tuple[str, ...]:
    """Return the reader's language and the first of the peer's, as far as terms say it."""
    parties = [] if terms is None else terms["parties"]
    theirs = [each["languages"][0] for each in parties if each["party"] == peer]
    return tuple(dict.fromkeys((language, *theirs)))


def _party(readout: ReadoutView) -> dict[str, str]:
    return {} if readout.by is None else {"party": readout.by}


def _texts(readout: ReadoutView, both: Both) -> list[Block]:
    if not readout.texts:
        return []
    first = both.languages
    order = sorted(
        readout.texts,
        key=lambda code: (code not in first, first.index(code) if code in first else 0),
    )
    pairs = [order[at : at + 2] for at in range(0, len(order), 2)]
    return [
        Heading(both("readout.text")),
        *(
            Columns(
                tuple(
                    tuple(as_written(line, code) for line in readout.texts[code]) for code in pair
                )
            )
            for pair in pairs
        ),
    ]


def _column(readout: ReadoutView, code: str) -> tuple[Words, ...]:
    return tuple(as_written(line, code) for line in readout.texts[code])


def _facts(
    call: CallView, readout: ReadoutView, talk: TalkView | None, both: Both, signers: list[str]
) -> list[Fact]:
    found = [Fact(both("readout.between"), both.value(" · ".join(signers)))]
    for record in call.records:
        held = f"{record.party}: {_clock(record.start_utc)} – {_clock(record.end_utc)}"
        found.append(Fact(both("readout.held"), both.value(held), exact=True))
    if talk is not None and talk.start_utc and talk.end_utc:
        arranged = f"{_clock(talk.start_utc)} – {_clock(talk.end_utc)}"
        found.append(Fact(both("readout.arranged"), both.value(arranged), exact=True))
        found.append(Fact(both("readout.subject"), both.choice("subject", talk.subject)))
    tiers = dict.fromkeys([record.tier for record in call.records] or ([talk.tier] if talk else []))
    found += [Fact(both("readout.tier"), both.choice("tier", tier)) for tier in tiers]
    media = dict.fromkeys(record.medium for record in call.records)
    found += [Fact(both("readout.medium"), both.choice("medium", medium)) for medium in media]
    if call.differing:
        fields = ", ".join(each.field for each in call.differing)
        found.append(Fact(both("readout.differ"), both.value(fields)))
    found.append(Fact(both("readout.call_id"), both.value(call.call_id), exact=True))
    if readout.readout_hash is not None:
        found.append(Fact(both("readout.text_hash"), both.value(readout.readout_hash), exact=True))
    return found


def _map(
    call: CallView,
    talk: TalkView | None,
    terms: Mapping[str, Any] | None,
    declarations: Sequence[DeclarationView],
    drawn: Drawn,
    both: Both,
) -> list[Block]:
    theatre = None if terms is None else terms["theatre"]
    shapes = _shapes(call, talk, declarations) if drawn == "declared" else []
    outline = [_position(place) for place in theatre["outline"] or ()] if theatre else []
    landmarks = [
        (each["name"], _position(each["position"]))
        for each in (theatre["landmarks"] if theatre else ())
    ]
    # One place alone has no surroundings to be seen in.
    if drawn == "none" or not (shapes or outline or len(landmarks) > 1):
        return []
    svg = draw_map(
        shapes,
        landmarks=landmarks,
        theatres=[(theatre["name"], outline)] if theatre and outline else [],
    )
    said = both(f"readout.map_{drawn}")
    notes = both("sheet.not_for_navigation")
    return [
        Heading(both("readout.map")),
        Picture(
            svg,
            tuple(
                Words(f"{one.text} {note.text}", one.language)
                for one, note in zip(said, notes, strict=True)
            ),
        ),
    ]


def _shapes(
    call: CallView, talk: TalkView | None, declarations: Sequence[DeclarationView]
) -> list[Shape]:
    times = [(record.start_utc, record.end_utc) for record in call.records]
    if not times and talk is not None and talk.start_utc and talk.end_utc:
        times = [(talk.start_utc, talk.end_utc)]
    if not times:
        return []
    start, end = min(start for start, _ in times), max(end for _, end in times)
    shown = [
        each
        for each in declarations
        if call.line_id in each.line_ids and each.start_utc <= end and each.end_utc >= start
    ]
    return [
        Shape(
            label=f"{each.party}: {each.label or each.declaration_id[:6]}",
            party=each.party,
            own=each.own,
            purpose=each.purpose,
            geometry=geometry_from_wire(each.geometry),
        )
        for each in shown[:_MOST_SHAPES]
    ]


def _heads(call: CallView, readout: ReadoutView, heads: Sequence[HeadView], both: Both) -> Code:
    lines = [
        f"line {call.line_id}",
        *(f"{head.party} {head.epoch} {head.seq} {head.hash}" for head in heads),
        *([] if readout.readout_hash is None else [f"readout {readout.readout_hash}"]),
    ]
    said = tuple(
        Words(f"{one.text}. {proof.text}", one.language)
        for one, proof in zip(both("sheet.heads"), both("sheet.proof"), strict=True)
    )
    return Code(qr_svg("\n".join(("deconflict heads", *lines))), said, tuple(lines))


def _signatures(signers: list[str], both: Both) -> list[Block]:
    """Return room for both to sign, one beside the other."""
    lines = ("sheet.name_and_role", "sheet.signature", "sheet.date_utc")
    names = [
        tuple(Words(f"{party}: {words.text}", words.language) for words in both(line))
        for line in lines
        for party in signers
    ]
    return [Blanks(tuple(names), across=len(signers))]


def _position(place: Mapping[str, int]) -> Position:
    return Position(place["lat_e7"], place["lon_e7"])


def _clock(utc: str) -> str:
    """Return a time as people read it: 2015-09-30 12:00:00Z."""
    return f"{utc[:10]} {utc[11:19]}Z"
