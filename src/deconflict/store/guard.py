"""The guard: a small file apart from the record that says how far this node has signed.

A record put back from a backup does not know what was signed after it was copied. Whoever goes on
from it signs a second message for a slot it has used: an honest node, convicted. So before each
batch of signatures and receipts the guard is moved to the slots they are for, on disk, and a node
whose record lacks what its guard names says nothing until it is whole again.

**The order, and what a crash leaves**::

    record durable  →  guard durable  →  sign, receipt, send

Between record and guard: the record is ahead by entries that nobody signed. The next start moves
the guard, then signs them. Between guard and sign: both name the slot; the next start signs the
same bytes. Within the writing of the guard: what it said before. The file has two places of one
size and a move overwrites the older one, so the other stands; where it has to grow it is written
beside, flushed, renamed, the directory flushed. In place costs one flush of a page, a twentieth of
a rename, and every batch waits for it.

A damaged place is passed over for the other: the guard is then one move older, which the record
shows where it holds a signature from behind it. Where both are damaged, nothing is believed.

**Runs.** At each start guard and record are given the same random name of the run. A record from
one run beside a guard from another was not left so by this node: one of them is a copy. Changing
both takes three steps, each durable before the next, and nothing is signed before the last::

    guard: run new, or old   →   record: run new   →   guard: run new

A crash on the way leaves a pair that the next start takes.

**Compare and swap.** The guard is read before each move and must be what this process wrote last.
A second node that uses the same guard is found out before either signs.

What this cannot show: record *and* guard put back together, from one copy. Keep the guard on
another disk.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

import msgspec

from deconflict.errors import GuardMovedError, StoreBrokenError, StoreError
from deconflict.line.keys import RandomBytes
from deconflict.line.resync import MuteReason
from deconflict.line.statement import ChainPoint
from deconflict.store.base import Batch, NoteRow, Store
from deconflict.store.directory import sync_directory

__all__ = ["RUN_NOTE", "Guard", "GuardFile", "Guarded", "read_guard"]

RUN_NOTE: Final = "guard/run"
_FORMAT: Final = "deconflict-guard/1"
_MOST_BYTES: Final = 16 * 1_024 * 1_024
_PAGE: Final = 4_096
# The length never changes in place, so the bytes are all there is to flush.
_flush: Final = getattr(os, "fdatasync", os.fsync)


class Guarded(msgspec.Struct, frozen=True):
    """How far one chain of one line is signed: the own one, or the peer's by receipts.

    Attributes:
        point: the last slot; None before the first.
        mute: why the record may lack some of it; None where it does not.
    """

    point: ChainPoint | None = None
    mute: MuteReason | None = None


class GuardFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file holds, behind the line with its checksum.

    Attributes:
        format: names the form.
        node: key id of the node whose record it guards.
        run: of the node that wrote it last.
        run_before: the one before, while a start has not come to its end; else None.
        chains: by line and party, ``line/party``.
        moves: how often it was written; of two places the higher holds.
    """

    format: str
    node: str
    run: str
    run_before: str | None
    chains: dict[str, Guarded]
    moves: int = 0


