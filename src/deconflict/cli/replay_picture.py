"""The picture of a replay: two sides as two lanes, each message a line from one to the other."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.paper.svg import element, text, width_of

if TYPE_CHECKING:
    from deconflict.cli.replay_words import Words
    from deconflict.node.knowledge.instant import Instant
    from deconflict.node.knowledge.told import Told

__all__ = ["draw_lanes"]

LANES: Final = 520.0  # from one lane to the other
LEAST_SIDE: Final = 330.0  # beside a lane, more where a label is longer
PAUSES: Final = 70.0  # at the left edge, how long a pause lasted
TOP: Final = 160.0
ROW: Final = 24.0  # between two instants that follow one another at once
LABEL_ROW: Final = 15.0  # between two labels of one instant
LABEL: Final = 11.0
MOST_ROW: Final = 60.0
MS_A_PIXEL: Final = 250.0  # of a pause, until it is as long as any
INK: Final = "#1d2733"
FAINT: Final = "#8a9099"
LANE: Final = "#5c6773"
INSTANT: Final = "#b35900"
_KINDS: Final = {"#c4122f": ("CEASE", "SAFETY"), "#7a3fa0": ("QUERY",)}
COLOURS: Final = {kind: colour for colour, kinds in _KINDS.items() for kind in kinds}
PLAIN: Final = "#1f5fa8"
UNPROVEN_REACH: Final = 0.72  # of the way across: it does not arrive
PALE: Final = 0.3
MINUTE_MS: Final = 60_000
TOLD_PAUSE_MS: Final = MINUTE_MS


def draw_lanes(
    rows: "Sequence[Told]",
    parties: tuple[str, str],
    words: "Words",
    *,
    found: "Instant | None",
    count: int,
) -> str:
    """Return an SVG of messages between two sides.

    Down is later: each instant stands below the one before it, a pause is drawn shorter than it
    was, and every instant is written. A line begins where its author's stamp says that a message
    was said, and ends where the other side provably held it; without a proof it is dashed, and does
    not arrive.

    Args:
        rows: the messages, in the order in which they are told.
        parties: left lane, right lane.
        words: of the language and day.
        found: what each side knew at the instant asked about, which is drawn across both lanes;
            None where none was.
        count: how many messages there are with those that are not drawn.
    """
    at_ms = None if found is None else parse_utc(found.at_utc)
    said = [parse_utc(each.said_utc) for each in rows]
    held = [None if each.held is None else parse_utc(each.held.by_utc) for each in rows]
    known = sorted({*said, *(ms for ms in held if ms is not None), *_one(at_ms)})
    stacks = _Stacks(rows, said, held, at_ms)
    heights = _heights(known, stacks)
    labels = [_label(each, words) for each in rows]
    side = max(
        LEAST_SIDE,
        PAUSES + max((width_of(label, LABEL) for label in labels), default=0.0),
    )
    sheet = _Sheet(parties, side, side + LANES, heights, at_ms)
    width = sheet.right + side
    last = max(known, default=None)
    bottom = (TOP if last is None else heights[last] + stacks.height(last)) + ROW
    height = bottom + 50
    title = words.say("TIMELINE")
    if at_ms is not None:
        day, _, clock = format_utc(at_ms).partition("T")
        title = words.say("TITLE", at=f"{day} {clock}")
    drawn = [
        element("rect", width=width, height=height, fill="#fff"),
        text(title, (24, 34), size=19, font_weight=600, fill=INK),
        text(words.say("PICTURE", shown=len(rows), count=count), (24, 58), size=12, fill=FAINT),
        text(_legend(words, at_ms), (24, 76), size=12, fill=FAINT),
        *_colours(words),
    ]
    for party, x in zip(parties, (sheet.left, sheet.right), strict=True):
        drawn += [
            text(party, (x, TOP - 28), size=15, font_weight=600, text_anchor="middle", fill=INK),
            element("line", x1=x, y1=TOP, x2=x, y2=bottom, stroke=LANE, stroke_width=2),
        ]
    if found is not None and at_ms is not None:
        # Below what was said or held at that very instant: it was known then.
        y = heights[at_ms] + stacks.height(at_ms)
        label = words.at(format_utc(at_ms))
        drawn += [
            element(
                "line", x1=sheet.left - 130, y1=y, x2=sheet.right + 130, y2=y,
                stroke=INSTANT, stroke_width=2, stroke_dasharray="2 3",
            ),
            text(label, (sheet.left - 136, y + 4), size=12, text_anchor="end", fill=INSTANT),
        ]  # fmt: skip
        for knowing, x in zip(found.sides, (sheet.left, sheet.right), strict=True):
            knew = words.say("PICTURE_KNEW", said=knowing.said, held=knowing.held)
            drawn.append(text(knew, (x, TOP - 11), size=11, text_anchor="middle", fill=INSTANT))
    drawn += _pauses(known, heights, words)
    for number, each in enumerate(rows):
        arrival = words.at(format_utc(held_ms)) if (held_ms := held[number]) is not None else ""
        if number in stacks.told_before:
            arrival = ""  # another message of that side came to be held at the same instant
        drawn += _message(
            each, sheet, labels[number], arrival, said[number], stacks.row(number), held_ms
        )
    body = "\n".join(drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" font-family="sans-serif">\n{body}\n</svg>\n'
    )


def _one(at_ms: int | None) -> tuple[int, ...]:
    return () if at_ms is None else (at_ms,)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Where the lanes stand, and each instant."""

    parties: tuple[str, str]
    left: float
    right: float
    heights: Mapping[int, float]
    at_ms: int | None


