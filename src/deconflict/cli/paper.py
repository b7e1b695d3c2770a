"""Pages of QR codes that carry a parcel on paper: A4, six codes a page, each numbered."""

from typing import Any, Final

import segno

from deconflict.cli.output import clean
from deconflict.line.codes import code_texts
from deconflict.paper.qr import QUIET, dark_runs
from deconflict.paper.svg import element, text

__all__ = ["CODES_A_PAGE", "drill_mark", "pages"]

# Millimetres of A4. A code of version 15 has 77 modules and 4 of quiet zone on each side: at 80 mm
# a module is 0.94 mm, twice what a telephone needs at arm's length.
_WIDTH: Final = 210
_HEIGHT: Final = 297
_ACROSS: Final = 2
_DOWN: Final = 3
_SIDE: Final = 80
_LEFT: Final = (20, 110)
_TOP: Final = (28, 117, 206)
CODES_A_PAGE: Final = _ACROSS * _DOWN


def pages(made: dict[str, Any], packed: bytes) -> list[str]:
    """Return the pages as SVG, in order.

    Args:
        made: the parcel as the node made it (``ParcelView``).
        packed: its packed bytes.

    Raises:
        InvalidDocumentError: it is too much for paper.
    """
    texts = code_texts(packed)
    groups = [texts[at : at + CODES_A_PAGE] for at in range(0, len(texts), CODES_A_PAGE)]
    return [
        _page(made, group, number, len(groups), len(texts))
        for number, group in enumerate(groups, start=1)
    ]


def _page(made: dict[str, Any], texts: list[str], number: int, count: int, codes: int) -> str:
    name = texts[0].split(":")[1].lower()
    sender, receiver = made["from_party"], made["to_party"]
    parts = [
        element("rect", width=_WIDTH, height=_HEIGHT, fill="#fff"),
        text(f"{sender} for {receiver}, {made['made_utc']}", (20, 14), size=5),
        text(f"parcel {name}, {codes} codes, page {number} of {count}", (20, 20), size=4),
        text(
            f"Scan every code, a line each, in any order: deconflict line take {sender} FILE",
            (20, 25),
            size=3.6,
        ),
    ]
    if mark := drill_mark(made):
        parts.append(text(mark, (20, 8), size=5))
    for place, said in enumerate(texts):
        left, top = _LEFT[place % _ACROSS], _TOP[place // _ACROSS]
        which = (number - 1) * CODES_A_PAGE + place + 1
        parts.append(_code(said, left, top))
        parts.append(text(f"{which}/{codes}  {name}", (left + 4, top + _SIDE + 4), size=4))
    body = "".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}mm" height="{_HEIGHT}mm" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">'
        f"<title>{clean(name)}</title>{body}</svg>\n"
    )


def drill_mark(made: dict[str, Any]) -> str:
    """Return how a parcel with exercises in it is marked; nothing when there are none.

    >>> drill_mark({"messages": [{"drill": True}, {"drill": False}]})
    'DRILL: 1 of 2 messages; the others are real'
    """
    messages = made["messages"]
    drills = sum(bool(message["drill"]) for message in messages)
    if not drills:
        return ""
    if drills == len(messages):
        return "DRILL DRILL DRILL"
    return f"DRILL: {drills} of {len(messages)} messages; the others are real"


def _code(said: str, left: float, top: float) -> str:
    """Return one code as a path of dark runs, its quiet zone inside the square."""
    code = segno.make_qr(said, error="m", mode="alphanumeric", boost_error=False)
    matrix = [list(row) for row in code.matrix]
    module = _SIDE / (len(matrix) + 2 * QUIET)
    offset = QUIET * module
    move = f"translate({left + offset:.3f} {top + offset:.3f}) scale({module:.5f})"
    return element("path", d=dark_runs(matrix), transform=move, shape_rendering="crispEdges")
