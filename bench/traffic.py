"""What a watch sends, and what the desk at the other end answers.

The mix, of 20 messages that a watch posts: five new declarations (four flights of 12 waypoints,
one area), two changes of plan and four cancellations of earlier ones; three queries, two safety
messages, two line checks, two accounts of events. The other desk answers the queries and line
checks and acknowledges the safety messages: 7 messages the other way. When it answers all, it also
reads back declarations and changes (and the first node's machine says whether the readback
agrees) and says of the rest that it was seen: 27 messages one way, 20 the other.
"""

import itertools
import json
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from bench.nodes import LANDMARK
from deconflict.airspace.instant import format_utc
from deconflict.messages.declaration import declaration_from_wire
from deconflict.messages.readback import readback_of
from deconflict.messages.wire_form import write_form

__all__ = ["ALERTING", "MIX", "Post", "Traffic", "flight"]

MIX: Final = (
    *("NOTIFY", "QUERY", "NOTIFY", "LINE_CHECK", "UPDATE", "CANCEL", "SAFETY"),
    *("NOTIFY", "CANCEL", "QUERY", "AREA", "ACCOUNT", "CANCEL", "UPDATE"),
    *("NOTIFY", "LINE_CHECK", "SAFETY", "CANCEL", "ACCOUNT", "QUERY"),
)
ALERTING: Final = frozenset(("QUERY", "SAFETY"))
_FOOT_TMM: Final = 3_048
_HOUR_MS: Final = 3_600_000
_EVENTS: Final = 200  # a line holds accounts of 256 that belong to no incident
_STANDING: Final = 100  # declarations a side has at least before it changes or cancels one


@dataclass(frozen=True, slots=True)
class Post:
    """One call of the API: what, where, with which body."""

    kind: str
    path: str
    body: bytes
    reply: dict[str, Any] | None = None  # what the other desk answers, without the hash it cites


