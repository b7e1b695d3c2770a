"""Folds of a line's record, cut anywhere and gone on with, held against the fold of the whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from unittest.mock import patch

import msgspec
from tests.whole_alerts import alerts_of_whole

from deconflict.errors import InvalidDocumentError
from deconflict.line.alerts import Alert
from deconflict.line.envelope import Envelope
from deconflict.line.precedence import DEFAULT_TIMERS
from deconflict.line.statement import ChainPoint
from deconflict.messages.declaration import SoundDeclaration
from deconflict.messages.kinds import KIND_RULES
from deconflict.node.chains import receipt_on_way
from deconflict.node.fold import KeptFold, LineFold, without_reference
from deconflict.node.line import Line, fold_of
from deconflict.replay.world import Station, World
from deconflict.store.base import Store

AT_ONCE = 24  # cuts of one record that are looked at


def begun(store: Store, line: Line, kept: KeptFold | None = None) -> LineFold:
    """A fold over the line as a start begins it."""
    identity = line.keys.identity(store, line.line_id, line.book.own, line.peer)
    receipt = receipt_on_way(store, line.line_id, line.book.own, line.peer)
    point = None if receipt is None else ChainPoint(receipt.epoch, receipt.seq, receipt.hash)
    fold = fold_of(store, line.line_id, identity.own_ring, identity.peer_ring, point)
    if kept is not None:
        fold.take_up(kept)
    return fold


def read(fold: LineFold, store: Store, line: Line) -> Iterator[None]:
    for _ in fold.read(lambda party: store.entries(line.line_id, party)):
        yield


def written(kept: KeptFold | None) -> bytes:
    return msgspec.msgpack.encode(kept)


def again(data: bytes) -> KeptFold:
    return msgspec.msgpack.decode(data, type=KeptFold)


def whole_of(store: Store, line: Line, kept: KeptFold | None = None) -> LineFold:
    """The fold over the whole record, or over what came since something was kept."""
    fold = begun(store, line, kept)
    for _ in read(fold, store, line):
        pass
    return fold


def end_of(store: Store, line: Line, kept: KeptFold | None = None) -> tuple[Any, ...]:
    """All that a start would make of the record: what is kept of it, and what it leaves owed."""
    return end_of_fold(whole_of(store, line, kept))


def end_of_fold(fold: LineFold) -> tuple[Any, ...]:
    return (
        written(fold.kept()),
        fold.alerts.open_alerts(),
        fold.open_own,
        fold.heads,
        fold.is_lasting,
    )


def require_any_cut(store: Store, line: Line) -> int:
    """Cut the fold at many entries, go on from each, and find the same; return how many."""
    read_whole = whole_of(store, line)
    whole = end_of_fold(read_whole)
    assert whole[1] == oracle_alerts(store, line)
    length = sum(head.length for head in store.heads(line.line_id))
    every = length // AT_ONCE + 1
    cuts = []
    fold = begun(store, line)
    for number, _ in enumerate(read(fold, store, line)):
        if number % every == every - 1 and fold.is_lasting:
            cuts.append(written(fold.kept()))
    # To look at it, as a cut does, changes nothing of what follows.
    assert (written(fold.kept()), fold.alerts.open_alerts()) == whole[:2]
    for cut in cuts:
        assert written(again(cut)) == cut
        gone_on = whole_of(store, line, again(cut))
        assert end_of_fold(gone_on) == whole
        differs = sorted(set(differing(read_whole, gone_on)))
        assert not differs, differs
    return len(cuts)


# What is kept compares a readback, and a declaration is built when somebody looks at it.
LAZY = frozenset(("ReadbackFound._compare", "SoundDeclaration._data", "SoundDeclaration._value"))
# Counts the changes since this process began, and is compared with itself alone.
OF_THIS_RUN = frozenset(("Picture.version",))
# Nobody asks for these in their order.
UNORDERED = frozenset(("LineBook._progress", "LineBook._handled", "AlertFold._early"))
CHANGES = ("deconflict.node.", "deconflict.line.alert_fold")  # where what a fold holds is made
HEAPS = frozenset(("Picture._soonest", "Ends._heap"))  # what they give comes in one order


def attributes_of(value: Any) -> dict[str, Any]:
    """The attributes of an object of ours, whatever it is, each by class and name."""
    names: dict[str, None] = dict.fromkeys(getattr(value, "__dict__", ()))
    for each in type(value).__mro__:
        names.update(dict.fromkeys(getattr(each, "__slots__", ())))
    names.update(dict.fromkeys(getattr(value, "__struct_fields__", ())))
    if isinstance(value, SoundDeclaration):
        names["value"] = None
    return {
        f"{type(value).__name__}.{name}": getattr(value, name)
        for name in names
        if hasattr(value, name) and f"{type(value).__name__}.{name}" not in LAZY | OF_THIS_RUN
    }


def is_ours(value: Any) -> bool:
    return type(value).__module__.startswith("deconflict.") and not isinstance(value, Enum)


def is_value(value: Any) -> bool:
    frozen = getattr(getattr(type(value), "__dataclass_params__", None), "frozen", False)
    return frozen or isinstance(value, msgspec.Struct | tuple | Enum)


def differing(one: Any, other: Any, where: str = "", met: Any = None) -> Iterator[str]:
    """Say in which attributes two objects differ, through all that they hold.

    It knows no class: an attribute added to one, and not kept, is found as any other is.
    """
    # By identity, and held: the number of one that is gone may be given to another.
    met = {} if met is None else met
    if one is other or callable(one) or (id(one), id(other)) in met:
        return
    met[id(one), id(other)] = one, other
    if type(one) is not type(other):
        yield where
    elif isinstance(one, dict):
        ordered = where not in UNORDERED
        if (list(one) != list(other)) if ordered else (one.keys() != other.keys()):
            yield where
        for key in one.keys() & other.keys():
            yield from differing(one[key], other[key], where, met)
    elif where in HEAPS and isinstance(one, list):
        if sorted(one) != sorted(other):
            yield where
    elif isinstance(one, list | tuple):
        if len(one) != len(other):
            yield where
        for first, second in zip(one, other, strict=False):
            yield from differing(first, second, where, met)
    elif is_ours(one):
        of_one, of_other = attributes_of(one), attributes_of(other)
        if of_one.keys() != of_other.keys():
            yield where
        for name in of_one.keys() & of_other.keys():
            yield from differing(of_one[name], of_other[name], name, met)
    elif one != other:
        yield where


def all_attributes(value: Any, met: Any = None) -> Iterator[tuple[str, Any]]:
    """Yield each attribute that changes while a record is read, by class and name.

    Values, which are replaced whole, are kept whole.
    """
    met = {} if met is None else met
    if id(value) in met:
        return
    met[id(value)] = value
    if isinstance(value, dict):
        for held in value.values():
            yield from all_attributes(held, met)
    elif isinstance(value, list | tuple):
        for held in value:
            yield from all_attributes(held, met)
    elif type(value).__module__.startswith(CHANGES) and not is_value(value):
        for name, held in attributes_of(value).items():
            yield name, held
            yield from all_attributes(held, met)


def oracle_alerts(store: Store, line: Line) -> tuple[Alert, ...]:
    """What is owed by the function that reads whole chains."""
    fold = begun(store, line)
    entries: list[tuple[str, Envelope, bool]] = []
    take = fold.book.take

    def taken(envelope: Envelope, message_hash: str, body: Any, **how: Any) -> Any:
        found = take(envelope, message_hash, body, **how)
        known = envelope if found.acts else without_reference(envelope)
        entries.append((message_hash, known, how["delayed"]))
        return found

    with patch.object(fold.book, "take", taken):
        for _ in read(fold, store, line):
            pass
    return alerts_of_whole(
        entries,
        own_party=line.book.own,
        rules=KIND_RULES,
        timers=DEFAULT_TIMERS,
        is_receipted=lambda message_hash, _: message_hash not in fold.open_own,
    )


@dataclass
class Tried:
    """What was tried on the records of worlds.

    Attributes:
        cuts: of finished records.
        grown: what was kept of a record that grew since, and was gone on with.
        unfit: the same, and was refused.
    """

    cuts: int = 0
    grown: int = 0
    unfit: int = 0
    # Each of one record: another one, as an older copy put back, never names it.
    kept: list[tuple[Store, str, bytes]] = field(default_factory=list)

    def keep(self, station: Station) -> None:
        for line in station.core.lines.values():
            fold = begun(station.store, line)
            for _ in read(fold, station.store, line):
                pass
            kept = fold.kept()
            if kept is not None:
                self.kept.append((station.store, line.line_id, written(kept)))

    def look(self, stations: Iterator[Station]) -> None:
        for station in stations:
            for line in station.core.lines.values():
                self.cuts += require_any_cut(station.store, line)
                whole = end_of(station.store, line)
                for store, line_id, data in self.kept:
                    if store is station.store and line_id == line.line_id:
                        self._go_on(station.store, line, data, whole)
        self.kept.clear()

    def _go_on(self, store: Store, line: Line, data: bytes, whole: tuple[Any, ...]) -> None:
        try:
            found = end_of(store, line, again(data))
        except InvalidDocumentError:
            self.unfit += 1
        else:
            assert found == whole
            self.grown += 1


@contextmanager
def worlds_tried(*, every: int = 10) -> Iterator[Tried]:
    """Have the records of all worlds tried when they close, and kept as they grow."""
    tried = Tried()
    commit, close = World.commit, World.close
    turns = 0

    def committed(world: World, station: Station, work: Any) -> None:
        nonlocal turns
        commit(world, station, work)
        if work.entries or work.receipts or work.delayed:
            turns += 1
            if turns % every == 0:
                tried.keep(station)

    def closed(world: World) -> None:
        tried.look(iter(world.stations.values()))
        close(world)

    with patch.object(World, "commit", committed), patch.object(World, "close", closed):
        yield tried
