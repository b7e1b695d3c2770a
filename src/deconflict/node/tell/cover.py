"""Own cover that leaves while a request to cease is open (R8).

At Tanf, June 2016: the strike came again as soon as the patrol that had called for it to cease went
to refuel. Whoever watches the one does not always watch the other, so the node does: of each own
request that has no report of CEASED, which own flights and people are at its place, and that one of
them is about to leave, or has left.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Final, NamedTuple

from deconflict.airspace.altitude import AltitudeBand, AltitudeReference
from deconflict.airspace.instant import TimeSpan, format_utc
from deconflict.airspace.outline import Circle
from deconflict.airspace.volume import Volume
from deconflict.line.moment import Now
from deconflict.messages.declaration import Purpose
from deconflict.messages.said import said
from deconflict.messages.summary import summarise
from deconflict.node.alerts import AlertKey
from deconflict.node.declared import Declared
from deconflict.node.line import Line
from deconflict.node.tell.declarations import EXPIRING_MS
from deconflict.node.tell.desk import Desk
from deconflict.node.views import AlertView
from deconflict.separation import AltitudeConversions, Extent, Minima, MinimaTable, check

__all__ = ["CoverTeller"]

_RULE: Final = "COVER_LEAVING"
_OPEN: Final = "CEASE_OPEN"
_COVERS: Final = frozenset((Purpose.FLIGHT, Purpose.OWN_PRESENCE))
_AHEAD_MS: Final = 86_400_000
_LEAST_REACH_MM: Final = 1_000


class _Seen(NamedTuple):
    """An own declaration as it was looked at for one request."""

    message: str  # of the revision looked at
    purpose: Purpose
    at_place: bool
    left: bool  # an earlier revision was at the place, and this one is elsewhere


class CoverTeller:
    """Tells of own cover that leaves the place of an open cease request.

    Where other cover of its kind stays there, the one that leaves is relieved, and nothing is told.

    Args:
        desk: where alerts go.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        # Of each open request, by id. What is in it and not declared any more was withdrawn or is
        # over: it has left.
        self._seen: dict[AlertKey, dict[str, _Seen]] = {}

    def look(self, lines: Mapping[str, Line], now: Now) -> None:
        """Tell what leaves, and close what stays after all, or whose request is settled."""
        requests = {
            key: alert
            for key in self.desk.alerts.keys(_OPEN)
            if (alert := self.desk.alerts.get(key)) is not None and key.line_id in lines
        }
        self._seen = {key: self._seen.get(key, {}) for key in requests}
        own = _own_cover(lines.values(), now) if requests else {}
        present: set[AlertKey] = set()
        for key, request in requests.items():
            present.update(self._look_at(lines[key.line_id or ""], key, request, own, now))
        for told in self.desk.alerts.keys(_RULE):
            if told not in present and not self._still_gone(told, requests, own):
                self.desk.alerts.close(told, now_ms=now.utc_ms)

    def _look_at(
        self,
        line: Line,
        key: AlertKey,
        request: AlertView,
        own: Mapping[str, Declared],
        now: Now,
    ) -> Iterator[AlertKey]:
        seen = self._seen[key]
        ours = {name: each for name, each in own.items() if each.drill is request.drill}
        new = {n: d for n, d in ours.items() if n not in seen or seen[n].message != d.message_hash}
        met = _at_place(line, request, new, now)
        for name, declared in new.items():
            was = seen.get(name)
            near, there_before = name in met, was is not None and (was.at_place or was.left)
            purpose = declared.declaration.purpose
            seen[name] = _Seen(declared.message_hash, purpose, near, there_before and not near)
        there = {name: each for name, each in seen.items() if each.at_place or each.left}
        stays = {
            name
            for name, each in there.items()
            if each.at_place and name in ours and ours[name].end_ms - now.utc_ms > EXPIRING_MS
        }
        relieved = {there[name].purpose for name in stays}
        for name, each in there.items():
            if name not in stays and each.purpose not in relieved:
                told = AlertKey(_RULE, key.line_id, key.subject, name)
                self._tell(told, request, None if each.left else ours.get(name), now)
                yield told

    def _tell(self, key: AlertKey, request: AlertView, held: Declared | None, now: Now) -> None:
        values = {name: request.facts[name] for name in ("peer", "sent")}
        which = said("COVER_GONE", {"declaration": key.object})
        if held is not None:
            end = format_utc(held.end_ms)
            which = said("COVER_NAMED", {"declaration": key.object, "end": end})
        self.desk.tell(
            key,
            values,
            drill=request.drill,
            urgency="FLASH",
            now_ms=now.utc_ms,
            deadline_ms=None if held is None else held.end_ms,
            beside=(which,),
            facts={"declaration_id": key.object, "message": request.facts.get("message")},
        )

    def _still_gone(
        self, told: AlertKey, requests: Collection[AlertKey], own: Mapping[str, Declared]
    ) -> bool:
        """True exactly when it left before a start of the node, and its request is open still."""
        asked = AlertKey(_OPEN, told.line_id, told.subject)
        known = told.object in own or told.object in self._seen.get(asked, {})
        return asked in requests and not known


def _own_cover(lines: Collection[Line], now: Now) -> dict[str, Declared]:
    """Return own flights and people that are out now, as the newest revision on any line says."""
    found: dict[str, Declared] = {}
    for line in lines:
        for each in line.book.picture.own:
            if each.declaration.purpose not in _COVERS or each.start_ms > now.utc_ms:
                continue
            held = found.get(each.declaration_id)
            if held is None or held.sound.revision < each.sound.revision:
                found[each.declaration_id] = each
    return found


def _at_place(
    line: Line, request: AlertView, own: Mapping[str, Declared], now: Now
) -> frozenset[str]:
    """Return which declarations come to the place of a request, or so near that minima hold.

    Where its place is not known here any more, all of them: better told once too often.
    """
    area = _area(line, request, now)
    if area is None or not own:
        return frozenset(own)
    lateral_mm = 0 if line.book.terms is None else line.book.terms.minima.largest.lateral_mm
    found = check(
        [area],
        others=[each.extent for each in own.values()],
        minima=MinimaTable(Minima(lateral_mm / 1000, 0)),
        conversions=AltitudeConversions(),
    )
    met = {finding.second for finding in found}
    return frozenset(name for name, each in own.items() if each.key in met)


def _area(line: Line, request: AlertView, now: Now) -> Extent | None:
    """Return the place of a request, at every altitude, from now on."""
    thread = line.book.threads.get(request.facts.get("message") or request.subject or "")
    if thread is None:
        return None
    place = thread.place
    if place is None and thread.declaration_id is not None:
        theirs = line.book.picture.get(f"{line.peer}/{thread.declaration_id}")
        if theirs is not None:
            summary = summarise(theirs.declaration.geometry)
            place = summary.position, summary.reach_mm
    if place is None:
        return None
    position, reach_mm = place
    volume = Volume(
        Circle(position, max(reach_mm, _LEAST_REACH_MM)),
        AltitudeBand(AltitudeReference.AMSL, None, None),
        TimeSpan(now.utc_ms, now.utc_ms + _AHEAD_MS),
    )
    return Extent("request", line.peer, Purpose.ACTIVITY, (volume,))
