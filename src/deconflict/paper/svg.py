"""Just enough SVG to draw a map: elements as text, and labels that do not cover one another."""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

from deconflict.messages.shown import clean

__all__ = [
    "Box",
    "Labels",
    "Point",
    "element",
    "fitting",
    "path",
    "shortened",
    "text",
    "width_of",
]

Point = tuple[float, float]
FARTHER = 3.0  # times as far as asked for, where there is no place nearer
SHUN_EVERY = 4.0  # pixels between the points of a line that labels keep off
# How wide characters are, of the font size. DejaVu Sans is the widest of the usual sans-serifs.
NARROW, USUAL, CAPITAL, WIDEST = 0.42, 0.64, 0.79, 1.0
NARROW_ONES = frozenset(" .,:;'|!/()[]-ijlftrIJ°′·")
WIDEST_ONES = frozenset("MWmw@%…—")
BOLD = 1.12

MOST_OF_NAME = 24  # characters: two of them twice, and the figures, go across a picture


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the drawing, pixels, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Pixels across."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Pixels down."""
        return self.bottom - self.top

    def holds(self, point: Point) -> bool:
        """Return True exactly when the point lies in the box, edges included."""
        return self.left <= point[0] <= self.right and self.top <= point[1] <= self.bottom

    def meets(self, other: "Box") -> bool:
        """Return True exactly when the two boxes share some area."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


def element(name: str, body: str = "", /, **attributes: object) -> str:
    """Return one element; ``stroke_width`` becomes ``stroke-width``, None leaves one out.

    >>> element("circle", cx=1.25, r=2, fill_opacity=0.5)
    '<circle cx="1.2" r="2" fill-opacity="0.5"/>'
    """
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}={quoteattr(_number(value))}"
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{body}</{name}>" if body else f"<{name}{written}/>"


def text(words: str, at: Point, *, size: float = 12, **attributes: object) -> str:
    """Return a line of text; what it says is escaped and can carry nothing else."""
    return element("text", escape(clean(words)), x=at[0], y=at[1], font_size=size, **attributes)


def path(points: Iterable[Point], *, closed: bool = False) -> str:
    """Return the ``d`` of a path through points.

    >>> path([(0, 0), (10, 5.04)], closed=True)
    'M0 0L10 5Z'
    """
    steps = "L".join(f"{_number(round(x, 1))} {_number(round(y, 1))}" for x, y in points)
    return f"M{steps}{'Z' if closed else ''}"


def width_of(words: str, size: float, *, bold: bool = False) -> float:
    """Return at least how wide words are drawn, in pixels; the font is the reader's."""
    ems = 0.0
    for sign in words:
        if sign in NARROW_ONES:
            ems += NARROW
        elif sign in WIDEST_ONES or unicodedata.east_asian_width(sign) in "WF":
            ems += WIDEST
        else:
            ems += CAPITAL if sign.isupper() else USUAL
    return ems * size * (BOLD if bold else 1.0)


def fitting(words: str, size: int, width: float, *, bold: bool = False) -> int:
    """Return the greatest size, at most the one asked for, in which words fit; 8 at the least."""
    return max(min(size, int(width / max(width_of(words, 1.0, bold=bold), 1.0))), 8)


def shortened(name: str) -> str:
    """Return a name of which a heading holds two: of a long one its beginning and its end.

    >>> shortened("BAW12"), shortened("A-VERY-LONG-NAME-OF-A-FLIGHT-17")
    ('BAW12', 'A-VERY-LONG-NA…FLIGHT-17')
    """
    return name if len(name) <= MOST_OF_NAME else f"{name[:14]}…{name[-9:]}"


class Labels:
    """Places labels beside their points, where no other label stands.

    Args:
        room: nothing is placed outside it.
    """

    def __init__(self, room: Box) -> None:
        self._room = room
        self._taken: list[Box] = []
        self._lines: list[Point] = []

    def keep_free(self, box: Box) -> None:
        """Keep labels away from here."""
        self._taken.append(box)

    def shun(self, way: Iterable[Point]) -> None:
        """Keep labels off a drawn line where there is another place for them."""
        for (x0, y0), (x1, y1) in pairwise(way):
            steps = max(int(math.hypot(x1 - x0, y1 - y0) / SHUN_EVERY), 1)
            self._lines += [
                (x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps)
                for step in range(steps + 1)
            ]

    def place(
        self, words: str, at: Point, *, size: float = 12, away: float = 8, **attributes: object
    ) -> str:
        """Return the label near its point, or nothing when every place around is taken.

        Where a long one has no place, its beginning and its end may have; where neither has, a
        little farther off.
        """
        shorter = dict.fromkeys((words, shortened(words)))
        for said, off in ((said, off) for off in (away, FARTHER * away) for said in shorter):
            width, height = width_of(said, size, bold="font_weight" in attributes), size * 1.2
            free = [
                box
                for left, top in _around(at, width, height, off)
                if self._is_free(box := Box(left, top, left + width, top + height))
            ]
            if free:
                break
        else:
            return ""
        box = min(free, key=self._lines_under)  # the first of those that cover least
        self._taken.append(box)
        return text(
            said,
            (box.left, box.top + size),
            size=size,
            paint_order="stroke",
            stroke="#fff",
            stroke_width=3,
            stroke_linejoin="round",
            **attributes,
        )

    def _is_free(self, box: Box) -> bool:
        inside = self._room.holds((box.left, box.top)) and self._room.holds((box.right, box.bottom))
        return inside and not any(box.meets(other) for other in self._taken)

    def _lines_under(self, box: Box) -> int:
        near = Box(box.left - 3, box.top - 3, box.right + 3, box.bottom + 3)
        return sum(near.holds(point) for point in self._lines)


def _around(at: Point, width: float, height: float, away: float) -> Sequence[Point]:
    x, y = at
    near = [
        (x + away, y - height / 2),
        (x - away - width, y - height / 2),
        (x - width / 2, y - away - height),
        (x - width / 2, y + away),
        (x + away, y - away - height),
        (x + away, y + away),
        (x - away - width, y - away - height),
        (x - away - width, y + away),
    ]
    far = 2.5 * away
    return [*near, (x - width / 2, y - far - height), (x - width / 2, y + far)]


def _number(value: object) -> str:
    if isinstance(value, float):
        return (
            f"{value:.4f}".rstrip("0").rstrip(".")
            if abs(value) < 1
            else f"{value:.1f}".removesuffix(".0")
        )
    return str(value)
