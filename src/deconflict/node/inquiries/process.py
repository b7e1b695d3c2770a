"""An inquiry in a process of its own, beside the node, begun by `deconflict.node.beside`.

It gets on standard input which file to look at, as :class:`Task`, and says on standard output how
far it is and what it found, a JSON object a line, as :class:`Word`. It has a low priority, the
parties' public keys, no secret and no network: what somebody uploaded is read here, not in the
node.
"""

import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from deconflict.errors import DeconflictError, InvalidDocumentError, VerificationError
from deconflict.node.bundle_proof import verify_bundle
from deconflict.node.bundle_verified import VerifiedBundle
from deconflict.node.disclosure import VerifiedDisclosure, verify_disclosure
from deconflict.node.equivocation import verify_equivocation
from deconflict.node.inquiries.task import Refused, Stage, Task, Word
from deconflict.node.knowledge.apart import apart
from deconflict.node.knowledge.instant import at_instant
from deconflict.node.knowledge.lines import RecordLines
from deconflict.node.knowledge.reading import join_records, read_record
from deconflict.node.knowledge.texts import texts_of
from deconflict.node.proof_lines import MAX_PROOF_FILE_BYTES, Disclosure, read_proof_file
from deconflict.node.subordinate import end_with_the_node

__all__ = ["main"]

_PIECE: Final = 1 << 16
_SAY_EVERY_S: Final = 0.2
_MOST_BYTES: Final = 4 * 1024**3  # of memory: a record of ten million messages has its columns in 1
_PROOFS: Final = (b'"type":"disclosure"}', b'"type":"equivocation"}')


def main() -> None:
    """Do what standard input says."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    end_with_the_node()
    said = _Saying()
    try:
        found = _known_at(task, task.at_ms, said) if task.at_ms is not None else _proven(task, said)
        said.last(Word(result=msgspec.Raw(msgspec.json.encode(found))))
    except (VerificationError, InvalidDocumentError) as error:
        said.last(
            Word(
                refused=Refused(
                    type(error).__name__, error.problem, error.given, error.expected, error.remedy
                )
            )
        )
    except DeconflictError as error:
        said.last(Word(failed=error.problem))
    except MemoryError:
        said.last(Word(failed="there is too little memory"))
    except OSError as error:
        said.last(Word(failed=error.strerror or type(error).__name__))


class _Saying:
    """Says how far it is, not too often."""

    def __init__(self) -> None:
        self._stage = Stage.VERIFYING
        self._done = self._total = 0
        self._next_s = 0.0

    def begin(self, stage: Stage, total: int) -> None:
        """Begin a stage."""
        self._stage, self._done, self._total, self._next_s = stage, 0, total, 0.0
        self.advance(0)

    def advance(self, count: int) -> None:
        """So much more is done."""
        self._done += count
        if time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + _SAY_EVERY_S
            self.last(Word(stage=self._stage, done=self._done, total=self._total))

    def last(self, word: Word) -> None:
        """Say a word."""
        sys.stdout.buffer.write(msgspec.json.encode(word) + b"\n")
        sys.stdout.buffer.flush()

    def pieces(self, file: IO[bytes]) -> Iterator[bytes]:
        """Yield a file's bytes, and say how far it is."""
        while piece := file.read(_PIECE):
            yield piece
            self.advance(len(piece))


def _proven(task: Task, said: _Saying) -> dict[str, Any]:
    """Return what the file proves: a whole record, one message, or a fork."""
    file = Path(task.file)
    if file.stat().st_size <= MAX_PROOF_FILE_BYTES:
        data = file.read_bytes()
        if any(kind in data for kind in _PROOFS):
            return _small(data, task)
    return {"kind": "RECORD", "proven": msgspec.to_builtins(_verified(task, said))}


def _small(data: bytes, task: Task) -> dict[str, Any]:
    proof = read_proof_file(data)
    if not isinstance(proof, Disclosure):
        fork = verify_equivocation(proof, task.trusted, task.trusted_roots)
        return {"kind": "FORK", "proven": msgspec.to_builtins(fork)}
    shown: VerifiedDisclosure = verify_disclosure(proof, task.trusted, task.trusted_roots)
    return {"kind": "MESSAGE", "proven": msgspec.to_builtins(shown)}


def _verified(task: Task, said: _Saying) -> VerifiedBundle:
    said.begin(Stage.VERIFYING, Path(task.file).stat().st_size)
    with Path(task.file).open("rb") as stream:
        return verify_bundle(said.pieces(stream), task.trusted, roots=task.trusted_roots)


def _known_at(task: Task, at_ms: int, said: _Saying) -> dict[str, Any]:
    """Return what each side knew at an instant, proven first."""
    file = Path(task.file)
    proven = _verified(task, said)
    said.begin(Stage.READING, file.stat().st_size)
    with file.open("rb") as stream:
        one = read_record(said.pieces(stream), proven, task.trusted, task.trusted_roots, 0)
    record = join_records([one])
    said.begin(Stage.LOOKING, 2 * sum(len(record.chain(party)) for party in record.parties))
    with RecordLines(record, [file]) as lines:
        found = at_instant(record, at_ms, lines.envelope, last=task.last, advance=said.advance)
        texts = texts_of(record, lines, found, task.language)
    return {
        "instant": msgspec.to_builtins(found),
        "texts": texts,
        "clocks": msgspec.to_builtins(apart(record)),
        "missing": msgspec.to_builtins(record.missing),
        "unfound": msgspec.to_builtins(proven.unfound),
    }
