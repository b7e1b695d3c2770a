"""What a record proves of the parts of private checks: which its steps name, which are there.

A part goes when the retention of the terms is over, so one that is missing is told and no fault.
One that is there has the hash that a signed step names, or the bundle is refused.
"""

import hashlib
from dataclasses import dataclass

from deconflict.errors import BrokenProofError
from deconflict.line.envelope import Envelope
from deconflict.messages.kinds import Kind
from deconflict.messages.private_bodies import PrivateStep
from deconflict.node.bundle_lines import PartItem, malformed
from deconflict.node.logged import read_body

__all__ = ["PART_KINDS", "PartProof", "VerifiedParts", "named_parts"]

PART_KINDS: frozenset[str] = frozenset({Kind.PRIVATE_STEP})


@dataclass(frozen=True, slots=True)
class VerifiedParts:
    """The parts that the steps of one run of a private check name.

    Attributes:
        proposal: the PRIVATE_PROPOSE of the check.
        run: which of its runs.
        named: how many.
        missing: the hashes of those that the bundle does not hold.
    """

    proposal: str
    run: int
    named: int
    missing: tuple[str, ...]


def named_parts(envelope: Envelope) -> tuple[str, int, tuple[str, ...]] | None:
    """Return of a step its check, run and parts; None of any other message."""
    if envelope.kind not in PART_KINDS or envelope.ref is None:
        return None
    body = read_body(envelope)
    if not isinstance(body, PrivateStep):
        return None
    return envelope.ref, body.run, body.parts


class PartProof:
    """Takes the verified entries of a record, then the parts that it holds."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, int], dict[bytes, None]] = {}
        self._here: set[bytes] = set()
        self._last = ""

    def take(self, envelope: Envelope) -> None:
        """Look at one entry whose signature holds."""
        found = named_parts(envelope)
        if found is not None and found[2]:
            proposal, run, parts = found
            named = self._runs.setdefault((proposal, run), {})
            named.update(dict.fromkeys(map(bytes.fromhex, parts)))

    def hold(self, item: PartItem) -> None:
        """Take a part.

        Raises:
            BrokenProofError: it has another hash than it is given.
            InvalidDocumentError: no step names it, or it is out of order.
        """
        if item.sha256 <= self._last:
            raise malformed("a part is out of order", "ascending hashes, each once")
        self._last = item.sha256
        found = hashlib.sha256(item.exact).hexdigest()
        if found != item.sha256:
            raise BrokenProofError(
                "a part of a private check has another hash than it is given",
                given=found,
                expected=item.sha256,
                remedy="ask for the bundle again; keep this one if you suspect a hand in it",
            )
        name = bytes.fromhex(item.sha256)
        if not any(name in named for named in self._runs.values()):
            raise malformed("no step of the record names this part", "parts of its private checks")
        self._here.add(name)

    def report(self) -> tuple[VerifiedParts, ...]:
        """Return what is there of each run, in the order of the record."""
        return tuple(
            VerifiedParts(
                proposal,
                run,
                len(named),
                tuple(name.hex() for name in named if name not in self._here),
            )
            for (proposal, run), named in self._runs.items()
        )
