"""One run of a private check as a verified record has it, and what an arbiter finds in it.

Pure: entries, terms and parts of a proven bundle in, what was said otherwise than it had to be out.
What is audited is the side that gave plan and seed; the other's steps are what it answered to.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from deconflict.errors import (
    InvalidDocumentError,
    InvalidInputError,
    NotFoundError,
)
from deconflict.line.envelope import Envelope
from deconflict.messages.body import Body
from deconflict.messages.kinds import Kind
from deconflict.messages.private_bodies import (
    PrivateAccept,
    PrivateCoin,
    PrivateEnd,
    PrivatePropose,
    PrivateStep,
)
from deconflict.messages.private_terms import PrivateCheckTerms
from deconflict.messages.wire_form import Hash, Name
from deconflict.node.logged import read_body
from deconflict.node.private.recorded_modes import MadeAgain, Mode, Secret, Warned, mode_of
from deconflict.node.private.recorded_side import RecordedSide, step_name
from deconflict.node.private.run import MOST_STEPS
from deconflict.sealed.coin import picked

__all__ = [
    "CHECK_KINDS",
    "AuditedRun",
    "OpenedRun",
    "RecordedRun",
    "Verdict",
    "read_opened",
]

CHECK_KINDS: Final[frozenset[str]] = frozenset(
    (
        Kind.PRIVATE_PROPOSE,
        Kind.PRIVATE_ACCEPT,
        Kind.PRIVATE_STEP,
        Kind.PRIVATE_COIN,
        Kind.PRIVATE_END,
    )
)


class OpenedRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a party wrote of a run for the arbiter, but for its plan. Never shown.

    Attributes:
        party: who.
        proposal: hash of the PRIVATE_PROPOSE.
        run: which of its runs.
        seed, coin: 64 hex digits each.
    """

    party: Name
    proposal: Hash
    run: int
    seed: Hash
    coin: Hash

    def __repr__(self) -> str:
        """Say of which run it is, and nothing of it."""
        return f"OpenedRun({self.party!r}, {self.proposal[:16]!r}, {self.run}, ...)"


def read_opened(data: bytes) -> OpenedRun:
    """Return what a party wrote of a run.

    Raises:
        InvalidDocumentError: it is not that.
    """
    try:
        return msgspec.json.decode(data, type=OpenedRun)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # Without the words of the decoder, which would show what it read.
        raise InvalidDocumentError(
            "this is no seed of a run of a private check",
            expected="the file that `deconflict private open` wrote",
        ) from None


class Verdict(StrEnum):
    """What came of an audit."""

    FOLLOWS = "FOLLOWS"  # all that it said follows from what it opened
    DEVIATES = "DEVIATES"  # something that it said does not
    NOT_AUDITED = "NOT_AUDITED"  # the record does not hold what it takes; nobody is cleared


@dataclass(frozen=True, slots=True)
class AuditedRun:
    """What an arbiter found in a run.

    Attributes:
        party: who was audited.
        peer: the other side.
        proposal: the check.
        run: which of its runs.
        verdict: of the party.
        deviates: at which step, and how; None where it does not.
        because: why it was not audited; None where it was.
        steps: how many it said.
        outcome: what the check had to show it by all that the record has: HIT, NO_HIT or
            NOT_CHECKED; None where that cannot be computed.
        hits: how many of its cells were hit.
        peer_deviates: what the other side said that had to be refused; None for nothing. That the
            rest of it follows from its plan, only its own plan and seed show.
        ended: who ended it before its end, each with the reason.
        missing: parts of steps that the record does not hold.
        picked: whether both coins pick it to be opened; None where they do not tell.
        mode: MUTUAL or SITES.
        protector: whose sites were asked about; None in a mutual check.
        warned: of sites, what the run had to tell the planner that was audited.
        sites: how many sites the protector that was audited opened, decoys not among them.
        decoys: how many decoys.
    """

    party: str
    peer: str
    proposal: str
    run: int
    verdict: Verdict
    deviates: str | None
    because: str | None
    steps: int
    outcome: str | None
    hits: int
    peer_deviates: str | None
    ended: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    picked: bool | None
    mode: str
    protector: str | None
    warned: tuple[Warned, ...]
    sites: int | None
    decoys: int | None


