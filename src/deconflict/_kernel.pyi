"""The compiled kernels (crates/deconflict-kernel and -sealed behind crates/deconflict-py)."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

class RefusedInput(ValueError):  # noqa: N818
    """A row cannot be used; ``args`` are table, row, field and what is wrong with it."""

class RefusedBatch(ValueError):  # noqa: N818
    """A batch of a private check cannot be used; ``args`` are code, slot, index and the problem."""

def geodesic_inverse(
    lat1: float, lon1: float, lat2: float, lon2: float
) -> tuple[float, float, float]:
    """Return distance (m) and the forward azimuths (degrees) at both ends of the geodesic.

    Raises:
        ValueError: a latitude beyond ±90°, or an argument that is not finite.
    """

def geodesic_direct(lat: float, lon: float, azi: float, s_m: float) -> tuple[float, float, float]:
    """Return latitude, longitude and forward azimuth (degrees) ``s_m`` metres along a geodesic.

    Raises:
        ValueError: a latitude beyond ±90°, or an argument that is not finite.
    """

def screen(
    trajectories: Mapping[str, NDArray[Any]],
    volumes: Mapping[str, NDArray[Any]],
    minima: Mapping[str, NDArray[Any]],
    references: Mapping[str, NDArray[Any]],
    *,
    threads: int | None = None,
    progress: ScreenProgress | None = None,
) -> dict[str, NDArray[Any]]:
    """Return every finding among trajectories and volumes as columns, sorted by (i, j, start).

    Any number of ``threads`` gives the same bits; None takes one for each processor.

    The columns in and out are listed in ``docs/reference/separation.md``. The arrays must not be
    changed by another thread meanwhile: they are read without a copy and without the GIL.

    Raises:
        RefusedInput: a row holds something unusable (NaN, out of range, times not increasing).
        KeyError, TypeError: a column is missing, of another type or not contiguous.
    """

class ScreenProgress:
    """How far one screening is: given to it, looked at by another thread."""

    def __new__(cls) -> Self: ...
    def parts(self) -> tuple[int, int]:
        """Return the parts done and those in all, 0 until they are known."""

def forbidden(
    trajectories: Mapping[str, NDArray[Any]],
    volumes: Mapping[str, NDArray[Any]],
    minima: Mapping[str, NDArray[Any]],
    references: Mapping[str, NDArray[Any]],
    asked: Mapping[str, NDArray[Any]],
    *,
    early_s: float = 0.0,
    late_s: float = 0.0,
    down_tmm: int = 0,
    up_tmm: int = 0,
    threads: int | None = None,
) -> dict[str, dict[str, NDArray[Any]]]:
    """Return which changes of some rows would meet others, each row alone, all else as it stands.

    The first four tables are those of ``screen``. ``asked`` holds ``movers`` (u32: rows,
    trajectories first) and ``offsets_m`` (f64: metres to the right, to be looked at for
    trajectories). Shifts are looked for from ``-early_s`` to ``late_s``, changes of level from
    ``-down_tmm`` to ``up_tmm``; where both are 0, not at all.

    Returns ``shift``, ``level`` and ``offset``, each with the columns ``mover``, ``other``,
    ``from``, ``to`` (i64): whole milliseconds, tenths of a millimetre or places in ``offsets_m``,
    both ends included. What is not in them is free.

    Raises:
        RefusedInput: a row holds something unusable, or a mover is no row.
        KeyError, TypeError: a column is missing, of another type or not contiguous.
    """

def moved_aside(
    paths: Mapping[str, NDArray[Any]], offset_m: NDArray[np.float64]
) -> dict[str, NDArray[Any]]:
    """Return paths, each moved so many metres to the right, as ``advise.aside`` says.

    ``paths`` has ``offsets`` (i64) and for each waypoint ``lat_deg``, ``lon_deg`` (f64), ``at_ms``,
    ``altitude_tmm`` (i64); the result has the same. Places come out in whole 1e-7 degrees; a row
    with an offset of 0 stays as it is.

    Raises:
        ValueError: the columns do not fit one another, or a place is not on the Earth.
        KeyError, TypeError: a column is missing, of another type or not contiguous.
    """

class Prover:
    """An Ed25519 public key made ready for many signatures.

    Raises:
        ValueError: the key is not 32 bytes, no point, or of small order.
    """

    def __new__(cls, public: bytes) -> Self: ...
    def first_bad(self, context: bytes, statements: Sequence[tuple[bytes, bytes]]) -> int | None:
        """Return the place of the first (data, signature) that this key did not sign, or None.

        What is signed is ``context + data``. Other threads run meanwhile.
        """

class EntryColumns:
    """Entries of one chain, one behind the other, by one key.

    Attributes:
        count: how many.
        party: the author.
        key_id: of the key that signed them.
        epoch: 32 hex digits.
        seq: number of the first entry.
        prev: hash of what stands before that, 32 bytes.
        hashes: of the entries, 32 bytes each.
        leaves: of the author's tree, 32 bytes each.
        drills: how many are exercise only.
        delayed: how many were logged past their expiry.
        heard: each other entry that one of these cites by ``heard``, with the place of the first
            that does: place, epoch, number, hash (32 bytes).
        shown: where the line begins of each entry of a kind that was asked for, in these lines.
        last: where the last line begins.
    """

    count: int
    party: str
    key_id: str
    epoch: str
    seq: int
    prev: bytes
    hashes: bytes
    leaves: bytes
    drills: int
    delayed: int
    heard: list[tuple[int, str, int, bytes]]
    shown: list[int]
    last: int

class RecordStretch:
    """Lines that say the same kind of thing; lines that were left, where it has none of them.

    Attributes:
        start: where the first line begins in the text.
        end: where the last line ends.
        entries: of one chain.
        receipts: of each the party whose entry it is for, and that entry: epoch, number, hash.
        checkpoints: of each the party whose chain it is of, the id of its key that signed it,
            epoch, size, root, and the time of the other party's signature, seconds since 1970.
    """

    start: int
    end: int
    entries: EntryColumns | None
    receipts: list[tuple[str, str, int, bytes]]
    checkpoints: list[tuple[str, str, str, int, bytes, int]]

class RecordReader:
    """Reads the lines of one exported record. It knows no key at first.

    Args:
        line: the line, 32 hex digits.
        parties: both.
        shown: kinds of which the place of each entry is told.
    """

    def __new__(cls, line: str, parties: Sequence[str], shown: Sequence[str]) -> Self: ...
    def knowing(self, party: str, key_id: str, public: bytes) -> Self:
        """Return a reader that knows a key more; of one party, the last four.

        Raises:
            ValueError: the key is malformed or of small order, or the party not on the line.
        """

    def read(self, text: bytes) -> list[RecordStretch]:
        """Return whole lines as stretches, in their order. Other threads run meanwhile.

        A line is taken only when it is an entry, a receipt, or a checkpoint with two signatures, in
        its one byte form, of this line and its two parties, and signed by keys of theirs that are
        known here. Everything else is left.
        """

class RecordTree:
    """The tree over a chain that is read whole (RFC 9162), a first part of which is agreed on."""

    size: int
    agreed_size: int
    agreed_root: bytes

    def add_all(self, leaves: bytes) -> None:
        """Append the hashes of the next leaves, one behind the other."""

    def agree(self, size: int) -> None:
        """Take the first ``size`` leaves as agreed on. Other threads run meanwhile.

        Raises:
            ValueError: fewer than were agreed on before, or more than there are.
        """

def json_features(text: bytes) -> dict[str, Any]:
    """Return the usual flights and ``areas`` of a part of a GeoJSON text, and what is left.

    ``left`` holds place, start and end of each feature that somebody else has to read, ``used`` how
    far the text is used up, ``ended`` whether something else than a feature stands there, ``count``
    and ``commas`` how many features and commas there were. Other threads run meanwhile.
    """

def row_check(*columns: str | bytes | int | None) -> bytes:
    """Return 16 bytes that change when any column, its type or their order changes.

    Raises:
        TypeError: a column of another type, or a whole number beyond 64 bits.
    """

def first_changed_row(
    rows: Sequence[tuple[Any, ...]],
    *,
    outside: Sequence[int] = (),
    named: tuple[int, int] | None = None,
) -> int | None:
    """Return the place of the first row whose last column is no check of the others, or None.

    Args:
        rows: as the database holds them.
        outside: columns that have no part in the check.
        named: of these two columns, the second is the SHA-256 of the first in hex digits.
    """

def sound_span(trajectory: object) -> tuple[int, int] | None:
    """Return the first and last instant (ms) of a trajectory's JSON value that is surely sound.

    None says nothing: ``deconflict.airspace`` decides then.
    """

def sound_plan(
    trajectory: object,
) -> tuple[list[tuple[int, int, int, int]], tuple[int, int, int]] | None:
    """Return waypoints and containment of a trajectory's JSON value that is surely sound.

    Of each waypoint instant, latitude, longitude and altitude; of the containment lateral, vertical
    and time; all as they are written, the instant in milliseconds. None says nothing.
    """

def is_surely_canonical(data: bytes, max_depth: int) -> bool:
    """Return True only if ``data`` is one JSON value in canonical form, at most so deep.

    False says nothing: ``deconflict.line.canonical`` decides then.
    """

class Index:
    """Active declarations by number, asked what one more would meet; safe among threads.

    Columns are those of ``screen``. Other threads run while anything is done.

    Raises:
        RefusedInput: a row or table cannot be used; nothing has changed then.
    """

    def __init__(self, minima: dict[str, Any], references: dict[str, Any]) -> None: ...
    def __len__(self) -> int: ...
    def put(
        self,
        keys: NDArray[np.uint64],
        trajectories: dict[str, Any],
        volumes: dict[str, Any] | None = None,
    ) -> None:
        """Put declarations in the place of what was there under their numbers.

        ``keys`` holds the number of the declaration that each row belongs to, trajectories first.
        """

    def remove(self, key: int) -> bool:
        """Take a declaration away; return whether it was there."""

    def drop_before(self, at_us: int) -> list[int]:
        """Take away what is over before an instant, windows included; return the numbers."""

    def ask(
        self,
        trajectories: dict[str, Any],
        volumes: dict[str, Any] | None = None,
        most: int | None = None,
    ) -> dict[str, Any]:
        """Return what these rows meet of all that is there: the row as ``i``, ``key`` for ``j``.

        The first place, and the sign of the vertical distance, are told from the row asked about.
        Rows of one ``party`` or one ``side`` (not 0) never meet; those asked about are not held
        against each other. One row, or the volumes of one ``item``, takes up to ``most`` pairs of
        pieces, and none is begun when so many are used up: ``done`` says how many rows were looked
        at, ``broken_off`` lists those that were not to the end.
        """

def sealed_public_key(seed: bytes) -> bytes:
    """Return the public key of the sender whose seed this is."""

def sealed_salts(
    seed: bytes, places: Sequence[tuple[int, int]], *, threads: int | None = None
) -> bytes:
    """Return 32 bytes for each place (slot, index), one behind the other."""

def sealed_pad_tags(seed: bytes, ssid: bytes, count: int, *, threads: int | None = None) -> bytes:
    """Return so many tags of 12 bytes, one behind the other."""

class SealedSender:
    """The role of a private check that holds the key (specs/private-check.md).

    Seed and session have 32 bytes. Any number of ``threads`` gives the same bytes; None takes one
    for each processor. Other threads run meanwhile.

    Raises:
        RefusedBatch: something in the batch cannot be used.
    """

    def __new__(cls, seed: bytes, ssid: bytes) -> Self: ...
    def tags(
        self,
        slots: Sequence[int],
        sizes: Sequence[int],
        cell_length: int,
        cells: bytes,
        *,
        length: int = 12,
        threads: int | None = None,
    ) -> bytes:
        """Return so many bytes of each cell's output, 12 to 64; the first 12 are its tag."""

    def evaluate(
        self,
        slots: Sequence[int],
        per_slot: int,
        blinded: bytes,
        *,
        threads: int | None = None,
    ) -> tuple[bytes, bytes]:
        """Return a point of 32 bytes for each point, and a proof of 64 bytes for each slot."""

class SealedReceiver:
    """The role of a private check that asks; else as the sender's."""

    def __new__(cls, seed: bytes, ssid: bytes, sender: bytes) -> Self: ...
    def ask(
        self,
        slots: Sequence[int],
        sizes: Sequence[int],
        cell_length: int,
        cells: bytes,
        per_slot: int,
        *,
        threads: int | None = None,
    ) -> SealedQuestion:
        """Blind the cells of each slot, and pads up to ``per_slot``."""

class SealedQuestion:
    """Points that were asked, and what opens their answer."""

    @property
    def points(self) -> bytes: ...
    def finalize(
        self, evaluated: bytes, proofs: bytes, *, length: int = 12, threads: int | None = None
    ) -> bytes:
        """Return so many bytes of each cell's output, once every proof has held."""
