"""The tags that a side shows: sorted, filled up to the bucket, in 64 chunks under one root.

The root is said before the first chunk, and each chunk comes with its path, so that nobody chooses
later chunks by what the other side has shown. Sorted, tags say nothing of the order of cells.
"""

import hashlib
from collections.abc import Iterator
from operator import lt
from typing import Final

from deconflict.errors import BrokenProofError, CheckRefusedError, InvalidInputError
from deconflict.line.tree import GrowingTree, TreeHead, verify_inclusion
from deconflict.sealed.steps import CHUNKS, Step, StepKind

__all__ = ["HeardTags", "ShownTags"]

_TAG: Final = 12
_HASH: Final = 32
_LEAF: Final = b"\x00"


class ShownTags:
    """Own tags, as they are shown.

    Args:
        tags: of own cells, canaries among them, 12 bytes each, in any order.
        pads: what fills them up; as many as are missing to the bucket, or more.
        bucket: how many are shown.

    Raises:
        InvalidInputError: there are more tags than the bucket holds. None is left out.
    """

    def __init__(self, tags: bytes, pads: bytes, bucket: int) -> None:
        own = set(_cut(tags))
        if len(own) > bucket:
            raise InvalidInputError(
                "there are more cells than the agreed bucket holds",
                given=f"{len(own):,}",
                expected=f"at most {bucket:,}",
                remedy="agree on a larger bucket, or check fewer plans: it is NOT CHECKED",
            )
        for pad in _cut(pads):
            if len(own) == bucket:
                break
            own.add(pad)
        if len(own) != bucket:
            raise InvalidInputError(
                "there are too few pads",
                given=f"{len(own):,} tags with all pads",
                expected=f"{bucket:,}",
            )
        size = bucket // CHUNKS
        ordered = sorted(own)
        self._chunks = [b"".join(ordered[n * size : (n + 1) * size]) for n in range(CHUNKS)]
        self._tree = GrowingTree()
        for number, chunk in enumerate(self._chunks):
            self._tree.add(_leaf(number, chunk))

    @property
    def root(self) -> Step:
        """The step that fixes all chunks."""
        return Step(StepKind.ROOT, 0, self._tree.head_at(CHUNKS).root)

    def chunk(self, number: int) -> Step:
        """The step that shows one chunk."""
        path = self._tree.inclusion(number, CHUNKS)
        return Step(StepKind.CHUNK, number, self._chunks[number] + b"".join(path))


class HeardTags:
    """The peer's tags, chunk by chunk.

    Args:
        root: which the peer said before.
    """

    def __init__(self, root: bytes) -> None:
        self._head = TreeHead(CHUNKS, root)
        self._last = b""

    def hear(self, step: Step) -> list[bytes]:
        """Take the next chunk, and return its tags.

        Raises:
            CheckRefusedError: it is not under the root, or its tags are not ascending behind those
                before: a tag twice, or out of order.
        """
        cut = len(step.data) - 6 * _HASH
        tags, path = step.data[:cut], step.data[cut:]
        hashes = [path[at : at + _HASH] for at in range(0, len(path), _HASH)]
        try:
            verify_inclusion(_leaf(step.number, tags), step.number, self._head, hashes)
        except BrokenProofError as error:
            raise CheckRefusedError(
                f"chunk {step.number} is not under the root that was said before",
                reason="BAD_PATH",
            ) from error
        found = list(_cut(tags))
        if not all(map(lt, (self._last, *found), found)):
            raise CheckRefusedError(
                f"the tags of chunk {step.number} are not in ascending order, each once",
                reason="UNSORTED_TAGS",
            )
        self._last = found[-1]
        return found


def _cut(tags: bytes) -> Iterator[bytes]:
    return (tags[at : at + _TAG] for at in range(0, len(tags), _TAG))


def _leaf(number: int, tags: bytes) -> bytes:
    return hashlib.sha256(_LEAF + bytes([number]) + tags).digest()
