"""A sheet as values: what stands on it, in which language, in which order; not how it looks.

The PDF and the page that a browser prints are made from the same sheet. Every text is data: neither
of them reads markup in it.
"""

from typing import Any, Final, TypeAlias

import msgspec

__all__ = [
    "MOST_BYTES",
    "Blanks",
    "Block",
    "Code",
    "Columns",
    "Fact",
    "Facts",
    "Heading",
    "Lexicon",
    "Paragraph",
    "Picture",
    "Sheet",
    "Words",
    "to_wire",
]

MOST_BYTES: Final = 2_000_000  # of a sheet as JSON: some hundred pages


class Words(msgspec.Struct, frozen=True):
    """A text and the code of its language, which says in which direction it runs."""

    text: str
    language: str


class Heading(msgspec.Struct, frozen=True, tag_field="kind", tag="heading"):
    """A heading, in each language of the sheet."""

    said: tuple[Words, ...]


class Paragraph(msgspec.Struct, frozen=True, tag_field="kind", tag="paragraph"):
    """A paragraph, in each language of the sheet one below the other."""

    said: tuple[Words, ...]
    strong: bool = False


class Fact(msgspec.Struct, frozen=True):
    """A name in each language, and its value; ``exact`` where each sign of it counts."""

    name: tuple[Words, ...]
    value: tuple[Words, ...]
    exact: bool = False


class Facts(msgspec.Struct, frozen=True, tag_field="kind", tag="facts"):
    """Names and values, a line each."""

    facts: tuple[Fact, ...]


class Lexicon(msgspec.Struct, frozen=True, tag_field="kind", tag="lexicon"):
    """Signs and what each is called: a row each, a column for each language.

    ``across`` rows stand beside one another, where they are short.
    """

    rows: tuple[tuple[str, tuple[Words, ...]], ...]
    across: int = 1


class Columns(msgspec.Struct, frozen=True, tag_field="kind", tag="columns"):
    """Texts side by side, each in its own language, in paragraphs."""

    columns: tuple[tuple[Words, ...], ...]


class Picture(msgspec.Struct, frozen=True, tag_field="kind", tag="picture"):
    """A drawing as SVG that this node drew, with what it shows in words."""

    svg: str
    said: tuple[Words, ...]


class Code(msgspec.Struct, frozen=True, tag_field="kind", tag="code"):
    """A QR code as SVG, and the lines that it holds, to be read without a scanner."""

    svg: str
    said: tuple[Words, ...]
    lines: tuple[str, ...]


class Blanks(msgspec.Struct, frozen=True, tag_field="kind", tag="blanks"):
    """Lines to be written on by hand, each with what belongs there."""

    names: tuple[tuple[Words, ...], ...]
    across: int = 3


Block: TypeAlias = Heading | Paragraph | Facts | Lexicon | Columns | Picture | Code | Blanks


class Sheet(msgspec.Struct, frozen=True):
    """One sheet.

    Attributes:
        name: of a file that holds it, without ending.
        languages: the codes of its languages; the first gives the direction of the whole.
        title: in each language.
        made_utc: as things stood then; the PDF bears it, so that one sheet gives the same bytes.
        blocks: what stands on it, from above.
        mark: over everything, such as that it is an exercise; nothing where there is none.
    """

    name: str
    languages: tuple[str, ...]
    title: tuple[Words, ...]
    made_utc: str
    blocks: tuple[Block, ...]
    mark: str = ""


def to_wire(sheet: Sheet) -> dict[str, Any]:
    """Return the sheet as it stands in JSON; each block says its ``kind``."""
    found: dict[str, Any] = msgspec.to_builtins(sheet)
    return found