def read_guard(path: Path) -> GuardFile | MuteReason:
    """Return what a guard says, or why it says nothing.

    Raises:
        StoreError: it cannot be read though it may be there.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST_BYTES)
    except FileNotFoundError:
        return MuteReason.NO_GUARD
    except OSError as error:
        raise _unreachable(path, error) from error
    size, rest = divmod(len(data), 2)
    places = () if rest or size % _PAGE else (data[:size], data[size:])
    found = [one for place in places if (one := _decoded(place.rstrip(b"\0"))) is not None]
    return max(found, key=lambda one: one.moves, default=MuteReason.GUARD_DAMAGED)


class Guard:
    """The guard of a running node. Make one with :meth:`start`; one thread at a time.

    Attributes:
        path: where it is.
    """

    def __init__(self, path: Path, content: GuardFile) -> None:
        self.path = path
        self._content = content
        self._written = b""  # the whole file, as this process left it

    @classmethod
    def create(cls, path: Path, *, node: str) -> None:
        """Write the guard of a new node, whose record is empty.

        Raises:
            OSError: it cannot be written.
        """
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_anew(path, _image(_encoded(GuardFile(_FORMAT, node, "", None, {}))))

    @classmethod
    def start(
        cls, path: Path, store: Store, *, node: str, own: str, random_bytes: RandomBytes
    ) -> Self:
        """Compare the guard with the record, begin a run with both, and return the guard.

        Which chains may lack something, :meth:`mute` tells; of the others the guard is at the
        record's head when this returns, so what is durable may be signed and receipted.

        Args:
            path: the guard's file.
            store: the verified record, with every line that is pinned.
            node: key id of this node.
            own: this party.
            random_bytes: for the name of the run.

        Raises:
            StoreError: the guard cannot be read or written: then nothing may be signed.
        """
        found = read_guard(path)
        if isinstance(found, GuardFile) and found.node != node:
            found = MuteReason.OTHER_GUARD
        stored = store.note(RUN_NOTE)
        run_in_record = "" if stored is None else stored.decode("ascii", "replace")
        if isinstance(found, GuardFile) and run_in_record not in (found.run, found.run_before):
            before, reason = found.chains, MuteReason.OTHER_RUN
        elif isinstance(found, GuardFile):
            before, reason = found.chains, None
        else:
            before, reason = {}, found
        chains = {
            _name(line.line_id, party): _compared(
                store, line.line_id, party, before.get(_name(line.line_id, party)), reason
            )
            for line in store.lines()
            for party in (own, line.peer_party)
        }
        run = random_bytes(16).hex()
        if reason in (MuteReason.OTHER_GUARD, MuteReason.GUARD_DAMAGED):
            _put_aside(path, run)
        guard = cls(path, GuardFile(_FORMAT, node, run, run_in_record, {**before, **chains}))
        guard._replace(guard._content)
        store.commit(Batch(notes=[NoteRow(RUN_NOTE, run.encode("ascii"))]))
        guard._replace(msgspec.structs.replace(guard._content, run_before=None))
        return guard

    def mute(self, line_id: str, party: str) -> MuteReason | None:
        """Return why the record may lack part of a chain; None where it does not."""
        return self._content.chains.get(_name(line_id, party), Guarded()).mute

    def advance(self, batch: Batch) -> None:
        """Move to the slots of a batch that is durable now, before anything in it is signed.

        Chains that may lack something stay where they are, until a batch says that they are whole.

        Raises:
            GuardMovedError: another process moved it: two nodes use one guard.
            StoreBrokenError: it could not be written; nothing of the batch may be signed.
        """
        moved = self._moved(batch)
        if not moved:
            return
        self._replace(
            msgspec.structs.replace(self._content, chains={**self._content.chains, **moved})
        )

    def _moved(self, batch: Batch) -> Mapping[str, Guarded]:
        moved: dict[str, Guarded] = {}
        for row in batch.entries:
            name = _name(row.line_id, row.party)
            if self._content.chains.get(name, Guarded()).mute is None:
                moved[name] = Guarded(ChainPoint(row.epoch, row.seq, row.hash))
        for chain in batch.whole:
            moved[_name(chain.line_id, chain.party)] = Guarded(chain.head)
        return moved

    def _replace(self, content: GuardFile) -> None:
        content = msgspec.structs.replace(content, moves=self._content.moves + 1)
        data = _encoded(content)
        try:
            if len(self._written) // 2 < len(data):  # the first of this run, or it has grown
                if self._written:
                    self._require_unmoved(self.path.read_bytes())
                written = _image(data)
                _write_anew(self.path, written)
            else:
                written = self._overwrite(data, content.moves % 2)
        except OSError as error:
            raise _unreachable(self.path, error) from error
        self._content, self._written = content, written

    def _overwrite(self, data: bytes, place: int) -> bytes:
        """Write the place that holds the older of the two, and return the whole file."""
        size = len(self._written) // 2
        first = place * size
        padded = data.ljust(size, b"\0")
        descriptor = os.open(self.path, os.O_RDWR)
        try:
            # In one call where it is as it was: each is a turn for the interpreter's lock.
            found = os.read(descriptor, len(self._written) + 1)
            if found != self._written:
                found += _read_all(descriptor)
            self._require_unmoved(found)
            os.lseek(descriptor, first, os.SEEK_SET)
            # Crash from here on: this place may say nothing, and the other what it said before.
            _write_all(descriptor, padded)
            _flush(descriptor)
        finally:
            os.close(descriptor)
        return self._written[:first] + padded + self._written[first + size :]

    def _require_unmoved(self, found: bytes) -> None:
        if found != self._written:
            raise GuardMovedError(
                "the guard is not as this node left it: another node uses it too",
                given=str(self.path),
                remedy="run one node for each record; this one stops and has signed nothing more",
            )


def _compared(
    store: Store, line_id: str, party: str, guarded: Guarded | None, reason: MuteReason | None
) -> Guarded:
    """Return where the guard of one chain is to stand, and whether the record may lack part."""
    epochs = store.epochs(line_id, party)
    head = None
    if epochs:
        last = epochs[-1]
        head = ChainPoint(last.epoch, last.seq, last.hash)
    point = None if guarded is None else guarded.point
    if guarded is not None and guarded.mute is not None:
        return guarded  # an earlier start found it, and it was not made whole since
    if reason is not None:
        return Guarded(point or head, reason)
    if point is not None:
        held = store.entry_at(line_id, party, point.epoch, point.seq)
        if held is None or held.hash != point.hash:
            return Guarded(point, MuteReason.RECORD_BEHIND)
    # A signature is stored only after the guard has moved to its slot. The peer's entries come
    # signed; of them only the run tells that the guard is the older of the two.
    line = store.line(line_id)
    own = line is not None and line.own_party == party
    if own and _signed_behind(store, line_id, party, point):
        return Guarded(head, MuteReason.GUARD_BEHIND)
    return Guarded(head)


def _signed_behind(store: Store, line_id: str, party: str, point: ChainPoint | None) -> bool:
    """True exactly when a stored signature is of a slot behind the guard's."""
    reached = point is None
    for end in store.epochs(line_id, party):
        first = 1
        if not reached and point is not None:
            if end.epoch != point.epoch:
                continue
            reached, first = True, point.seq + 1
        row = store.entry_at(line_id, party, end.epoch, first)
        if row is not None and row.signature is not None:
            return True
    return False


