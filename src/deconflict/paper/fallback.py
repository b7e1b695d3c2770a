"""The card for the drawer: what to do, and what to say, when both paths of a line are down."""

from collections.abc import Mapping
from typing import Any, Final

from deconflict.messages.phrases import SAFETY_PHRASES, phrase_named, phrases, wording
from deconflict.node.views import LineView, NodeView
from deconflict.paper.readout import languages_of_line
from deconflict.paper.sheet import (
    Blanks,
    Block,
    Fact,
    Facts,
    Heading,
    Lexicon,
    Paragraph,
    Sheet,
    Words,
)
from deconflict.paper.words import Both

__all__ = ["fallback_sheet"]

_SAID: Final = ("CEASE_DECLARATION", "CEASE_PLACE", "CEASED", "CONTINUING", "CANNOT_REACH")
_FRAME: Final = ("SCRIPT_BEGIN", "SCRIPT_TEMPLATE", "SCRIPT_CHECK", "SCRIPT_READ_BACK")


def fallback_sheet(
    about: NodeView, line: LineView, desk: str, *, language: str, terms: Mapping[str, Any] | None
) -> Sheet:
    """Return the card of one line.

    It holds no telephone number: none is said on a line or kept by a node. They are written on it
    by hand, from the voice plan.
    """
    both = Both(languages_of_line(language, terms, line.peer))
    steps = ("step_script", "step_hear", "step_note", "without_node")
    blocks: list[Block] = [
        Paragraph(both("fallback.ours", party=about.party, desk=desk), strong=True),
        Paragraph(both("fallback.when")),
        Facts(tuple(_facts(line, terms, both))),
        Paragraph(both("fallback.first")),
        Blanks((both("sheet.number"), both("sheet.set_and_place"), both("sheet.name_and_role"))),
        Blanks((both("sheet.number"), both("sheet.set_and_place"), both("sheet.name_and_role"))),
        Heading(both("fallback.by_voice")),
        *(Paragraph(both(f"fallback.{step}", **_peer(step, line.peer))) for step in steps),
        Lexicon(tuple(_row(phrase_named(name).number, both) for name in _FRAME)),
        Heading(both("fallback.templates")),
        Lexicon(
            tuple(_row(each.number, both) for each in phrases() if each.number in SAFETY_PHRASES)
        ),
        Heading(both("fallback.cease")),
        Lexicon(tuple(_row(phrase_named(name).number, both) for name in _SAID)),
        Heading(both("fallback.digits")),
        Lexicon(_spoken("digits", both), across=2),
        Heading(both("fallback.letters")),
        Lexicon(_spoken("letters", both), across=2),
        Heading(both("fallback.other_ways")),
        Paragraph(both("fallback.step_carry", peer=line.peer)),
        Paragraph(both("fallback.step_no_answer"), strong=True),
    ]
    return Sheet(
        name=f"fallback-{line.peer}",
        languages=both.languages,
        title=both("fallback.title", peer=line.peer),
        made_utc=about.now_utc,
        blocks=tuple(blocks),
    )


def _peer(step: str, peer: str) -> dict[str, str]:
    return {"peer": peer} if step == "step_script" else {}


def _facts(line: LineView, terms: Mapping[str, Any] | None, both: Both) -> list[Fact]:
    parties = [] if terms is None else terms["parties"]
    spoken = ", ".join(f"{each['party']}: {' '.join(each['languages'])}" for each in parties)
    heard = line.last_heard_utc
    return [
        *([Fact(both("fallback.languages"), both.value(spoken))] if spoken else []),
        Fact(
            both("fallback.last_heard"),
            both.value("–" if heard is None else f"{heard[:10]} {heard[11:19]}Z"),
            exact=True,
        ),
        Fact(both("fallback.seqs"), both.value(f"{line.own_seq}, {line.peer_seq}"), exact=True),
    ]


def _row(number: int, both: Both) -> tuple[str, tuple[Words, ...]]:
    """Return a phrase by its number, with its names of values where they are said."""
    texts = (str(wording(language)["texts"][str(number)]) for language in both.languages)
    return str(number), tuple(map(Words, texts, both.languages))


def _spoken(table: str, both: Both) -> tuple[tuple[str, tuple[Words, ...]], ...]:
    spoken = [wording(language)[table] for language in both.languages]
    return tuple(
        (sign, tuple(map(Words, (str(each[sign]) for each in spoken), both.languages)))
        for sign in spoken[0]
    )
