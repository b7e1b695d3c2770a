"""An activity against protected sites: neither is shown, and only the planner learns of a hit.

One direction of a private check, without slots. The protector shows its whole list first, as tags
that say nothing, so that it cannot fit the list to what is asked; the planner asks about exactly
as many squares as agreed and gets them with a proof that the one key was used. A square in both
has the same tag, and a secret behind the tag opens the label. The protector learns that something
was asked.

Decisions alone: steps in, steps out, all randomness from the seed. How much may be asked at all:
:mod:`.probing`; ask it before :meth:`Protector.hear`.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import lt
from typing import Final

from deconflict.errors import CheckRefusedError, DeconflictError
from deconflict.sealed.labels import close_label, open_label
from deconflict.sealed.oprf import (
    POINT_LENGTH,
    TAG_LENGTH,
    Evaluation,
    Question,
    Receiver,
    Sender,
    pad_tags,
)
from deconflict.sealed.session import Outcome
from deconflict.sealed.site_hello import SiteHello, SiteRole, read_site_hello, site_session_id
from deconflict.sealed.site_sides import (
    SITE_SLOT,
    PlannerSide,
    ProtectorSide,
    SiteStep,
    SiteStepKind,
    entry_length,
    step_length,
)
from deconflict.sealed.sites import site_canaries

__all__ = ["Planner", "Protector", "SiteFinding"]

_SECRET: Final = 64  # of each output: the tag, and behind it what opens the label
_PAD: Final = b"deconflict/1 sealed label pad\n"
_TRANSCRIPT: Final = b"deconflict/1 sealed sites transcript\n"


# ---- what both do alike ----------------------------------------------------------------------


class _Side(ABC):
    """Order, lengths, transcript and end: what is alike on both sides."""

    _order: tuple[tuple[SiteStepKind, bool], ...]  # steps, and whether they are the own ones

    def __init__(
        self, hello: SiteHello, seen: frozenset[bytes], keys: frozenset[str], threads: int | None
    ) -> None:
        self._hello, self._seen, self._keys, self._threads = hello, seen, keys, threads
        self._peer: SiteHello | None = None
        self._steps: dict[tuple[SiteStepKind, bool], bytes] = {}
        self._reason: str | None = None

    @property
    def reason(self) -> str | None:
        """Why it was broken off; None where it was not."""
        return self._reason

    @property
    def whole(self) -> bool:
        """True exactly when both sides said DONE over the same transcript."""
        done = (SiteStepKind.DONE, True) in self._steps and (
            SiteStepKind.DONE,
            False,
        ) in self._steps
        return done and self._reason is None

    @property
    def ended(self) -> bool:
        """True exactly when nothing more is said or heard."""
        return self._reason is not None or self.whole

    @property
    def transcript(self) -> bytes:
        """Hash of all that was said by both but for DONE; the same on both sides."""
        running = hashlib.sha256(_TRANSCRIPT)
        protects = self._hello.role is SiteRole.PROTECTOR
        for kind in SiteStepKind:
            for own in (protects, not protects):  # the protector's first
                data = self._steps.get((kind, own))
                if data is not None and kind is not SiteStepKind.DONE:
                    running.update(bytes([kind]) + hashlib.sha256(data).digest())
        return running.digest()

    def begin(self) -> SiteStep:
        """Say HELLO."""
        return self._say(SiteStepKind.HELLO, self._hello.data)

    def hear(self, step: SiteStep) -> tuple[SiteStep, ...]:
        """Take the peer's next step; return what is said upon it.

        Raises:
            CheckRefusedError, RefusedBatchError, InvalidDocumentError, NotCanonicalError: the step
                is not what was agreed or due. The check has ended then, and stays so.
        """
        if self.ended:
            raise CheckRefusedError("the check has ended", reason="ENDED")
        try:
            self._require_due(step)
            return tuple(self._heard(step))
        except CheckRefusedError as error:
            self.abort(error.reason)
            raise
        except DeconflictError:
            self.abort("MALFORMED")
            raise

    def abort(self, reason: str) -> None:
        """End the check: what was not found is NOT CHECKED."""
        if not self.ended:
            self._reason = reason
        self._forget()

    @abstractmethod
    def _heard(self, step: SiteStep) -> Iterator[SiteStep]:
        """Take a step that is due; yield what is said upon it."""

    @abstractmethod
    def _forget(self) -> None:
        """Let go of what only a running check needs."""

    def _say(self, kind: SiteStepKind, data: bytes) -> SiteStep:
        self._steps[kind, True] = data
        return SiteStep(kind, data)

    def _require_due(self, step: SiteStep) -> None:
        place = (step.kind, False)
        before = self._order[: self._order.index(place)] if place in self._order else None
        if before is None or place in self._steps or any(s not in self._steps for s in before):
            raise CheckRefusedError(f"{step.kind.name} is not due", reason="OUT_OF_TURN")
        due = step_length(step.kind, self._hello.shape)
        if due is not None and len(step.data) != due:
            raise CheckRefusedError(
                f"{step.kind.name} has another length than was agreed",
                reason="WRONG_LENGTH",
                given=f"{len(step.data):,} bytes",
                expected=f"{due:,} bytes",
            )

    def _hear_hello(self, data: bytes) -> SiteHello:
        own, peer = self._hello, read_site_hello(data)
        if peer.role is own.role:
            raise CheckRefusedError(
                "both sides have the same role", reason="OTHER_SHAPE", given=peer.role
            )
        if peer.shape != own.shape:
            other = peer.shape.grid != own.shape.grid
            raise CheckRefusedError(
                "the peer agreed to another grid or other lengths",
                reason="OTHER_GRID" if other else "OTHER_SHAPE",
            )
        if peer.hash in self._seen or peer.nonce == own.nonce or peer.party == own.party:
            raise CheckRefusedError("this HELLO has served before", reason="REPLAYED_HELLO")
        if peer.key in self._keys or peer.key == own.key:
            raise CheckRefusedError("the peer's key has served before", reason="KEY_REUSED")
        self._peer = peer
        self._steps[SiteStepKind.HELLO, False] = data
        return peer

    def _hear_done(self, data: bytes) -> None:
        if data != self.transcript:
            raise CheckRefusedError(
                "the two sides do not have the same transcript", reason="OTHER_TRANSCRIPT"
            )
        self._steps[SiteStepKind.DONE, False] = data


# ---- the protector ---------------------------------------------------------------------------


class Protector(_Side):
    """The side that holds the sites, in one check.

    Args:
        own: what it brings.
        seen: hashes of planners' HELLOs that served before.
        keys: public keys that the planner showed before.
        threads: of the kernel; None for one a processor.
    """

    _order = (
        (SiteStepKind.HELLO, True),
        (SiteStepKind.HELLO, False),
        (SiteStepKind.LIST, True),
        (SiteStepKind.POINTS, False),
        (SiteStepKind.EVALUATED, True),
        (SiteStepKind.DONE, False),
    )

    def __init__(
        self,
        own: ProtectorSide,
        *,
        seen: frozenset[bytes] = frozenset(),
        keys: frozenset[str] = frozenset(),
        threads: int | None = None,
    ) -> None:
        super().__init__(own.hello, seen, keys, threads)
        self._own = own
        self._sender: Sender | None = None
        self._ssid = b""

    def show(self) -> SiteStep:
        """Say the list, once the planner's HELLO was heard.

        Takes seconds, and how many depends on the list: work it out ahead, and let it leave when it
        is due and not when it is ready.

        Raises:
            CheckRefusedError: it is not due, or the kernel lost some of the tags.
        """
        if self._sender is None or self.ended or (SiteStepKind.LIST, True) in self._steps:
            raise CheckRefusedError("the list is not due", reason="OUT_OF_TURN")
        own, shape, length = self._own, self._own.hello.shape, _SECRET
        outputs = self._sender.outputs(own.cells, length=length, threads=self._threads)
        if len(outputs) != length * len(own.cells):
            self.abort("TAGS_LOST")
            raise CheckRefusedError(
                "the kernel gave another number of tags than there are squares",
                reason="TAGS_LOST",
            )
        entries = {}
        for at, (_, cell) in enumerate(own.cells):
            output = outputs[at * length : (at + 1) * length]
            closed = close_label(own.labels[cell], output, self._ssid, shape.label)
            entries[output[:TAG_LENGTH]] = closed
        for tag, pad in self._pads(shape.bucket - len(entries)):
            entries.setdefault(tag, pad)
        if len(entries) != shape.bucket:
            raise CheckRefusedError("two tags of the list are the same", reason="TAGS_LOST")
        return self._say(SiteStepKind.LIST, b"".join(tag + entries[tag] for tag in sorted(entries)))

    def _pads(self, count: int) -> Iterator[tuple[bytes, bytes]]:
        size = entry_length(self._own.hello.shape) - TAG_LENGTH
        tags = pad_tags(self._own.seed, self._ssid, count)
        labels = hashlib.shake_256(_PAD + self._own.seed + self._ssid).digest(count * size)
        for at in range(count):
            tag = tags[at * TAG_LENGTH : (at + 1) * TAG_LENGTH]
            yield tag, labels[at * size : (at + 1) * size]

    def _heard(self, step: SiteStep) -> Iterator[SiteStep]:
        match step.kind:
            case SiteStepKind.HELLO:
                planner = self._hear_hello(step.data)
                self._ssid = site_session_id(self._hello, planner)
                self._sender = Sender(self._own.seed, self._ssid)
            case SiteStepKind.POINTS if self._sender is not None:
                points = self._own.hello.shape.points
                answer = self._sender.evaluate(
                    (SITE_SLOT,), points, step.data, threads=self._threads
                )
                self._steps[step.kind, False] = step.data
                yield self._say(SiteStepKind.EVALUATED, answer.points + answer.proofs)
            case SiteStepKind.DONE:
                self._hear_done(step.data)
                yield self._say(SiteStepKind.DONE, self.transcript)

    def _forget(self) -> None:
        self._sender = None


# ---- the planner -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SiteFinding:
    """What a planner found, as far as it came.

    Attributes:
        outcome: HIT also of a check that was broken off after a hit; NO_HIT only of a whole one.
        whole: whether it came to its end on both sides.
        hits: own squares within the radius of a site, as ten bytes each, with what the protector
            says of the site; None where its words cannot be opened.
        reason: why it was broken off; None where it was not.
    """

    outcome: Outcome
    whole: bool
    hits: Mapping[bytes, str | None]
    reason: str | None = None


class Planner(_Side):
    """The side that asks, in one check.

    Args:
        own: what it brings.
        seen: hashes of protectors' HELLOs that served before.
        keys: public keys that the protector showed before.
        threads: of the kernel; None for one a processor.
    """

    _order = (
        (SiteStepKind.HELLO, True),
        (SiteStepKind.HELLO, False),
        (SiteStepKind.LIST, False),
        (SiteStepKind.POINTS, True),
        (SiteStepKind.EVALUATED, False),
        (SiteStepKind.DONE, True),
        (SiteStepKind.DONE, False),
    )

    def __init__(
        self,
        own: PlannerSide,
        *,
        seen: frozenset[bytes] = frozenset(),
        keys: frozenset[str] = frozenset(),
        threads: int | None = None,
    ) -> None:
        super().__init__(own.hello, seen, keys, threads)
        self._own = own
        self._ssid = b""
        self._asked: Question | None = None
        self._shown: dict[bytes, bytes] = {}
        self._hits: dict[bytes, str | None] = {}

    @property
    def finding(self) -> SiteFinding:
        """What is found so far."""
        if self._hits:
            outcome = Outcome.HIT
        else:
            outcome = Outcome.NO_HIT if self.whole else Outcome.NOT_CHECKED
        return SiteFinding(outcome, self.whole, dict(self._hits), self._reason)

    def _heard(self, step: SiteStep) -> Iterator[SiteStep]:
        match step.kind:
            case SiteStepKind.HELLO:
                protector = self._hear_hello(step.data)
                self._ssid = site_session_id(protector, self._hello)
            case SiteStepKind.LIST if self._peer is not None:
                self._shown = self._listed(step.data)
                receiver = Receiver(self._own.seed, self._ssid, bytes.fromhex(self._peer.key))
                points = self._hello.shape.points
                self._asked = receiver.ask(self._own.cells, points, threads=self._threads)
                self._steps[step.kind, False] = step.data
                yield self._say(SiteStepKind.POINTS, self._asked.points)
            case SiteStepKind.EVALUATED if self._asked is not None:
                self._compare(self._asked, step.data)
                self._steps[step.kind, False] = step.data
                yield self._say(SiteStepKind.DONE, self.transcript)
            case SiteStepKind.DONE:
                self._hear_done(step.data)

    def _listed(self, data: bytes) -> dict[bytes, bytes]:
        size = entry_length(self._hello.shape)
        found = [data[at : at + size] for at in range(0, len(data), size)]
        tags = [entry[:TAG_LENGTH] for entry in found]
        if not all(map(lt, tags, tags[1:])):
            raise CheckRefusedError(
                "the tags of the list are not in ascending order, each once",
                reason="UNSORTED_TAGS",
            )
        return {entry[:TAG_LENGTH]: entry[TAG_LENGTH:] for entry in found}

    def _compare(self, asked: Question, data: bytes) -> None:
        cut = POINT_LENGTH * self._hello.shape.points
        answer = Evaluation(data[:cut], data[cut:])
        outputs = asked.open(answer, length=_SECRET, threads=self._threads)
        if len(outputs) != _SECRET * len(self._own.cells):
            raise CheckRefusedError(
                "the kernel gave another number of tags than there are squares",
                reason="TAGS_LOST",
            )
        missing = set(site_canaries())
        unread = False
        for at, (_, cell) in enumerate(self._own.cells):
            output = outputs[at * _SECRET : (at + 1) * _SECRET]
            closed = self._shown.get(output[:TAG_LENGTH])
            if closed is None:
                continue
            if cell in missing:
                missing.discard(cell)
                continue
            label = open_label(closed, output, self._ssid)
            unread = unread or label is None
            self._hits[cell] = label
        if missing:
            raise CheckRefusedError(
                "a canary that both sides put in did not come back: tags were lost on the way",
                reason="CANARY_LOST",
            )
        if unread:
            raise CheckRefusedError(
                "what the protector says of a site cannot be opened", reason="BAD_LABEL"
            )

    def _forget(self) -> None:
        self._asked = None
        self._shown = {}