def _name(line_id: str, party: str) -> str:
    return f"{line_id}/{party}"


def _encoded(content: GuardFile) -> bytes:
    data = msgspec.json.encode(content, order="sorted")
    return hashlib.sha256(data).hexdigest().encode("ascii") + b"\n" + data + b"\n"


def _decoded(data: bytes) -> GuardFile | None:
    check, _, rest = data.partition(b"\n")
    if hashlib.sha256(rest.removesuffix(b"\n")).hexdigest().encode("ascii") != check:
        return None
    try:
        found = msgspec.json.decode(rest, type=GuardFile)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found if found.format == _FORMAT else None


def _image(data: bytes) -> bytes:
    """Return a file whose two places both say this, with room for as much again in each."""
    pages = -(-2 * len(data) // _PAGE)
    return data.ljust(pages * _PAGE, b"\0") * 2


def _write_anew(path: Path, data: bytes) -> None:
    """Replace the file so that a crash leaves the old one or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        _write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(path)
    sync_directory(path.parent)


def _put_aside(path: Path, run: str) -> None:
    """Keep what is there: it may be another node's, or tell a person what happened to it."""
    try:
        path.replace(path.with_name(f"{path.name}.{run[:8]}"))
    except OSError as error:
        raise _unreachable(path, error) from error


def _read_all(descriptor: int) -> bytes:
    data = b""
    while part := os.read(descriptor, _MOST_BYTES):
        data += part
    return data


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _unreachable(path: Path, error: OSError) -> StoreError:
    return StoreBrokenError(
        "the guard cannot be read or written, and without it nothing may be signed",
        given=f"{path}: {error.strerror}",
        expected="a file in a directory that this node may write",
        remedy="mount its disk, or set guard_path in node.toml; then start the node again",
    )
