"""Whether, or in how many cells, two plans come near: told by a third party, and nothing else.

Two parties alone cannot have this: who blinds its cells one by one un-shuffles what comes back. So
both send keyed tags of their cells to a **mediator** that lacks the key, and it says to both at
once in how many places they are equal. It learns sizes of overlaps. **The mediator together with
either party learns everything**: only who trusts it not to should do this.

A mediator that lies is exposed by runs of which both know the answer. Beside the two that are
meant, one a direction, there are runs of dummies alone, some shared by both and some by nobody, in
an order that follows from the key. A lie in one of those is seen; a lie in one run drawn blindly
stays unseen once in so many runs as there are, and less seldom where an overlap is of a size that
stands out.

There is no way here to compare with a peer's tags at home, and nothing here sends them to a peer.
Decisions alone, all randomness from the seed. Bytes: ``specs/private-check.md`` §11.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from deconflict.errors import CheckRefusedError, DeconflictError, InvalidInputError
from deconflict.sealed.cover import cover
from deconflict.sealed.grid import Grid, Reach, cell_id
from deconflict.sealed.hello import commitment
from deconflict.sealed.mediation import (
    MEDIATED_TAG,
    MediatedHello,
    MediatedMode,
    MediatedTerms,
    Mediation,
    Submission,
    Submitted,
    mediated_session_id,
    read_mediated_hello,
    read_mediation,
)
from deconflict.sealed.own import Drawn, plan_bytes, plan_salt
from deconflict.sealed.session import Outcome
from deconflict.sealed.tubes import Area, Tube

__all__ = ["Mediated", "MediatedFinding", "MediatedSide", "mediated_key", "mediated_side"]

_OWN, _WIDENED, _TEST = "own", "widened", "test"
_REAL: Final = 2


@dataclass(frozen=True, slots=True, repr=False)
class MediatedSide:
    """What one party brings.

    Attributes:
        hello: what it says to the other party first.
        seed: its seed.
        cells: its own cells.
        widened: the cells of its plan widened by the minima.
    """

    hello: MediatedHello
    seed: bytes
    cells: frozenset[bytes]
    widened: frozenset[bytes]

    def __repr__(self) -> str:
        """Say whose it is, and nothing of its plan."""
        return f"MediatedSide({self.hello.party!r}, ...)"


@dataclass(frozen=True, slots=True)
class MediatedFinding:
    """What came of it.

    Attributes:
        outcome: NO_HIT only where every run of dummies was answered as it had to be, and the peer
            has the same answer.
        whole: whether it came to its end.
        own_cells: how many own cells the peer's widened plan holds; None where that is not told.
        peers_cells: how many cells of the peer the own widened plan holds; None as above.
        reason: why it was broken off; None where it was not.
    """

    outcome: Outcome
    whole: bool
    own_cells: int | None = None
    peers_cells: int | None = None
    reason: str | None = None


def mediated_side(
    party: str,
    plan: Sequence[Tube | Area],
    grid: Grid,
    terms: MediatedTerms,
    drawn: Drawn,
    *,
    expires_utc: str,
) -> MediatedSide:
    """Return what a party brings to a mediated check.

    Args:
        party: its name.
        plan: on the plane of the grid.
        grid: the agreed one, not yet refined.
        terms: what was agreed.
        drawn: fresh from the system's randomness, used for no other check.
        expires_utc: when it gives up.

    Raises:
        InvalidGeometryError: the plan leaves the grid, or fills too many cells.
    """
    fine = grid.refined(terms.parts)
    hello = MediatedHello(
        v=1,
        party=party,
        terms=terms,
        nonce=drawn.nonce.hex(),
        key=mediated_key(drawn.seed).hex(),
        plan=commitment("plan", plan_bytes(plan), plan_salt(drawn.seed)),
        seed=commitment("seed", drawn.seed, b""),
        expires_utc=expires_utc,
    )
    cells, widened = (
        frozenset(map(cell_id, cover(plan, fine, reach))) for reach in (Reach(), grid.minima)
    )
    return MediatedSide(hello, drawn.seed, cells, widened)


def mediated_key(seed: bytes) -> bytes:
    """Return the public key, 32 bytes, that the HELLO of a seed shows."""
    return _private(seed).public_key().public_bytes_raw()


class Mediated:
    """One party of one mediated check.

    Args:
        own: what it brings.
        seen: hashes of the peer's HELLOs that served before.

    Raises:
        InvalidInputError: more cells than a list holds, or the mediator is one of the two.
    """

    def __init__(self, own: MediatedSide, *, seen: frozenset[bytes] = frozenset()) -> None:
        terms = own.hello.terms
        fullest = max(len(own.cells), len(own.widened))
        if fullest > terms.bucket:
            raise InvalidInputError(
                "the plan fills more cells than the agreed lists hold",
                given=f"{fullest:,} cells",
                expected=f"at most {terms.bucket:,}",
                remedy="agree on longer lists, or on a coarser grid: it is NOT CHECKED",
            )
        if terms.mediator == own.hello.party:
            raise InvalidInputError(
                "a party cannot mediate its own check",
                given=terms.mediator,
                expected="a third party: two alone would learn more than a count",
            )
        self._own, self._terms, self._seen = own, terms, seen
        self._peer: MediatedHello | None = None
        self._session = b""
        self._key = b""
        self._submitted: Submitted | None = None
        self._answer: Mediation | None = None
        self._told: tuple[int, int] | None = None
        self._confirmed = False
        self._reason: str | None = None

    # ---- what is known -------------------------------------------------------------------------

    @property
    def finding(self) -> MediatedFinding:
        """What is found so far."""
        if self._told is None or not self._confirmed or self._reason:
            return MediatedFinding(Outcome.NOT_CHECKED, whole=False, reason=self._reason)
        outcome = Outcome.HIT if any(self._told) else Outcome.NO_HIT
        if self._terms.mode is MediatedMode.YES_NO:
            return MediatedFinding(outcome, whole=True)
        return MediatedFinding(outcome, True, *self._told)

    @property
    def ended(self) -> bool:
        """True exactly when nothing more is said or heard."""
        return self._reason is not None or self.finding.whole

    # ---- what is said and heard ----------------------------------------------------------------

    def begin(self) -> bytes:
        """Say HELLO to the peer; its exact bytes."""
        return self._own.hello.data

    def hear_hello(self, data: bytes) -> Submitted:
        """Take the peer's HELLO; return what goes to the mediator, **and to nobody else**.

        Raises:
            CheckRefusedError, InvalidDocumentError, NotCanonicalError: it is not what was agreed.
                The check has ended then.
        """
        with _Ending(self):
            if self._peer is not None:
                raise CheckRefusedError("HELLO is not due again", reason="OUT_OF_TURN")
            own, peer = self._own.hello, read_mediated_hello(data)
            self._require_agreed(own, peer)
            self._peer = peer
            self._session = mediated_session_id(own, peer)
            self._key = _shared_key(self._own.seed, bytes.fromhex(peer.key), self._session)
            terms = self._terms
            lists = b"".join(self._list(run) for run in range(terms.runs))
            submission = Submission(
                v=1,
                session=self._session.hex(),
                party=own.party,
                peer=peer.party,
                mediator=terms.mediator,
                mode=terms.mode,
                runs=terms.runs,
                bucket=terms.bucket,
                lists=hashlib.sha256(lists).hexdigest(),
            )
            self._submitted = Submitted(submission, lists)
            return self._submitted

    def hear_answer(self, data: bytes) -> bytes:
        """Take the mediator's answer, its signature checked before; return its hash for the peer.

        Raises:
            CheckRefusedError, InvalidDocumentError, NotCanonicalError: it answers something else,
                or it lies about a run of dummies: ``MEDIATOR_LIED``. The check has ended then; the
                signed answer, plans and seeds are the proof.
        """
        with _Ending(self):
            if self._submitted is None or self._answer is not None:
                raise CheckRefusedError("the answer is not due", reason="OUT_OF_TURN")
            answer = read_mediation(data)
            self._require_about_this(answer, self._submitted.submission)
            self._told = self._believed(answer)
            self._answer = answer
            return hashlib.sha256(data).digest()

    def hear_peers(self, answer_hash: bytes) -> None:
        """Take which answer the peer heard.

        Raises:
            CheckRefusedError: another one: the mediator said two things. Both are the proof.
        """
        with _Ending(self):
            if self._answer is None or self._confirmed:
                raise CheckRefusedError("that is not due", reason="OUT_OF_TURN")
            if not hmac.compare_digest(hashlib.sha256(self._answer.data).digest(), answer_hash):
                raise CheckRefusedError(
                    "the mediator did not say the same to both", reason="OTHER_ANSWER"
                )
            self._confirmed = True

    def abort(self, reason: str) -> None:
        """End the check: it is NOT CHECKED."""
        if not self.ended:
            self._reason = reason
        self._key = b""

    # ---- what is agreed ------------------------------------------------------------------------

    def _require_agreed(self, own: MediatedHello, peer: MediatedHello) -> None:
        if peer.terms != own.terms:
            other = peer.terms.grid != own.terms.grid
            raise CheckRefusedError(
                "the peer agreed to something else",
                reason="OTHER_GRID" if other else "OTHER_SHAPE",
                given=str(peer.terms)[:200],
                expected=str(own.terms)[:200],
            )
        if peer.party == own.terms.mediator:
            raise CheckRefusedError("the mediator is one of the two", reason="OTHER_SHAPE")
        if peer.party == own.party or peer.key == own.key or peer.hash in self._seen:
            raise CheckRefusedError("this HELLO has served before", reason="REPLAYED_HELLO")

    def _require_about_this(self, answer: Mediation, own: Submission) -> None:
        peer = own.peer
        if (
            (answer.session, answer.mediator, answer.mode) != (own.session, own.mediator, own.mode)
            or answer.submissions.get(own.party) != own.hash.hex()
            or set(answer.submissions) != {own.party, peer}
            or len(answer.answers) != own.runs
        ):
            raise CheckRefusedError(
                "the answer is about something else than what was sent", reason="OTHER_TRANSCRIPT"
            )

    def _believed(self, answer: Mediation) -> tuple[int, int]:
        """Return the answers of the two runs that are meant, if those of all others are right."""
        told = {}
        for run, said in enumerate(answer.answers):
            kind, shared = self._kind(run)
            if kind != _TEST:
                most = len(self._own.cells if kind == _OWN else self._own.widened)
                told[kind] = said
                lies = said > (most if answer.mode is MediatedMode.COUNT else 1)
            else:
                lies = said != (shared if answer.mode is MediatedMode.COUNT else min(shared, 1))
            if lies:
                raise CheckRefusedError(
                    "the mediator lied about a run of which the answer is known",
                    reason="MEDIATOR_LIED",
                )
        return told[_OWN], told[_WIDENED]

    # ---- the lists -----------------------------------------------------------------------------

    def _kind(self, run: int) -> tuple[str, int]:
        """Return what a run is, and how many dummies of it are shared."""
        runs = self._terms.runs
        order = sorted(range(runs), key=lambda place: self._derived("order", place))
        place = order[run]
        if place < _REAL:
            # The first direction asks about the cells of the side with the lower HELLO hash.
            first = self._peer is not None and self._own.hello.hash < self._peer.hash
            return (_OWN if first == (place == 0) else _WIDENED), 0
        # Half of the others overlap, in sizes that a plan may have too.
        drawn = self._derived("shared", place)
        if place % 2:
            return _TEST, 0
        scale = int.from_bytes(drawn[:8]) % (self._terms.bucket.bit_length() - 1)
        return _TEST, 1 + int.from_bytes(drawn[8:]) % (1 << scale)

    def _list(self, run: int) -> bytes:
        kind, shared = self._kind(run)
        key = self._derived("run", run)
        if kind == _TEST:
            inputs: Iterable[bytes] = (b"shared" + n.to_bytes(4) for n in range(shared))
        else:
            held = self._own.cells if kind == _OWN else self._own.widened
            inputs = (b"cell" + cell for cell in held)
        tags = {
            hashlib.blake2b(each, key=key, digest_size=MEDIATED_TAG).digest() for each in inputs
        }
        for pad in self._pads(run):
            if len(tags) == self._terms.bucket:
                break
            tags.add(pad)
        return _ascending(tags)

    def _pads(self, run: int) -> Iterator[bytes]:
        """Yield dummies that nobody shares: from the own seed, which the peer lacks."""
        bucket = self._terms.bucket
        drawn = hashlib.shake_256(
            b"deconflict/1 sealed mediated pad\n" + self._own.seed + self._session + run.to_bytes(4)
        ).digest(2 * bucket * MEDIATED_TAG)
        return (drawn[at : at + MEDIATED_TAG] for at in range(0, len(drawn), MEDIATED_TAG))

    def _derived(self, label: str, number: int) -> bytes:
        message = b"deconflict/1 sealed mediated " + label.encode() + b"\n" + number.to_bytes(4)
        return hashlib.blake2b(message, key=self._key, digest_size=32).digest()


def _ascending(tags: Iterable[bytes]) -> bytes:
    """Return tags one behind the other, ascending.

    The same as sorting them as bytes, which would keep all else in the process waiting.
    """
    halves = np.frombuffer(b"".join(tags), dtype=">u8").reshape(-1, 2)
    return bytes(halves[np.lexsort((halves[:, 1], halves[:, 0]))].tobytes())


class _Ending:
    """Ends a check at the first error, so that nobody goes on after one."""

    def __init__(self, check: Mediated) -> None:
        self._check = check

    def __enter__(self) -> None:
        if self._check.ended:
            raise CheckRefusedError("the check has ended", reason="ENDED")

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, CheckRefusedError):
            self._check.abort(error.reason)
        elif isinstance(error, DeconflictError):
            self._check.abort("MALFORMED")


def _private(seed: bytes) -> X25519PrivateKey:
    if len(seed) != 32:
        raise InvalidInputError(
            "the seed has another length", given=f"{len(seed)} bytes", expected="32 bytes"
        )
    drawn = hashlib.sha512(b"deconflict/1 sealed mediated x25519\n" + seed).digest()
    return X25519PrivateKey.from_private_bytes(drawn[:32])


def _shared_key(seed: bytes, peer: bytes, session: bytes) -> bytes:
    try:
        shared = _private(seed).exchange(X25519PublicKey.from_public_bytes(peer))
    except ValueError as error:  # of small order: everybody would know the key
        raise CheckRefusedError("the peer's key is none", reason="BAD_KEY") from error
    made = hashlib.sha512(b"deconflict/1 sealed mediated key\n" + session + shared)
    return made.digest()[:32]