class _Stacks:
    """Gives each label of one instant a row of its own, so that none covers another.

    Args:
        rows: the messages.
        said: when each was said.
        held: when each came to be held.
        at_ms: the instant asked about; it has a row below what is known at it.

    Attributes:
        told_before: numbers of messages whose time of being held stands there already.
    """

    def __init__(
        self,
        rows: "Sequence[Told]",
        said: Sequence[int],
        held: Sequence[int | None],
        at_ms: int | None,
    ) -> None:
        self.told_before: set[int] = set()
        self._rows: dict[int, int] = {}
        taken: Counter[tuple[str, int]] = Counter()  # by author's side and instant
        arrivals: set[tuple[str, int]] = set()
        for number, (each, held_ms) in enumerate(zip(rows, held, strict=True)):
            if held_ms is None:
                continue
            if (each.party, held_ms) in arrivals:
                self.told_before.add(number)
            arrivals.add((each.party, held_ms))
        names = {each.party for each in rows}
        for party, ms in arrivals:
            for other in names - {party}:
                taken[other, ms] = 1  # the first row, on the side that held it
        for number, (each, ms) in enumerate(zip(rows, said, strict=True)):
            self._rows[number] = taken[each.party, ms]
            taken[each.party, ms] += 1
        self._deepest: Counter[int] = Counter()
        for (_, ms), count in taken.items():
            self._deepest[ms] = max(self._deepest[ms], count)
        if at_ms is not None:
            self._deepest[at_ms] += 1

    def row(self, number: int) -> int:
        """Return in which row of its instant a message is said, from 0."""
        return self._rows[number]

    def height(self, ms: int) -> float:
        """Return how far below an instant its last row stands."""
        return max(self._deepest[ms] - 1, 0) * LABEL_ROW


def _heights(known: Sequence[int], stacks: _Stacks) -> dict[int, float]:
    """Return where each instant stands: below all of the one before, by its pause up to a bound."""
    heights: dict[int, float] = {}
    y, before = TOP + ROW / 2, None
    for ms in known:
        if before is not None:
            y += stacks.height(before) + min(ROW + (ms - before) / MS_A_PIXEL, MOST_ROW)
        heights[ms] = y
        before = ms
    return heights


