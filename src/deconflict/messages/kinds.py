"""The kinds of message, and one table of what each demands.

``KINDS`` is the whole table; ``KIND_RULES`` is the part that the line needs, which knows nothing
of meanings. docs/reference/messages.md is made from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from deconflict.errors import InvalidDocumentError
from deconflict.line.delivery import KindRule
from deconflict.line.precedence import Precedence

__all__ = [
    "IN_EARNEST",
    "KINDS",
    "KIND_RULES",
    "NEVER_EXERCISE",
    "SAID_ALONE",
    "SAID_BY_NODES",
    "Kind",
    "KindForm",
    "Release",
    "check_reference",
    "ends_flash",
    "precedence_of_reply",
    "settles",
]


class Kind(StrEnum):
    """Every kind of message that travels on a line."""

    NOTIFY = "NOTIFY"
    UPDATE = "UPDATE"
    CORRECTION = "CORRECTION"
    CANCEL = "CANCEL"
    ACK = "ACK"
    READBACK = "READBACK"
    READBACK_RESULT = "READBACK_RESULT"
    CONCERN = "CONCERN"
    PROPOSE = "PROPOSE"
    QUERY = "QUERY"
    ANSWER = "ANSWER"
    SAFETY = "SAFETY"
    CEASE = "CEASE"
    CEASED = "CEASED"
    CONTINUING = "CONTINUING"
    CANNOT_REACH = "CANNOT_REACH"
    LINE_CHECK = "LINE_CHECK"
    LINE_CHECK_REPLY = "LINE_CHECK_REPLY"
    SEEN = "SEEN"
    LOADED = "LOADED"
    STANDBY = "STANDBY"
    SUSPEND = "SUSPEND"
    RESUME = "RESUME"
    ACCOUNT = "ACCOUNT"
    RELEASE_CONSENT = "RELEASE_CONSENT"
    TERMS_PROPOSE = "TERMS_PROPOSE"
    TERMS_ACCEPT = "TERMS_ACCEPT"
    TALK_REQUEST = "TALK_REQUEST"
    TALK_PROPOSE = "TALK_PROPOSE"
    TALK_ACCEPT = "TALK_ACCEPT"
    TALK_DECLINE = "TALK_DECLINE"
    TALK_CANCEL = "TALK_CANCEL"
    CALL_RECORD = "CALL_RECORD"
    READOUT_PROPOSE = "READOUT_PROPOSE"
    READOUT_AGREE = "READOUT_AGREE"
    READOUT_OWN = "READOUT_OWN"
    READOUT_WITHHELD = "READOUT_WITHHELD"
    INCIDENT = "INCIDENT"
    EVIDENCE = "EVIDENCE"
    RISK = "RISK"
    BREACH_NOTE = "BREACH_NOTE"
    TALLY = "TALLY"
    WATCH_CHANGE = "WATCH_CHANGE"
    VOICE = "VOICE"
    EPOCH = "EPOCH"
    SCOPE = "SCOPE"
    DRILL_BEGIN = "DRILL_BEGIN"
    DRILL_END = "DRILL_END"
    PRIVATE_PROPOSE = "PRIVATE_PROPOSE"
    PRIVATE_ACCEPT = "PRIVATE_ACCEPT"
    PRIVATE_DECLINE = "PRIVATE_DECLINE"
    PRIVATE_STEP = "PRIVATE_STEP"
    PRIVATE_COIN = "PRIVATE_COIN"
    PRIVATE_END = "PRIVATE_END"
    PRIVATE_SUBMIT = "PRIVATE_SUBMIT"
    PRIVATE_MEDIATION = "PRIVATE_MEDIATION"


class Release(StrEnum):
    """To whom the receiver may pass a message on (R42)."""

    OWN_FORCES = "OWN_FORCES"
    COALITION = "COALITION"
    NONE = "NONE"


# What nodes say of themselves: no person says it, and no person is shown it as a message.
SAID_BY_NODES: Final = frozenset(
    (Kind.PRIVATE_STEP, Kind.PRIVATE_COIN, Kind.PRIVATE_SUBMIT, Kind.PRIVATE_MEDIATION)
)

_DECLARES: Final = frozenset((Kind.NOTIFY, Kind.UPDATE, Kind.CORRECTION))
_ANYTHING: Final = frozenset(Kind)
_OFFERS: Final = frozenset((Kind.TALK_REQUEST, Kind.TALK_PROPOSE))
_SETTLE_TALK: Final = frozenset((Kind.TALK_PROPOSE, Kind.TALK_ACCEPT, Kind.TALK_DECLINE))
_CALL: Final = frozenset((Kind.TALK_ACCEPT, Kind.CALL_RECORD))
_SETTLE_CHECK: Final = frozenset((Kind.PRIVATE_ACCEPT, Kind.PRIVATE_DECLINE))
_OF_CHECK: Final = frozenset((Kind.PRIVATE_PROPOSE,))
_SETTLE_READOUT: Final = frozenset(
    (Kind.READOUT_PROPOSE, Kind.READOUT_AGREE, Kind.READOUT_OWN, Kind.READOUT_WITHHELD)
)


@dataclass(frozen=True, slots=True)
class KindForm:
    """One row of the table.

    Attributes:
        rule: what the line needs to know.
        refers_to: kinds of message that ``ref`` may name; empty when it must name none.
        needs_reference: whether ``ref`` must name one.
        refers_to_own: ``ref`` names an own message (True), the peer's (False), or either (None).
        answer_within_ms: the kind's own limit for the answer, where it is not its precedence's.
        settled_by: kinds that end what this message is about. Until one comes it stays open on the
            desk, answered or not: a CEASE is acknowledged by an ACK and settled by CEASED alone.
        always_passes: no suspension stops it (R7).
        two_persons: a releasing officer must release it (R43).
        own_pace: it is no more urgent for what it cites: that is its subject, not its question.
        expires_after_ms: the kind's own age past which it is not acted on, where it is not its
            precedence's: what waits for a line to return comes late, and means the same then.
    """

    rule: KindRule
    refers_to: frozenset[Kind] = frozenset()
    needs_reference: bool = False
    refers_to_own: bool | None = None
    answer_within_ms: int | None = None
    settled_by: frozenset[Kind] = frozenset()
    always_passes: bool = False
    two_persons: bool = False
    own_pace: bool = False
    expires_after_ms: int | None = None


def _asks(precedence: Precedence) -> KindRule:
    return KindRule(precedence, needs_seen=True, needs_answer=True)


def _tells(precedence: Precedence) -> KindRule:
    return KindRule(precedence, needs_seen=True)


# What machines compare (readbacks, line checks, terms) and a bare ACK demand no person's eyes at
# the other end; what changes the picture there does.
def _answers(precedence: Precedence, *, seen: bool = True) -> KindRule:
    return KindRule(precedence, needs_seen=seen, closes=True)


# A counter-proposal answers the one before it and asks in its turn.
def _counters(precedence: Precedence) -> KindRule:
    return KindRule(precedence, needs_seen=True, needs_answer=True, closes=True)


_READBACK_MS: Final = 600_000  # requirements §6: readback 10 min
_QUERY_MS: Final = 60_000  # requirements §6: QUERY answered in 60 s
_VOICE_MS: Final = 7 * 86_400_000  # requirements §6: formal clarification, 7 days
_P = Precedence

KINDS: Final[Mapping[Kind, KindForm]] = MappingProxyType(
    {
        Kind.NOTIFY: KindForm(
            _asks(_P.PRIORITY),
            answer_within_ms=_READBACK_MS,
            settled_by=frozenset((Kind.READBACK,)),
            two_persons=True,
        ),
        Kind.UPDATE: KindForm(
            _asks(_P.PRIORITY),
            refers_to=_DECLARES,
            needs_reference=True,
            refers_to_own=True,
            answer_within_ms=_READBACK_MS,
            settled_by=frozenset((Kind.READBACK,)),
            two_persons=True,
        ),
        Kind.CORRECTION: KindForm(
            _asks(_P.PRIORITY),
            refers_to=_DECLARES,
            needs_reference=True,
            refers_to_own=True,
            answer_within_ms=_READBACK_MS,
            settled_by=frozenset((Kind.READBACK,)),
            two_persons=True,
        ),
        Kind.CANCEL: KindForm(
            _tells(_P.PRIORITY),
            refers_to=_DECLARES,
            needs_reference=True,
            refers_to_own=True,
            two_persons=True,
        ),
        Kind.ACK: KindForm(
            _answers(_P.IMMEDIATE, seen=False),
            refers_to=_ANYTHING
            - {Kind.ACK, Kind.SEEN, Kind.LOADED, Kind.STANDBY, Kind.QUERY, Kind.LINE_CHECK}
            - SAID_BY_NODES,
            needs_reference=True,
            refers_to_own=False,
            always_passes=True,
        ),
        Kind.READBACK: KindForm(
            _answers(_P.PRIORITY, seen=False),
            refers_to=_DECLARES,
            needs_reference=True,
            refers_to_own=False,
        ),
        Kind.READBACK_RESULT: KindForm(
            KindRule(_P.PRIORITY),
            refers_to=frozenset((Kind.READBACK,)),
            needs_reference=True,
            refers_to_own=False,
        ),
        Kind.CONCERN: KindForm(
            _asks(_P.PRIORITY),
            refers_to=_DECLARES | {Kind.CONCERN} | _OF_CHECK,
            needs_reference=True,
        ),
        Kind.PROPOSE: KindForm(
            _counters(_P.PRIORITY),
            refers_to=frozenset((Kind.CONCERN, Kind.PROPOSE)),
            needs_reference=True,
        ),
        Kind.QUERY: KindForm(
            _asks(_P.IMMEDIATE),
            answer_within_ms=_QUERY_MS,
            settled_by=frozenset((Kind.ANSWER,)),
        ),
        Kind.ANSWER: KindForm(
            _answers(_P.IMMEDIATE),
            refers_to=frozenset((Kind.QUERY,)),
            needs_reference=True,
            refers_to_own=False,
        ),
        Kind.SAFETY: KindForm(_asks(_P.FLASH), refers_to=_ANYTHING, always_passes=True),
        Kind.CEASE: KindForm(
            _asks(_P.FLASH),
            refers_to=_DECLARES,
            refers_to_own=False,
            settled_by=frozenset((Kind.CEASED,)),
            always_passes=True,
        ),
        **dict.fromkeys(
            (Kind.CEASED, Kind.CONTINUING, Kind.CANNOT_REACH),
            KindForm(
                _answers(_P.FLASH),
                refers_to=frozenset((Kind.CEASE,)),
                needs_reference=True,
                refers_to_own=False,
                always_passes=True,
            ),
        ),
        Kind.LINE_CHECK: KindForm(
            _asks(_P.IMMEDIATE),
            settled_by=frozenset((Kind.LINE_CHECK_REPLY,)),
            always_passes=True,
        ),
        Kind.LINE_CHECK_REPLY: KindForm(
            _answers(_P.IMMEDIATE, seen=False),
            refers_to=frozenset((Kind.LINE_CHECK,)),
            needs_reference=True,
            refers_to_own=False,
            always_passes=True,
        ),
        # SEEN, LOADED and STANDBY ask nothing, else each would ask for another without end.
        Kind.SEEN: KindForm(
            KindRule(_P.IMMEDIATE, marks_seen=True),
            refers_to=_ANYTHING - {Kind.SEEN, Kind.LOADED, Kind.STANDBY},
            needs_reference=True,
            refers_to_own=False,
            always_passes=True,
        ),
        Kind.LOADED: KindForm(
            KindRule(_P.IMMEDIATE, marks_loaded=True),
            refers_to=_DECLARES,
            needs_reference=True,
            refers_to_own=False,
            always_passes=True,
        ),
        Kind.STANDBY: KindForm(
            KindRule(_P.IMMEDIATE, extends=True),
            refers_to=frozenset(
                (
                    *_DECLARES,
                    Kind.CONCERN,
                    Kind.PROPOSE,
                    Kind.QUERY,
                    Kind.SAFETY,
                    Kind.CEASE,
                    Kind.SUSPEND,
                    Kind.RESUME,
                    Kind.SCOPE,
                    Kind.TERMS_PROPOSE,
                    Kind.TALK_REQUEST,
                    Kind.TALK_PROPOSE,
                    Kind.READOUT_PROPOSE,
                    Kind.PRIVATE_PROPOSE,
                )
            ),
            needs_reference=True,
            refers_to_own=False,
            always_passes=True,
        ),
        Kind.SUSPEND: KindForm(_asks(_P.IMMEDIATE), always_passes=True),
        Kind.RESUME: KindForm(
            _asks(_P.IMMEDIATE),
            refers_to=frozenset((Kind.SUSPEND, Kind.SCOPE)),
            refers_to_own=True,
            always_passes=True,
        ),
        Kind.ACCOUNT: KindForm(_tells(_P.ROUTINE), refers_to=_ANYTHING, own_pace=True),
        Kind.RELEASE_CONSENT: KindForm(
            _tells(_P.ROUTINE),
            refers_to=_ANYTHING,
            needs_reference=True,
            refers_to_own=True,
        ),
        Kind.TERMS_PROPOSE: KindForm(
            _asks(_P.ROUTINE),
            refers_to=frozenset((Kind.TERMS_PROPOSE, Kind.TERMS_ACCEPT)),
            settled_by=frozenset((Kind.TERMS_ACCEPT,)),
            two_persons=True,
        ),
        Kind.TERMS_ACCEPT: KindForm(
            _answers(_P.ROUTINE, seen=False),
            refers_to=frozenset((Kind.TERMS_PROPOSE,)),
            needs_reference=True,
            refers_to_own=False,
            two_persons=True,
        ),
        # Talks pass a suspension: they declare nothing, and are how it ends.
        Kind.TALK_REQUEST: KindForm(
            _asks(_P.IMMEDIATE),
            refers_to=_ANYTHING,
            settled_by=_SETTLE_TALK,
            always_passes=True,
            own_pace=True,
        ),
        Kind.TALK_PROPOSE: KindForm(
            _counters(_P.IMMEDIATE),
            refers_to=_OFFERS,
            needs_reference=True,
            refers_to_own=False,
            settled_by=_SETTLE_TALK,
            always_passes=True,
        ),
        **dict.fromkeys(
            (Kind.TALK_ACCEPT, Kind.TALK_DECLINE),
            KindForm(
                _answers(_P.IMMEDIATE),
                refers_to=_OFFERS,
                needs_reference=True,
                refers_to_own=False,
                always_passes=True,
            ),
        ),
        Kind.TALK_CANCEL: KindForm(
            _tells(_P.IMMEDIATE),
            refers_to=_OFFERS | {Kind.TALK_ACCEPT},
            needs_reference=True,
            always_passes=True,
        ),
        Kind.CALL_RECORD: KindForm(
            _tells(_P.ROUTINE), refers_to=_CALL, always_passes=True, own_pace=True
        ),
        Kind.READOUT_PROPOSE: KindForm(
            _counters(_P.ROUTINE),
            refers_to=_CALL | {Kind.READOUT_PROPOSE},
            needs_reference=True,
            settled_by=_SETTLE_READOUT,
            two_persons=True,
            own_pace=True,
        ),
        Kind.READOUT_AGREE: KindForm(
            _answers(_P.ROUTINE),
            refers_to=frozenset((Kind.READOUT_PROPOSE,)),
            needs_reference=True,
            refers_to_own=False,
            two_persons=True,
        ),
        **dict.fromkeys(
            (Kind.READOUT_OWN, Kind.READOUT_WITHHELD),
            KindForm(
                _answers(_P.ROUTINE),
                refers_to=_CALL | {Kind.READOUT_PROPOSE},
                needs_reference=True,
                two_persons=True,
                own_pace=True,
            ),
        ),
        # What is written for the record afterwards asks for nobody's answer: another account, class
        # of risk or tally stands beside it, and both stay. It is no more urgent for citing a FLASH,
        # and above all does not expire as one.
        Kind.INCIDENT: KindForm(_tells(_P.PRIORITY), refers_to=_ANYTHING, own_pace=True),
        Kind.EVIDENCE: KindForm(
            _tells(_P.ROUTINE), refers_to=frozenset((Kind.INCIDENT, Kind.ACCOUNT))
        ),
        Kind.RISK: KindForm(
            _tells(_P.ROUTINE), refers_to=frozenset((Kind.INCIDENT, Kind.ACCOUNT, Kind.RISK))
        ),
        Kind.BREACH_NOTE: KindForm(_tells(_P.ROUTINE), refers_to=_ANYTHING, own_pace=True),
        Kind.TALLY: KindForm(_tells(_P.ROUTINE), refers_to=frozenset((Kind.TALLY,))),
        Kind.WATCH_CHANGE: KindForm(_tells(_P.ROUTINE), always_passes=True),
        # What was said by voice, noted by who said it or who heard it. It asks nothing: of a FLASH,
        # it would climb the ladder of one by itself, and ask for a call about the call.
        Kind.VOICE: KindForm(
            KindRule(_P.ROUTINE),
            refers_to=_ANYTHING - {Kind.VOICE},
            refers_to_own=True,
            always_passes=True,
            expires_after_ms=_VOICE_MS,
            own_pace=True,
        ),
        # Said by the node itself. A person there is to know that this side's record was restored.
        Kind.EPOCH: KindForm(_tells(_P.IMMEDIATE), always_passes=True),
        Kind.SCOPE: KindForm(
            _asks(_P.IMMEDIATE),
            refers_to=frozenset((Kind.SUSPEND, Kind.SCOPE)),
            refers_to_own=True,
            always_passes=True,
        ),
        Kind.DRILL_BEGIN: KindForm(_tells(_P.IMMEDIATE), always_passes=True),
        Kind.DRILL_END: KindForm(
            _tells(_P.IMMEDIATE),
            refers_to=frozenset((Kind.DRILL_BEGIN,)),
            refers_to_own=True,
            always_passes=True,
        ),
        Kind.PRIVATE_PROPOSE: KindForm(
            _asks(_P.ROUTINE), settled_by=_SETTLE_CHECK, two_persons=True
        ),
        Kind.PRIVATE_ACCEPT: KindForm(
            _answers(_P.ROUTINE),
            refers_to=_OF_CHECK,
            needs_reference=True,
            refers_to_own=False,
            two_persons=True,
        ),
        Kind.PRIVATE_DECLINE: KindForm(
            _answers(_P.ROUTINE),
            refers_to=_OF_CHECK,
            needs_reference=True,
            refers_to_own=False,
        ),
        # What nodes say to each other, some 130 a run: for nobody to look at, and it never hurries.
        # What came of a run each node tells its own people.
        **dict.fromkeys(
            (Kind.PRIVATE_STEP, Kind.PRIVATE_COIN),
            KindForm(
                KindRule(_P.ROUTINE), refers_to=_OF_CHECK, needs_reference=True, own_pace=True
            ),
        ),
        # Between one of the two sides of a mediated check and the mediator.
        Kind.PRIVATE_SUBMIT: KindForm(KindRule(_P.ROUTINE)),
        Kind.PRIVATE_MEDIATION: KindForm(
            KindRule(_P.ROUTINE),
            refers_to=frozenset((Kind.PRIVATE_SUBMIT,)),
            needs_reference=True,
            refers_to_own=False,
            own_pace=True,
        ),
        # A suspension ends what runs, so that must pass it.
        Kind.PRIVATE_END: KindForm(
            KindRule(_P.ROUTINE),
            refers_to=_OF_CHECK | {Kind.PRIVATE_SUBMIT},
            needs_reference=True,
            always_passes=True,
            own_pace=True,
        ),
    }
)

# What one watch officer says alone, whatever the party has set (R43).
SAID_ALONE: Final = frozenset((Kind.SAFETY, Kind.CEASE, Kind.ACK, Kind.QUERY))
# What an exercise of a desk does not mark by itself: terms are signed in earnest or not at all, an
# epoch is the node's own, and of the rest each message says itself what it counts or notes.
IN_EARNEST: Final = frozenset(
    (
        Kind.TERMS_PROPOSE,
        Kind.TERMS_ACCEPT,
        Kind.EPOCH,
        Kind.TALLY,
        Kind.WATCH_CHANGE,
        Kind.VOICE,
    )
)
# And what cannot be an exercise at all, whoever says so.
NEVER_EXERCISE: Final = frozenset((Kind.TERMS_PROPOSE, Kind.TERMS_ACCEPT, Kind.EPOCH))

KIND_RULES: Final[Mapping[str, KindRule]] = MappingProxyType(
    {kind.value: form.rule for kind, form in KINDS.items()}
)


def check_reference(kind: Kind, ref_kind: Kind | None, *, ref_is_own: bool | None = None) -> None:
    """Return when a message of ``kind`` may cite one of ``ref_kind`` (None: it cites none).

    Args:
        kind: the kind of the message that cites.
        ref_kind: the kind of the message cited.
        ref_is_own: whether the one who cites also wrote the cited message; None: not known.

    Raises:
        InvalidDocumentError: it must cite one and does not, or cites one that makes no sense.

    >>> check_reference(Kind.ANSWER, Kind.QUERY, ref_is_own=False)
    """
    form = KINDS[kind]
    wanted = ", ".join(sorted(form.refers_to)) or "none"
    if ref_kind is None:
        if form.needs_reference:
            raise InvalidDocumentError(
                f"{kind} must cite the message it belongs to",
                expected=f"ref: the hash of a message of kind {wanted}",
            )
        return
    if ref_kind not in form.refers_to:
        settled_by = KINDS[ref_kind].settled_by
        if kind is Kind.ACK and settled_by:
            raise InvalidDocumentError(
                f"{ref_kind} is answered, not acknowledged",
                given=kind.value,
                expected=", ".join(sorted(settled_by)),
            )
        raise InvalidDocumentError(
            f"{kind} cannot cite a message of kind {ref_kind}", expected=f"one of kind {wanted}"
        )
    if None not in (ref_is_own, form.refers_to_own) and ref_is_own != form.refers_to_own:
        whose = "an own message" if form.refers_to_own else "a message of the other party"
        raise InvalidDocumentError(f"{kind} cites {whose}", expected=whose)


def settles(kind: Kind, ref_kind: Kind) -> bool:
    """True exactly when a message of ``kind`` ends what the cited one of ``ref_kind`` is about.

    A kind that nothing settles ends with its answer, so for those this is False.
    """
    return kind in KINDS[ref_kind].settled_by


def ends_flash(kind: Kind) -> bool:
    """True exactly when it ends the matter of a FLASH that an answer alone leaves open.

    >>> [kind.value for kind in Kind if ends_flash(kind)]
    ['CEASED']
    """
    flashes = (form for form in KINDS.values() if form.rule.precedence is Precedence.FLASH)
    return any(kind in form.settled_by for form in flashes)


def precedence_of_reply(kind: Kind, cited: Precedence) -> Precedence:
    """Return the precedence of a message that cites one: at least as urgent as what it cites.

    Only what merely names its subject keeps its own, as a readout names its call, an account what
    it is about.

    >>> precedence_of_reply(Kind.ACK, Precedence.FLASH)
    <Precedence.FLASH: 'FLASH'>
    """
    if KINDS[kind].own_pace:
        return KINDS[kind].rule.precedence
    order = tuple(Precedence)
    return min(KINDS[kind].rule.precedence, cited, key=order.index)