class Traffic:
    """One side's messages, without end, and the answers to the other side's.

    Args:
        line_id: the line.
        now_ms: declarations lie within a day after it; set it as time passes.
        seed: same seed, same traffic.
    """

    def __init__(self, line_id: str, now_ms: int, seed: int) -> None:
        self._line = f"/lines/{line_id}/messages"
        self.now_ms = now_ms
        self._random = random.Random(seed)
        self._numbers = itertools.count(1)
        self._standing: deque[tuple[str, int]] = deque()

    def posts(self) -> Iterator[Post]:
        """Yield what this side sends."""
        for kind in itertools.cycle(MIX):
            yield self._post(kind)

    def _post(self, kind: str) -> Post:
        # What is changed or cancelled was declared a while ago: its own post has been answered.
        if kind in ("UPDATE", "CANCEL") and len(self._standing) < _STANDING:
            kind = "NOTIFY"
        match kind:
            case "NOTIFY" | "AREA":
                purpose = "FLIGHT" if kind == "NOTIFY" else "ACTIVITY"
                shape = self._flight() if kind == "NOTIFY" else self._area()
                return self._declare(f"{self._random.getrandbits(128):032x}", purpose, shape)
            case "UPDATE":
                declaration_id, revision = self._standing.popleft()
                return self._declare(declaration_id, "FLIGHT", self._flight(), revision + 1)
            case "CANCEL":
                declaration_id, _ = self._standing.popleft()
                return Post("CANCEL", f"/declarations/{declaration_id}/cancel", b"{}")
            case "QUERY":
                return self._say("QUERY", {**self._track(), "at_utc": format_utc(self.now_ms)})
            case "SAFETY":
                track = self._track()
                values = {
                    "where": track["position"],
                    "level": track["level"],
                    "course": track["course_ddeg"],
                    "speed": track["speed_mmps"],
                    "at": format_utc(self.now_ms),
                }
                return self._say("SAFETY", {"phrase": 201, "values": values})
            case "ACCOUNT":
                fields = {"left_its_level": "EAST", "closest_below_m": 805}
                event = f"pass-{next(self._numbers) % _EVENTS}"
                return self._say(
                    "ACCOUNT", {"event": event, "fields": fields, "object_kind": "combat_jet"}
                )
        return self._say("LINE_CHECK", {"text": f"{next(self._numbers):04d} 0937 5510"})

    def _declare(
        self, declaration_id: str, purpose: str, geometry: dict[str, Any], revision: int = 1
    ) -> Post:
        draft = {"purpose": purpose, "geometry": geometry}
        whole = {
            **draft,
            "declaration_id": declaration_id,
            "label": None,
            "revision": revision,
        }
        values = readback_of(declaration_from_wire(whole), [LANDMARK])
        self._standing.append((declaration_id, revision))
        if revision == 1:
            path, named = "/declarations", {**draft, "declaration_id": declaration_id}
        else:
            path, named = f"/declarations/{declaration_id}/update", draft
        kind = "NOTIFY" if revision == 1 else "UPDATE"
        reply = {"kind": "READBACK", "body": {"values": write_form(values)}}
        return Post(kind, path, json.dumps({"declarations": [named]}).encode(), reply)

    def _say(self, kind: str, body: dict[str, Any]) -> Post:
        at = format_utc(self.now_ms)
        reply = {
            "QUERY": {
                "kind": "ANSWER",
                "body": {"said": "NOT_OURS", "desk": "watch", "at_utc": at},
            },
            "SAFETY": {"kind": "ACK", "body": {"answer": "ROGER"}},
            "LINE_CHECK": {"kind": "LINE_CHECK_REPLY", "body": body},
        }.get(kind)
        return Post(kind, self._line, json.dumps({"kind": kind, "body": body}).encode(), reply)

    def _place(self) -> dict[str, int]:
        return {
            "lat_e7": self._random.randrange(340_000_000, 370_000_000),
            "lon_e7": self._random.randrange(350_000_000, 410_000_000),
        }

    def _track(self) -> dict[str, Any]:
        return {
            "position": self._place(),
            "level": {"reference": "AMSL", "tmm": self._random.randrange(1, 40) * 1000 * _FOOT_TMM},
            "course_ddeg": self._random.randrange(3600),
            "speed_mmps": self._random.randrange(80_000, 280_000),
        }

    def _flight(self) -> dict[str, Any]:
        start_ms = self.now_ms + _HOUR_MS + self._random.randrange(20 * _HOUR_MS)
        return flight(self._random, start_ms, self._place(), waypoints=12)

    def _area(self) -> dict[str, Any]:
        start_ms = self.now_ms + _HOUR_MS + self._random.randrange(20 * _HOUR_MS)
        circle = {"center": self._place(), "radius_mm": self._random.randrange(1, 8) * 1_000_000}
        band = {"reference": "AMSL", "lower_tmm": None, "upper_tmm": 10_000 * _FOOT_TMM}
        span = {
            "start_utc": format_utc(start_ms),
            "end_utc": format_utc(start_ms + 2 * _HOUR_MS),
        }
        return {"volumes": [{"outline": {"circle": circle}, "band": band, "span": span}]}


def flight(
    chance: random.Random, start_ms: int, place: dict[str, int], *, waypoints: int
) -> dict[str, Any]:
    """Return a flight of legs of two minutes at about 220 m/s, turning a little at each."""
    lat, lon = float(place["lat_e7"]), float(place["lon_e7"])
    north, east = chance.uniform(-2.4e6, 2.4e6), chance.uniform(-2.9e6, 2.9e6)
    altitude = chance.randrange(10, 40) * 1000 * _FOOT_TMM
    points = []
    for number in range(waypoints):
        points.append(
            {
                "at_utc": format_utc(start_ms + number * 120_000),
                "lat_e7": round(lat),
                "lon_e7": round(lon),
                "altitude_tmm": altitude,
            }
        )
        north, east = north + chance.uniform(-2e5, 2e5), east + chance.uniform(-2e5, 2e5)
        lat, lon = lat + north, lon + east
    containment = {"lateral_mm": 1_852_000, "vertical_tmm": 300 * _FOOT_TMM, "time_ms": 60_000}
    return {"trajectory": {"reference": "AMSL", "waypoints": points, "containment": containment}}
