"""The search in a process of its own, beside the node, begun by `deconflict.node.beside`.

What a peer declares decides how long the search takes, so it is done where it can be ended.
"""

import resource
import sys
from collections.abc import Sequence
from typing import Final

import msgspec

from deconflict.advise import Advice, SearchLimits, advise, nearest_left
from deconflict.airspace.geometry import span_of
from deconflict.airspace.wire import geometry_to_wire
from deconflict.errors import DeconflictError, InvalidGeometryError
from deconflict.messages.terms import terms_from_wire
from deconflict.node.agreed_sky import agreed_conversions, agreed_minima
from deconflict.node.subordinate import end_with_the_node
from deconflict.node.ways_out.task import Found, NearestThen, Option, Task
from deconflict.separation import AltitudeConversions, Extent, MinimaTable, check
from deconflict.units import metres_from_tmm

__all__ = ["main", "ways_out_of"]

_MOST_BYTES: Final = 4 * 1024**3


def main() -> None:
    """Do what standard input says."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    end_with_the_node()
    try:
        found = ways_out_of(task)
    except DeconflictError as error:
        found = Found(failed=error.problem)
    except MemoryError:
        found = Found(failed="there is too little memory")
    sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
    sys.stdout.buffer.flush()


def ways_out_of(task: Task) -> Found:
    """Return the smallest changes of the own plan that end all its conflicts."""
    terms = {line: terms_from_wire(wire) for line, wire in task.terms.items()}
    minima, conversions = agreed_minima(terms), agreed_conversions(terms.values())
    own = task.own.extent
    others, refused = _usable([one.extent for one in task.others], minima, conversions)
    limits = SearchLimits(not_before_ms=task.now_ms)
    advice = advise([own], others=others, minima=minima, conversions=conversions, limits=limits)
    if not advice:
        return Found(refused=refused)
    (one,) = advice
    return Found(
        conflicts=len(one.conflicts),
        under_way=one.under_way,
        options=_options(one, own, others, minima, conversions),
        refused=refused,
    )


def _options(
    one: Advice,
    own: Extent,
    others: Sequence[Extent],
    minima: MinimaTable,
    conversions: AltitudeConversions,
) -> list[Option]:
    changed = [Extent(own.key, own.party, own.purpose, option.geometry) for option in one.options]
    near = nearest_left(changed, others, minima=minima, conversions=conversions)
    parties = {other.key: other.party for other in others}
    made = []
    for option, nearest in zip(one.options, near, strict=True):
        span = span_of(option.geometry)
        made.append(
            Option(
                shift_ms=option.change.shift_ms,
                level_m=metres_from_tmm(option.change.level_tmm),
                offset_m=option.change.offset_mm / 1000,
                start_ms=span.start_ms,
                end_ms=span.end_ms,
                geometry=geometry_to_wire(option.geometry),
                nearest=None
                if nearest is None
                else NearestThen(
                    key=nearest.key,
                    party=parties[nearest.key],
                    lateral_m=nearest.lateral_m,
                    vertical_m=None
                    if nearest.vertical_tmm is None
                    else metres_from_tmm(nearest.vertical_tmm),
                    minimum_lateral_m=nearest.minima.lateral_m,
                    minimum_vertical_m=metres_from_tmm(nearest.minima.vertical_tmm),
                ),
            )
        )
    return made


def _usable(
    others: Sequence[Extent], minima: MinimaTable, conversions: AltitudeConversions
) -> tuple[list[Extent], list[str]]:
    """Leave out what the separation check refuses: it must hide no other."""
    if not _refused(others, minima, conversions):
        return list(others), []
    refused = {one.key for one in others if _refused([one], minima, conversions)}
    return [one for one in others if one.key not in refused], sorted(refused)


def _refused(some: Sequence[Extent], minima: MinimaTable, conversions: AltitudeConversions) -> bool:
    try:
        check(some, others=[], minima=minima, conversions=conversions)
    except InvalidGeometryError:
        return True
    return False
