"""What came of a case that was played: every alert of every node, and what was refused."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from deconflict.airspace.instant import parse_utc
from deconflict.errors import DeconflictError
from deconflict.replay.case import Case
from deconflict.replay.world import Station, World

__all__ = ["AlertStory", "AlertVersion", "Played", "Refusal", "gather"]


@dataclass(frozen=True, slots=True)
class AlertVersion:
    """An alert as it stood from one instant on."""

    at_ms: int
    alert: dict[str, Any]


@dataclass(slots=True)
class AlertStory:
    """One alert at one node, from its raising to its end.

    Attributes:
        names: every id of the case that it names.
    """

    party: str
    peer: str | None
    rule: str
    raised_ms: int
    closed_ms: int | None = None
    versions: list[AlertVersion] = field(default_factory=list)
    names: frozenset[str] = frozenset()

    @property
    def identity(self) -> tuple[str, str | None, str, frozenset[str]]:
        """What makes it the same alert in another run."""
        return self.party, self.peer, self.rule, self.names


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that a node would not take."""

    at_ms: int
    party: str
    item: str
    error: DeconflictError


@dataclass(slots=True)
class Played:
    """A case after it was played.

    Attributes:
        names: declaration ids and message hashes -> ids of the case.
        stories: every alert of every node, in the order raised.
        second_filed_ms: by event, when the second account of it was filed.
    """

    case: Case
    seed: int
    world: World
    end_ms: int
    names: dict[str, str] = field(default_factory=dict)
    stories: list[AlertStory] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    second_filed_ms: dict[str, int] = field(default_factory=dict)

    def named(self, value: object) -> Iterator[str]:
        """Yield the ids of the case that a value of an alert names."""
        if isinstance(value, dict):
            for inner in value.values():
                yield from self.named(inner)
        elif isinstance(value, list | tuple):
            for inner in value:
                yield from self.named(inner)
        elif isinstance(value, str):
            yield self.names.get(value, value)


def gather(played: Played, station: Station) -> None:
    """Add every alert of a node to what was played."""
    stories: dict[str, AlertStory] = {}
    for event in station.events:
        if event.kind != "alert":
            continue
        alert = event.data
        at_ms = parse_utc(event.at_utc)
        story = stories.get(alert["alert_id"])
        if story is None:
            line = station.core.lines.get(alert["line_id"] or "")
            peer = None if line is None else line.peer
            story = AlertStory(station.party, peer, alert["rule"], at_ms)
            stories[alert["alert_id"]] = story
            about = _about(alert)
            story.names = frozenset(played.named(list(about)))
        if alert["open"]:
            story.versions.append(AlertVersion(at_ms, alert))
        else:
            story.closed_ms = at_ms
    played.stories.extend(stories.values())


def _about(alert: dict[str, Any]) -> tuple[object, ...]:
    facts = alert["facts"]
    if alert["rule"] == "CONFLICT":
        # Its own id is made of the declarations' random ones, so it is another in every run.
        return facts["own"], facts["peer"]
    return alert["subject"], alert["object"], facts.get("words_only")
