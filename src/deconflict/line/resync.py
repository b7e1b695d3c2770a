"""Re-synchronisation: what a party asks whose record may be older than what it said or heard.

A chain has two roles, and a restored party plays one in each chain of the line::

    author    mute: signs nothing. Asks the peer what it holds in its name, takes all of it (each
              entry carries its own signature), opens a fresh epoch behind it, and says again, in
              that epoch, what the peer does not hold.
    listener  deaf: logs nothing, receipts nothing. Asks the peer to say its chain again.

The author goes first, on both sides: a deaf listener answers an author (and that answer is no
receipt), a mute author does not answer a listener. An answer counts for the question of its nonce
alone, and a deaf listener that answers an author asks its own question anew, for what that author
said before, it may have said before its own restore. All of it is ``model/Restore.tla``.

Sans-I/O. Packets: ``specs/packets.md`` §7; rules: ``specs/envelope.md`` §9.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol

from deconflict.errors import BrokenChainError, ForkedChainError, WrongLineError, WrongSenderError
from deconflict.line.envelope import GENESIS, Envelope, SealedEnvelope, open_envelope
from deconflict.line.epoch import opening_of
from deconflict.line.key_ring import KeyRing
from deconflict.line.keys import RandomBytes, VerifyKey
from deconflict.line.moment import Now
from deconflict.line.packets import Answer, Question, Role
from deconflict.line.receipt import SealedReceipt
from deconflict.line.statement import ChainPoint

__all__ = [
    "ANSWER_ENTRIES",
    "WHOLE",
    "Agreed",
    "ChainReader",
    "MuteReason",
    "Resync",
    "Silence",
    "lacking",
    "lacks_heard",
    "last_shared",
    "read_answer",
    "silence_at_start",
]

ANSWER_ENTRIES: Final = 128
_ANSWER_BYTES: Final = 1_024 * 1_024
_ASK_AGAIN_MS: Final = 1_000
# An author whose EPOCH is refused opens another. One that a peer refuses again and again is to
# fill nobody's disk with them.
_REFUSED_PAUSES_MS: Final = (0, 1_000, 5_000, 30_000, 300_000)


class MuteReason(StrEnum):
    """Why a node does not speak on a line."""

    NO_GUARD = "NO_GUARD"  # the guard is missing, and the record need not be new
    GUARD_DAMAGED = "GUARD_DAMAGED"
    OTHER_GUARD = "OTHER_GUARD"  # it guards the record of another node
    OTHER_RUN = "OTHER_RUN"  # record and guard were not left by one and the same run of the node
    RECORD_BEHIND = "RECORD_BEHIND"  # the record lacks what the guard says was signed
    GUARD_BEHIND = "GUARD_BEHIND"  # the record holds what was signed after the guard was written
    EPOCH_REFUSED = "EPOCH_REFUSED"  # the peer's log had moved on behind what the epoch followed
    KEY_CHANGED = "KEY_CHANGED"  # nothing is lost: a fresh epoch is to bring another key in force
    PEER_HOLDS_MORE = "PEER_HOLDS_MORE"  # than record and guard know of: both are of one copy
    NOT_ASKED = "NOT_ASKED"  # the peer did not answer after the start, and somebody had to speak


@dataclass(frozen=True, slots=True)
class Silence:
    """As what a party does not speak on a line until it is whole again.

    Attributes:
        mute: its record may lack what it signed: it signs nothing.
        deaf: it may lack what it receipted: it logs and receipts nothing.
        reason: why; None where it is neither.
        refused: how many fresh epochs the peer has refused, one after the other.
        key_refused: whether the peer takes no other key of ours: it has no root of ours to ask.
        unasked: nothing speaks against record and guard, but both may be of one copy: as the author
            it signs nothing before the peer was asked. It hears meanwhile.
        unheard: the same of what it receipted; it speaks and hears meanwhile.
    """

    mute: bool = False
    deaf: bool = False
    reason: MuteReason | None = None
    refused: int = 0
    key_refused: bool = False
    unasked: bool = False
    unheard: bool = False


WHOLE: Final = Silence()


def silence_at_start(
    head: ChainPoint | None, *, mute: MuteReason | None = None, deaf: MuteReason | None = None
) -> Silence:
    """Return what a party must not do that has just started.

    Args:
        head: the last entry of its own chain. Where there is none it may speak at once: the epoch
            of its first entry is drawn then, so no slot can be signed twice.
        mute: why its record may lack what it signed, as the guard shows; None: it shows nothing.
        deaf: the same of what it receipted.
    """
    return Silence(
        mute=mute is not None,
        deaf=deaf is not None,
        reason=mute or deaf,
        unasked=mute is None and head is not None,
        unheard=deaf is None,
    )


class ChainReader(Protocol):
    """One chain as it is durable here, on the way from its first entry to its head."""

    def holds(self, point: ChainPoint) -> bool:
        """True exactly when this very entry stands on that way."""

    def after(self, point: ChainPoint | None) -> Iterable[SealedEnvelope]:
        """Yield what stands behind an entry that is held, in order; None begins at the first."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the peer holds of the own chain, and what follows from it.

    Attributes:
        follows: the last entry that both hold: the new epoch stands behind it.
        held: the own entries that the peer holds behind the last receipted one, each with its own
            signature; those that the record lacks are to be put into it.
        receipt: the peer's receipt for them; None from a deaf peer.
        from_first: the peer's log of it goes another way than the record from some entry on, and
            ``held`` is all that it holds, not only what stands behind the last receipted one.
    """

    follows: ChainPoint | None
    held: tuple[tuple[Envelope, SealedEnvelope], ...]
    receipt: SealedReceipt | None
    from_first: bool = False


def read_answer(
    question: Question,
    chain: ChainReader,
    *,
    head: ChainPoint | None,
    deaf: bool,
    receipt: SealedReceipt | None,
) -> Answer:
    """Return what a question is answered with.

    Args:
        question: the peer's.
        chain: that it asks about.
        head: how far that chain is durable here, and signed.
        deaf: this node may have lost part of it, so the answer promises nothing.
        receipt: the last one for that chain, whoever signed it.
    """
    after = question.after
    begins = after is None or chain.holds(after)
    entries: list[SealedEnvelope] = []
    size = 0
    if begins and head is not None and head != after:
        for sealed in chain.after(after):
            size += len(sealed.data)
            if entries and (len(entries) == ANSWER_ENTRIES or size > _ANSWER_BYTES):
                break
            entries.append(sealed)
            if sealed.hash == head.hash:
                break
    return Answer(
        line=question.line,
        role=question.role,
        nonce=question.nonce,
        deaf=deaf,
        begins=begins,
        head=head,
        entries=tuple(entries),
        receipt=None if deaf else receipt,
    )


@dataclass(slots=True)
class _Asked:
    nonce: str
    after: ChainPoint | None
    due_ms: int


class Resync:
    """What one end of a line asks until it is whole again.

    Args:
        line: the line.
        own: this party.
        peer: the other.
        own_ring: this party's keys, as its record has them; taken further by what the peer shows.
        own_public: those whose secret half is here, by key id.
        random_bytes: for nonces.
        silence: what is to be made whole.
    """

    def __init__(
        self,
        *,
        line: str,
        own: str,
        peer: str,
        own_ring: KeyRing,
        own_public: Mapping[str, VerifyKey],
        random_bytes: RandomBytes,
        silence: Silence,
    ) -> None:
        self._line: Final = line
        self._own: Final = own
        self._peer: Final = peer
        self._own_ring: Final = own_ring
        self._own_keys: Final = {**own_public, **own_ring.ever}
        self._random_bytes: Final = random_bytes
        self.silence = silence
        self._asked: dict[Role, _Asked] = {}
        self._held: list[tuple[Envelope, SealedEnvelope]] = []
        self._from_first = False  # the peer's log does not lead to what it receipted last
        self._not_before_ms = 0
        self._done = False

    @property
    def whole(self) -> bool:
        """True exactly when nothing is to be asked, and the line is not about to begin anew."""
        return not (self.mute or self.deaf or self._done)

    @property
    def mute(self) -> bool:
        """True exactly when this party signs nothing."""
        return self.silence.mute

    @property
    def unasked(self) -> bool:
        """True exactly when this party has not yet asked, since its start, what it has signed."""
        return self.silence.unasked

    def compare(self, missing: Sequence[tuple[Envelope, SealedEnvelope]]) -> None:
        """Speak, or be what a restored party is, by what the peer holds and the record lacks."""
        if missing:
            self.found_old(author=True)
            return
        if not self.mute:  # else it opens a fresh epoch all the same: for another key
            self._done, self._held = False, []
        self.silence = replace(self.silence, unasked=False)

    def heard_all(self) -> None:
        """Leave it at that: this party receipted nothing that its record lacks."""
        self.silence = replace(self.silence, unheard=False)

    def found_old(self, *, author: bool) -> None:
        """Be what a restored party is: the peer showed what record and guard both lack."""
        self.silence = Silence(
            mute=author,
            deaf=True,
            reason=MuteReason.PEER_HOLDS_MORE,
            refused=self.silence.refused,
            key_refused=self.silence.key_refused,
        )

    def speak_alone(self) -> None:
        """Be mute until a fresh epoch is opened: the peer was not reached, and one must speak."""
        self.silence = replace(
            self.silence,
            mute=True,
            unasked=False,
            reason=self.silence.reason or MuteReason.NOT_ASKED,
        )

    @property
    def deaf(self) -> bool:
        """True exactly when this party logs and receipts nothing."""
        return self.silence.deaf

    def refused(self, now: Now, *, key: bool = False) -> None:
        """Fall silent as the author: the peer cannot log the epoch opened last.

        Args:
            now: the present.
            key: it refused the key that the epoch was to bring; the next one brings none.
        """
        before = self.silence.refused
        pause_ms = _REFUSED_PAUSES_MS[min(before, len(_REFUSED_PAUSES_MS) - 1)]
        self._not_before_ms = now.monotonic_ms + pause_ms
        self.silence = Silence(
            mute=True,
            deaf=self.deaf,
            reason=MuteReason.EPOCH_REFUSED,
            refused=before + 1,
            key_refused=key or self.silence.key_refused,
            unheard=self.silence.unheard,
        )
        self._held = []
        self._asked.pop(Role.AUTHOR, None)

    def change_key(self) -> None:
        """Fall silent as the author, for another key is to be brought in force."""
        self.silence = replace(self.silence, mute=True, reason=MuteReason.KEY_CHANGED)
        self._held = []
        self._asked.pop(Role.AUTHOR, None)

    @property
    def changing_key(self) -> bool:
        """True exactly when it is silent for a change of key alone, and lacks nothing."""
        return self.silence.reason is MuteReason.KEY_CHANGED

    @property
    def holds_up(self) -> bool:
        """True exactly when what is to be said on the line has something to wait for."""
        return self.mute or self.unasked or self.closing or self.changing_key

    def keep_key(self) -> None:
        """Speak again with the key in force; the change is taken up at another time."""
        self.silence = replace(self.after_author(), unasked=self.silence.unasked)
        self._asked.pop(Role.AUTHOR, None)

    def after_author(self) -> Silence:
        """Return what is left once a fresh epoch is durable."""
        silence = self.silence
        reason = silence.reason if silence.deaf else None
        return replace(silence, mute=False, unasked=False, reason=reason)

    def after_listener(self) -> Silence:
        """Return what is left once all that the peer said is durable."""
        return replace(self.silence, mute=False, deaf=False, reason=None)

    @property
    def closing(self) -> bool:
        """True exactly when what the line begins anew from is on its way to the disk."""
        return self._done

    def close(self) -> None:
        """Ask nothing more: what the line begins anew from is on its way to the disk."""
        self._done = True

    @property
    def _role(self) -> Role | None:
        # The author first. What the peer says cites the own chain, and is judged by it.
        if self._done:
            return None
        if self.mute or self.unasked:
            return Role.AUTHOR
        return Role.LISTENER if self.deaf or self.silence.unheard else None

    def next_ms(self) -> int | None:
        """Return the monotonic time of the next question; None when there is none to ask."""
        role = self._role
        if role is None:
            return None
        asked = self._asked.get(role)
        return max(self._not_before_ms, 0 if asked is None else asked.due_ms)

    def due(self, after: ChainPoint | None, heard: ChainPoint | None, now: Now) -> Question | None:
        """Return the question to be sent now; None when none is due.

        Args:
            after: the last own entry that the peer receipted.
            heard: the last entry of the peer that is durable here.
            now: the present.
        """
        role, due_ms = self._role, self.next_ms()
        if role is None or due_ms is None or due_ms > now.monotonic_ms:
            return None
        begin = heard
        if role is Role.AUTHOR:
            behind = None if self._from_first else after
            begin = _point(*self._held[-1]) if self._held else behind
        # Fresh each time it is asked: an answer to what was asked before a restart, or before the
        # peer's own restore, must not count.
        nonce = self._random_bytes(16).hex()
        self._asked[role] = _Asked(nonce, begin, now.monotonic_ms + _ASK_AGAIN_MS)
        return Question(line=self._line, role=role, nonce=nonce, after=begin)

    def void(self) -> None:
        """Forget what was asked as the listener: an author asked, so it may have been restored."""
        self._asked.pop(Role.LISTENER, None)

    def counts(self, answer: Answer) -> bool:
        """True exactly when an answer is to the question asked last in its role."""
        asked = self._asked.get(answer.role)
        return (
            answer.line == self._line
            and self._role is answer.role
            and asked is not None
            and asked.nonce == answer.nonce
        )

    def hear_held(
        self,
        answer: Answer,
        receipted: ChainPoint | None,
        holds: Callable[[ChainPoint], bool],
    ) -> Agreed | None:
        """Take what the peer holds of the own chain; None when that is not all of it yet.

        Args:
            answer: to the last question; see :meth:`counts`.
            receipted: the last own entry that the peer receipted, as the record has it.
            holds: whether an own entry stands on the way here.

        Raises:
            VerificationError: what it shows was not signed by this node, or does not follow.
        """
        asked = self._asked.pop(Role.AUTHOR)
        if not answer.begins:
            if self._held:  # it held that much a moment ago, and was restored meanwhile
                self._held = []
                return None
            if answer.head is not None and not holds(answer.head):
                # Its log leads where this node went in a life that the record lost, or left behind,
                # past what is receipted here: only from the first entry on can it be followed.
                self._from_first = True
                return None
            # It holds less than it receipted. What is receipted stays in the chain, whatever the
            # peer says now; it takes the rest from here as a listener.
            self._done = True
            return Agreed(receipted, (), None)
        last = asked.after
        for sealed in answer.entries:
            envelope = self._opened(sealed)
            _require_next(last, envelope, sealed)
            last = ChainPoint(envelope.epoch, envelope.seq, sealed.hash)
            self._held.append((envelope, sealed))
        if last != answer.head:
            if not answer.entries:
                self._held = []
                raise BrokenChainError(
                    "the peer says that it holds more of this node's log than it shows",
                    given=f"up to {_text(last)}",
                    expected=_text(answer.head),
                    remedy="ask the peer by voice; this node asks again",
                )
            return None
        self._done = True
        held, self._held = tuple(self._held), []
        from_first, self._from_first = self._from_first, False
        return Agreed(answer.head, held, answer.receipt, from_first)

    def _opened(self, sealed: SealedEnvelope) -> Envelope:
        envelope = open_envelope(sealed, self._own_keys)
        if envelope.line != self._line:
            raise WrongLineError(
                "what the peer holds is of another line", given=envelope.line, expected=self._line
            )
        if (envelope.sender.party, envelope.to.party) != (self._own, self._peer):
            raise WrongSenderError(
                "what the peer holds was not said by this node to it",
                given=f"from {envelope.sender.party} to {envelope.to.party}",
                expected=f"from {self._own} to {self._peer}",
            )
        self._own_ring.take(envelope, sealed.signature.key_id)
        return envelope


def lacking(
    held: Sequence[tuple[Envelope, SealedEnvelope]],
    stored_hash: Callable[[str, int], str | None],
) -> tuple[tuple[Envelope, SealedEnvelope], ...]:
    """Return those of the own entries a peer holds that the record lacks.

    Raises:
        ForkedChainError: the record has another entry in the slot of one. This node signed both,
            or somebody else has its key: it must not speak.
    """
    missing = []
    for envelope, sealed in held:
        known = stored_hash(envelope.epoch, envelope.seq)
        if known is None:
            missing.append((envelope, sealed))
        elif known != sealed.hash:
            raise ForkedChainError(
                "the peer holds a message in this node's name that is not the one recorded here",
                given=f"slot {envelope.seq}: {sealed.hash[:16]}…",
                expected=f"{known[:16]}…",
                remedy="stop the node: its key or a copy of its record is in use elsewhere",
                evidence=(sealed,),
            )
    return tuple(missing)


def lacks_heard(
    said: Iterable[tuple[Envelope, SealedEnvelope]], holds: Callable[[ChainPoint], bool]
) -> bool:
    """True exactly when own entries say of some of the peer's that they are logged, and it is not.

    What an entry says it heard is a receipt. So the record is older than what it receipted.
    """
    return any(envelope.heard is not None and not holds(envelope.heard) for envelope, _ in said)


def last_shared(agreed: Agreed, chain: ChainReader) -> ChainPoint | None:
    """Return the last of what the peer holds that stands on the way here too; None for none.

    Args:
        agreed: what it holds from the first entry on.
        chain: the own one, without what is put into it now.
    """
    shared = None
    for envelope, sealed in agreed.held:
        point = _point(envelope, sealed)
        if not chain.holds(point):
            break
        shared = point
    return shared


def _point(envelope: Envelope, sealed: SealedEnvelope) -> ChainPoint:
    return ChainPoint(envelope.epoch, envelope.seq, sealed.hash)


def _require_next(last: ChainPoint | None, envelope: Envelope, sealed: SealedEnvelope) -> None:
    opening = opening_of(envelope)
    if opening is not None:
        follows = opening.follows == last and envelope.prev == GENESIS
    elif last is None:
        follows = envelope.seq == 1 and envelope.prev == GENESIS
    else:
        follows = (envelope.epoch, envelope.seq, envelope.prev) == (
            last.epoch,
            last.seq + 1,
            last.hash,
        )
    if not follows:
        raise BrokenChainError(
            "what the peer holds in this node's name does not follow",
            given=f"slot {envelope.seq}",
            expected=f"behind {_text(last)}",
            remedy="ask the peer by voice; this node asks again",
            evidence=(sealed,),
        )


def _text(point: ChainPoint | None) -> str:
    return "nothing" if point is None else f"slot {point.seq} of epoch {point.epoch[:8]}…"