class RecordedRun:
    """Looks at the entries of a record while it is verified, for one run.

    Args:
        opened: what a party gave of it.
        held: the canonical bytes of its plan, or of its list of sites.
    """

    def __init__(self, opened: OpenedRun, held: bytes) -> None:
        self._opened = opened
        self._held = held
        self._proposed: tuple[Envelope, PrivatePropose] | None = None
        self._about: list[tuple[Envelope, Body]] = []  # in the order of each chain
        # By party and whether of an exercise: a whole run has one less, so that what is too many
        # shows. Said again is not said anew: nobody hides a step behind repetitions.
        self._steps: defaultdict[tuple[str, bool], set[tuple[str, int, str]]] = defaultdict(set)

    def look(self, envelope: Envelope, message_hash: str, late: bool) -> None:
        """Take one entry of a chain whose signature and place hold."""
        if late or envelope.kind not in CHECK_KINDS:
            return  # what came too late counted for nobody
        if self._opened.proposal not in (message_hash, envelope.ref):
            return
        body = read_body(envelope)
        if message_hash == self._opened.proposal:
            if isinstance(body, PrivatePropose):
                self._proposed = (envelope, body)
        elif isinstance(body, PrivateStep | PrivateCoin) and body.run != self._opened.run:
            return
        elif isinstance(body, PrivateStep):
            named = self._steps[envelope.sender.party, envelope.drill]
            name = (body.step.value, body.number, body.sha256)
            if name not in named and len(named) < MOST_STEPS:
                named.add(name)
                self._about.append((envelope, body))
        elif body is not None:
            self._about.append((envelope, body))

    def has_document(self, document: PrivateCheckTerms) -> bool:
        """True exactly when the check was proposed under this document."""
        return self._proposed is not None and self._proposed[1].grid == document.document_hash

    def require_there(self) -> None:
        """Return when the record has the run.

        Raises:
            NotFoundError: it has not, or the two did not agree to it.
        """
        self._require_run()

    def parts_wanted(self, document: PrivateCheckTerms) -> frozenset[str]:
        """Return the parts that the steps of the run name: of those as long as was agreed.

        Raises:
            NotFoundError: the record has no such run.
        """
        mode = self._mode(document)
        return frozenset(
            name
            for _, body in self._about
            if isinstance(body, PrivateStep) and not mode.is_false_length(body)
            for name in body.parts
        )

    def audited(
        self,
        document: PrivateCheckTerms,
        parts: Mapping[str, bytes],
        exported_utc: str,
    ) -> AuditedRun:
        """Return what is found.

        Args:
            document: of the check, from terms that both signed.
            parts: by their hash, as far as they are there.
            exported_utc: when the exporter says that it wrote the record.

        Raises:
            NotFoundError: the record has no such run.
        """
        mode = self._mode(document)
        (envelope, proposed), opened = self._require_run(), self._opened
        names = (envelope.sender.party, envelope.to.party)
        if opened.party not in names:
            raise NotFoundError(
                "who opened this run is not on the line",
                given=opened.party,
                expected=" or ".join(names),
            )
        (peer,) = (name for name in names if name != opened.party)
        own, theirs = (self._side(party, mode, parts) for party in (opened.party, peer))
        found = MadeAgain(None)
        if own.steps:
            secret = Secret(
                opened.party, self._held, bytes.fromhex(opened.seed), bytes.fromhex(opened.coin)
            )
            found = mode.made_again(own.steps, theirs.steps, secret, whole=not theirs.missing)
        missing = tuple(dict.fromkeys((*own.missing, *theirs.missing)))
        ended = tuple((side.party, why) for side in (own, theirs) for why in side.ends)
        deviates = _deviates(own, found)
        because = None if deviates else _because(own, found, missing, ended, exported_utc)
        stopped = found.unsaid and not ended and because is None
        deviates = deviates or (found.deviates if stopped else None)
        return AuditedRun(
            party=opened.party,
            peer=peer,
            proposal=opened.proposal,
            run=opened.run,
            verdict=_verdict(deviates, because),
            deviates=deviates,
            because=because,
            steps=len(own.steps),
            outcome=found.outcome,
            hits=found.hits,
            peer_deviates=theirs.false or found.refused or theirs.false_coin,
            ended=ended,
            missing=missing,
            picked=_picked(own, theirs, document.audit_per_mille),
            mode=proposed.mode.value,
            protector=None if proposed.sites is None else proposed.sites.protector,
            warned=found.warned,
            sites=found.sites,
            decoys=found.decoys,
        )

    # ---- inside --------------------------------------------------------------------------------

    def _require_run(self) -> tuple[Envelope, PrivatePropose]:
        opened, proposed = self._opened, self._proposed
        accepted = proposed is not None and any(
            isinstance(body, PrivateAccept) and envelope.sender.party != proposed[0].sender.party
            for envelope, body in self._about
        )
        if proposed is None or not accepted or not 0 <= opened.run < proposed[1].runs:
            raise NotFoundError(
                "this record has no such run of a private check that both agreed to",
                given=f"run {opened.run} of {opened.proposal[:16]}",
                remedy="take the record of the line on which it was run, exported after it",
            )
        if proposed[1].mediated is not None:
            raise NotFoundError(
                "a mediated check is not looked at by this command",
                given=opened.proposal[:16],
                expected="a mutual check: of a mediated one the record of the two lines with the "
                "mediator has what was sent, and this one none of it",
            )
        return proposed

    def _mode(self, document: PrivateCheckTerms) -> Mode:
        try:
            return mode_of(document, self._require_run()[1], self._opened.run)
        except InvalidInputError as error:
            raise NotFoundError(
                "no run of this check could be run", given=error.given, expected=error.expected
            ) from error

    def _side(self, party: str, mode: Mode, parts: Mapping[str, bytes]) -> RecordedSide:
        envelope, _ = self._require_run()
        side = RecordedSide(party, mode)
        stands = True  # until a step whose bytes nobody has
        for said, body in self._about:
            if said.sender.party != party or said.drill != envelope.drill:
                continue
            match body:
                case PrivateEnd():
                    if body.run in (None, self._opened.run):
                        side.ends.append(body.reason.value)
                case PrivateCoin() if mode.has_coins:
                    side.coin = side.coin or bytes.fromhex(body.coin)
                case PrivateStep():
                    if side.ends:
                        side.later = side.later or step_name(body)
                    elif stands:
                        stands = side.take(body, parts)
        return side


