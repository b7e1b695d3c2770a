"""The third witnesses of the settings: does each answer, and does it know this node's lines?"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from deconflict.errors import ConfigurationError, PeerUnreachableError
from deconflict.line.checkpoint import Checkpoint, Origin
from deconflict.line.keys import VerifyKey
from deconflict.line.note import NoteKey, NoteKind, NoteSignature, SignedNote
from deconflict.line.tlog_witness import AddCheckpoint, add_checkpoint_bytes
from deconflict.line.tree import TreeHead
from deconflict.node.doctor.check import OK, WARNING, WRONG, Check, told
from deconflict.node.peers import PinnedPeer
from deconflict.node.settings import Settings, ThirdWitness
from deconflict.node.witness.client import WitnessClient, witness_context

__all__ = ["witness_checks"]

_TIMEOUT_S: Final = 3.0
_UNSIGNED: Final = bytes(64)


def witness_checks(
    path: Path, settings: Settings, own_key: VerifyKey, peers: Sequence[PinnedPeer]
) -> Iterator[Check]:
    """Ask each witness about a checkpoint that nobody signed: how it refuses says what it knows.

    Args:
        path: the node's folder.
        settings: of the node.
        own_key: with what this party signs.
        peers: the pinned ones.
    """
    for witness in settings.witness:
        yield _check(path, settings.party, witness, own_key, peers)


def _check(
    path: Path,
    party: str,
    witness: ThirdWitness,
    own_key: VerifyKey,
    peers: Sequence[PinnedPeer],
) -> Check:
    subject = f"witness {witness.key.name}"
    later = "the line goes on without it; ask its owner; correct [[witness]] in node.toml"
    unknown = []
    try:
        client = WitnessClient(witness.url, witness_context(path / witness.trust))
        if not peers:
            client.ask_here(b"", timeout_s=_TIMEOUT_S)
        for peer in peers:
            origin = Origin(peer.line_id, party, "0" * 32)
            status = client.ask_here(_unsigned(origin, own_key), timeout_s=_TIMEOUT_S).status
            if status == 404:
                unknown.append(peer.party)
            elif status != 403:
                words = f"answers {status} at {witness.url}, as no witness does"
                return Check(subject, WARNING, words, later)
    except ConfigurationError as error:
        return Check(subject, WRONG, told(error), error.remedy)
    except PeerUnreachableError as error:
        return Check(subject, WARNING, f"{error.problem} ({witness.url})", later)
    if unknown:
        words = f"answers, and does not know the line with {', '.join(unknown)}"
        remedy = "give its owner both invitations: deconflict witness add-line"
        return Check(subject, WARNING, words, remedy)
    return Check(subject, OK, f"answers at {witness.url}, with a trusted certificate")


def _unsigned(origin: Origin, own_key: VerifyKey) -> bytes:
    key = NoteKey(origin.name, NoteKind.AUTHOR, own_key)
    text = Checkpoint(origin, TreeHead(1, bytes(32))).text
    line = NoteSignature(key.name, key.key_id, _UNSIGNED)
    return add_checkpoint_bytes(AddCheckpoint(0, (), SignedNote(text, (line,)).to_bytes()))