def _pauses(known: Sequence[int], heights: dict[int, float], words: "Words") -> list[str]:
    """Return how long each longer pause lasted, at the edge, between the instants around it."""
    return [
        text(
            words.lasting(round((after - before) / MINUTE_MS) * MINUTE_MS),
            (24, (heights[before] + heights[after]) / 2 + 4),
            size=10,
            fill=FAINT,
        )
        for before, after in pairwise(known)
        if after - before >= TOLD_PAUSE_MS
    ]


def _legend(words: "Words", at_ms: int | None) -> str:
    parts = [words.say("PICTURE_UNPROVEN")]
    if at_ms is not None:
        parts.append(words.say("PICTURE_LATER"))
    return " · ".join(parts)


def _colours(words: "Words") -> list[str]:
    """Return which colour stands for which kinds."""
    told = {
        colour: ", ".join(words.kind(kind) for kind in kinds) for colour, kinds in _KINDS.items()
    }
    told[PLAIN] = words.say("PICTURE_OTHERS")
    drawn, x = [], 24.0
    for colour, kinds in told.items():
        drawn += [
            element("line", x1=x, y1=90, x2=x + 24, y2=90, stroke=colour, stroke_width=2.5),
            text(kinds, (x + 30, 94), size=12, fill=INK),
        ]
        x += 30 + width_of(kinds, 12) + 24
    return drawn


def _label(each: "Told", words: "Words") -> str:
    marks = [words.say("DRILL")] if each.drill else []
    marks += [words.say("DELAYED")] if each.delayed else []
    said = " ".join([f"{each.seq} {words.kind(each.kind)}", *marks])
    return f"{words.at(each.said_utc)}  {said}"


def _message(
    each: "Told",
    sheet: _Sheet,
    label: str,
    arrival: str,
    said_ms: int,
    row: int,
    held_ms: int | None,
) -> list[str]:
    at_ms = sheet.at_ms
    from_left = each.party == sheet.parties[0]
    x1, x2 = (sheet.left, sheet.right) if from_left else (sheet.right, sheet.left)
    y1 = sheet.heights[said_ms] + row * LABEL_ROW
    y2 = y1 + ROW * UNPROVEN_REACH if held_ms is None else max(sheet.heights[held_ms], y1)
    if held_ms is None:
        x2 = x1 + (x2 - x1) * UNPROVEN_REACH
    colour = COLOURS.get(each.kind, PLAIN)
    later = at_ms is not None and said_ms > at_ms
    opacity = PALE if later else None
    anchor, side = ("end", -1) if from_left else ("start", 1)
    drawn = [
        element(
            "line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=colour, stroke_width=1.6,
            stroke_dasharray="7 5" if held_ms is None else None, opacity=opacity,
        ),
        element("circle", cx=x1, cy=y1, r=3.5, fill=colour, opacity=opacity),
        text(
            label, (x1 + side * 10, y1 + 4),
            size=LABEL, text_anchor=anchor, fill=INK, opacity=opacity,
        ),
    ]  # fmt: skip
    if held_ms is None:
        drawn.append(text("?", (x2 + (4 if from_left else -10), y2 + 4), size=13, fill=colour))
        return drawn
    pale = PALE if at_ms is not None and held_ms > at_ms else None
    far_side = 1 if from_left else -1
    drawn += [
        _head(x2, y2, -far_side, colour, pale),
        text(
            arrival, (x2 + far_side * 10, y2 + 4),
            size=10, text_anchor="start" if from_left else "end", fill=FAINT, opacity=pale,
        ),
    ]  # fmt: skip
    return drawn


def _head(x: float, y: float, way: int, colour: str, opacity: float | None) -> str:
    back = x + way * 9
    points = f"{x:.1f},{y:.1f} {back:.1f},{y - 4:.1f} {back:.1f},{y + 4:.1f}"
    return element("polygon", points=points, fill=colour, opacity=opacity)