def _deviates(own: RecordedSide, found: MadeAgain) -> str | None:
    """Return what the side audited said that it must not have said, whatever is missing."""
    if own.hello is not None and own.hello.wrong:
        return own.hello.wrong
    if found.deviates and not found.unsaid:
        return found.deviates
    if own.false:
        return own.false
    if own.later:
        return f"it went on with {own.later} after it had ended the run"
    return own.false_coin


def _because(
    own: RecordedSide,
    found: MadeAgain,
    missing: tuple[str, ...],
    ended: tuple[tuple[str, str], ...],
    exported_utc: str,
) -> str | None:
    """Return why it cannot be said that a side followed its plan; None when it can."""
    if missing:
        return "the record lacks parts of steps"
    if not own.steps:
        return "it said no step of this run"
    hello = own.hello
    if found.unsaid and not ended and hello is not None and exported_utc <= hello.expires_utc:
        return "the run was not over when the record was exported"
    return None


def _verdict(deviates: str | None, because: str | None) -> Verdict:
    if deviates:
        return Verdict.DEVIATES
    return Verdict.NOT_AUDITED if because else Verdict.FOLLOWS


def _picked(own: RecordedSide, theirs: RecordedSide, per_mille: int) -> bool | None:
    halves = {
        side.hello.hash: side.coin
        for side in (own, theirs)
        if side.hello is not None and side.coin is not None and not side.coin_is_false
    }
    return picked(halves, per_mille) if len(halves) == len((own, theirs)) else None
