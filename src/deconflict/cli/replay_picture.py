"""The picture of a replay: two sides as two lanes, each message a line from one to the other."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.cli.svg import element, text

if TYPE_CHECKING:
    from deconflict.cli.replay_words import Words
    from deconflict.node.knowledge.instant import Instant
    from deconflict.node.knowledge.told import Told

__all__ = ["draw_lanes"]

WIDTH: Final = 1180.0
LEFT: Final = 330.0  # the lanes
RIGHT: Final = 850.0
TOP: Final = 140.0
ROW: Final = 24.0  # between two instants that follow one another at once
MOST_ROW: Final = 60.0
MS_A_PIXEL: Final = 250.0  # of a pause, until it is as long as any
INK: Final = "#1d2733"
FAINT: Final = "#8a9099"
LANE: Final = "#5c6773"
INSTANT: Final = "#b35900"
COLOURS: Final = {"CEASE": "#c4122f", "SAFETY": "#c4122f", "QUERY": "#7a3fa0"}
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
    heights = _heights(known)
    bottom = max(heights.values(), default=TOP) + ROW
    height = bottom + 50
    title = words.say("TIMELINE")
    if at_ms is not None:
        day, _, clock = format_utc(at_ms).partition("T")
        title = words.say("TITLE", at=f"{day} {clock}")
    drawn = [
        element("rect", width=WIDTH, height=height, fill="#fff"),
        text(title, (24, 34), size=19, font_weight=600, fill=INK),
        text(words.say("PICTURE", shown=len(rows), count=count), (24, 58), size=12, fill=FAINT),
        text(_legend(words, at_ms), (24, 76), size=12, fill=FAINT),
    ]
    for party, x in zip(parties, (LEFT, RIGHT), strict=True):
        drawn += [
            text(party, (x, TOP - 28), size=15, font_weight=600, text_anchor="middle", fill=INK),
            element("line", x1=x, y1=TOP, x2=x, y2=bottom, stroke=LANE, stroke_width=2),
        ]
    if found is not None and at_ms is not None:
        y = heights[at_ms]
        label = words.at(format_utc(at_ms))
        drawn += [
            element(
                "line", x1=LEFT - 130, y1=y, x2=RIGHT + 130, y2=y,
                stroke=INSTANT, stroke_width=2, stroke_dasharray="2 3",
            ),
            text(label, (LEFT - 136, y + 4), size=12, text_anchor="end", fill=INSTANT),
        ]  # fmt: skip
        for side, x in zip(found.sides, (LEFT, RIGHT), strict=True):
            knew = words.say("PICTURE_KNEW", said=side.said, held=side.held)
            drawn.append(text(knew, (x, TOP - 11), size=11, text_anchor="middle", fill=INSTANT))
    drawn += _pauses(known, heights, words)
    for each, said_ms, held_ms in zip(rows, said, held, strict=True):
        drawn += _message(each, parties, words, heights, said_ms, held_ms, at_ms)
    body = "\n".join(drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height:.0f}" '
        f'width="{WIDTH:.0f}" height="{height:.0f}" font-family="sans-serif">\n{body}\n</svg>\n'
    )


def _one(at_ms: int | None) -> tuple[int, ...]:
    return () if at_ms is None else (at_ms,)


def _heights(known: Sequence[int]) -> dict[int, float]:
    """Return where each instant stands: lower than the one before, by its pause up to a bound."""
    heights: dict[int, float] = {}
    y, before = TOP + ROW / 2, None
    for ms in known:
        if before is not None:
            y += min(ROW + (ms - before) / MS_A_PIXEL, MOST_ROW)
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


def _message(
    each: "Told",
    parties: tuple[str, str],
    words: "Words",
    heights: dict[int, float],
    said_ms: int,
    held_ms: int | None,
    at_ms: int | None,
) -> list[str]:
    from_left = each.party == parties[0]
    x1, x2 = (LEFT, RIGHT) if from_left else (RIGHT, LEFT)
    y1 = heights[said_ms]
    y2 = y1 + ROW * UNPROVEN_REACH if held_ms is None else max(heights[held_ms], y1)
    if held_ms is None:
        x2 = x1 + (x2 - x1) * UNPROVEN_REACH
    colour = COLOURS.get(each.kind, PLAIN)
    later = at_ms is not None and said_ms > at_ms
    opacity = PALE if later else None
    anchor, side = ("end", -1) if from_left else ("start", 1)
    marks = [words.say("DRILL")] if each.drill else []
    marks += [words.say("DELAYED")] if each.delayed else []
    label = " ".join([f"{each.seq} {words.kind(each.kind)}", *marks])
    drawn = [
        element(
            "line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=colour, stroke_width=1.6,
            stroke_dasharray="7 5" if held_ms is None else None, opacity=opacity,
        ),
        element("circle", cx=x1, cy=y1, r=3.5, fill=colour, opacity=opacity),
        text(
            f"{words.at(each.said_utc)}  {label}", (x1 + side * 10, y1 + 4),
            size=11, text_anchor=anchor, fill=INK, opacity=opacity,
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
            words.at(format_utc(held_ms)), (x2 + far_side * 10, y2 + 4),
            size=10, text_anchor="start" if from_left else "end", fill=FAINT, opacity=pale,
        ),
    ]  # fmt: skip
    return drawn


def _head(x: float, y: float, way: int, colour: str, opacity: float | None) -> str:
    back = x + way * 9
    points = f"{x:.1f},{y:.1f} {back:.1f},{y - 4:.1f} {back:.1f},{y + 4:.1f}"
    return element("polygon", points=points, fill=colour, opacity=opacity)
