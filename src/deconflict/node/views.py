"""What a node shows of itself: plain values that API, console and CLI print as they are.

Times are RFC 3339 UTC strings with ``Z``; distances metres; everything here is already decided,
so a reader never computes. Free text from the peer is data: whoever shows it must escape it.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec

from deconflict.messages.terms_rows import TermsChange, TermsRow

__all__ = [
    "AlertView",
    "AuditView",
    "CarriedMessage",
    "Checked",
    "ConflictView",
    "DeclarationView",
    "DraftRemark",
    "DrillView",
    "EventView",
    "ExportView",
    "FirstAlerts",
    "HeadView",
    "HeldMessage",
    "HeldView",
    "JudgedMessage",
    "LineView",
    "MessageView",
    "NodeView",
    "ParcelView",
    "PathView",
    "PlaceView",
    "Posted",
    "RefusedView",
    "SiteLineView",
    "SuspensionView",
    "TakenView",
    "TermsText",
    "TermsTexts",
    "TermsView",
    "TranslationView",
    "WitnessView",
]


@dataclass(frozen=True, slots=True)
class AuditView:
    """The proof of the whole record that a node makes while it runs."""

    phase: str  # WAITING | RUNNING | DONE | NOT_DONE
    entries: int  # read in this one, or in the last
    behind: bool  # the start went on from what was kept, and no audit has proven the rest yet
    done_utc: str | None  # when the last whole one ended; None for none since the start
    problem: str  # why the last one was not made; empty for nothing
    unproven_entries: int = 0  # while behind: the first so many of the record, proven earlier
    unproven_since_utc: str | None = None  # when that was
    overdue: bool = False  # behind, for longer than a node may be
    hindrance: str | None = None  # why, in a word: NO_ROOM | NOT_BEGUN | ENDED | STOOD_STILL | ...
    tried_utc: str | None = None  # when the last attempt failed
    again_utc: str | None = None  # when the next one begins; None while one runs, or none is due


@dataclass(frozen=True, slots=True)
class NodeView:
    """The node itself."""

    party: str
    version: str
    now_utc: str
    started_utc: str
    desks: tuple[str, ...]
    language: str
    signing_key_fingerprint: str
    lines: int
    drill: bool
    last_event_id: int = 0  # where a live stream begins that shows no history
    audit: AuditView | None = None


@dataclass(frozen=True, slots=True)
class PathView:
    """One network path of a line, as it is seen from here."""

    number: int
    state: str  # UP | DOWN | UNKNOWN
    reason: str  # NONE | STARTING | NOT_HEARD | NOT_ECHOED
    since_utc: str
    last_heard_utc: str | None
    round_trip_ms: int | None


@dataclass(frozen=True, slots=True)
class WitnessView:
    """What a third witness has signed of this node's chain on a line, and how it answers."""

    name: str
    messages: int  # of ours, from the first on, that it signed to have seen; 0 for none yet
    seen_utc: str | None  # when, by its clock
    waiting: int  # messages that both sides have fixed since, and it has not signed for
    asked_utc: str | None  # when it was asked last
    problem: str | None  # in words, why there was no cosignature then
    contradicts: bool = False  # it holds another chain of ours than this record


@dataclass(frozen=True, slots=True)
class SuspensionView:
    """A scope of a line that one side declared suspended: in effect, or from an instant to come."""

    scope: str
    by: str  # only this party can resume it
    effective_utc: str
    resumed_utc: str | None  # when it ends; None while nobody said
    in_effect: bool
    drill: bool  # stops nothing that is real


@dataclass(frozen=True, slots=True)
class LineView:
    """One line: is it up, who was heard when, what is open."""

    line_id: str
    peer: str
    state: str  # UP | DOWN | UNKNOWN
    since_utc: str
    last_heard_utc: str | None
    last_reached_utc: str | None
    clock_offset_ms: int | None  # peer minus own
    suspended: bool
    suspended_scope: str | None
    terms_state: str  # NONE | PROPOSED_BY_US | PROPOSED_BY_PEER | AGREED
    terms_hash: str | None
    own_epoch: str | None
    own_seq: int  # these three count over all epochs
    receipted_seq: int
    peer_epoch: str | None
    peer_seq: int
    open_alerts: int
    # Declarations that nobody has looked at yet for conflicts: right after a start, or new terms.
    declarations_unseen: int = 0
    paths: tuple[PathView, ...] = ()  # the preferred one first
    mute: bool = False  # this node signs nothing: its record may lack what it signed
    deaf: bool = False  # it logs and receipts nothing: its record may lack what it receipted
    silent_because: str | None = None  # in words, of either
    witnesses: tuple[WitnessView, ...] = ()  # third ones that are asked, as node.toml names them
    suspensions: tuple[SuspensionView, ...] = ()  # none that is over; the earliest first
    drill_until_utc: str | None = None  # while this side holds an exercise
    peer_drill_until_utc: str | None = None  # while the peer holds one that it announced
    without_line: tuple[str, ...] = ()  # third parties of its terms that this node has no line to
    own_key_number: int = 0  # the key this node signs with here; 0 for the first
    peer_key_number: int = 0
    key_change_waits: bool = False  # a newer key of this node is not in force here yet


@dataclass(frozen=True, slots=True)
class SiteLineView:
    """One line as who speaks for protected sites sees it: whether it carries, not how much."""

    line_id: str
    peer: str
    state: str  # UP | DOWN | UNKNOWN
    since_utc: str
    last_heard_utc: str | None
    suspended_scope: str | None  # SAFETY and CEASE always pass
    terms_state: str  # as LineView.terms_state


@dataclass(frozen=True, slots=True)
class DrillView:
    """The exercise that lasts on one line: this side's own, the peer's, or both."""

    line_id: str
    peer: str
    begun_utc: str | None  # of this side's own; None when none lasts
    until_utc: str | None
    announced: bool  # whether the peer was told
    peer_until_utc: str | None  # of the one that the peer announced


@dataclass(frozen=True, slots=True)
class HeadView:
    """The last entry of one party's chain: what names all that stands before it."""

    party: str
    epoch: str
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class TermsView:
    """The terms of a line: in force, and proposed."""

    line_id: str
    state: str  # as LineView.terms_state
    agreed: dict[str, Any] | None
    agreed_hash: str | None
    proposed: dict[str, Any] | None
    proposed_hash: str | None
    proposed_by: str | None


@dataclass(frozen=True, slots=True)
class TermsText:
    """Terms in words: every field of them, and what they change."""

    terms_hash: str
    version: int
    rows: tuple[TermsRow, ...]
    changes: tuple[TermsChange, ...] | None  # None for terms in force, and where none are


@dataclass(frozen=True, slots=True)
class TermsTexts:
    """The terms of a line in words: in force, and proposed."""

    line_id: str
    state: str  # as LineView.terms_state
    agreed: TermsText | None
    proposed: TermsText | None
    proposed_by: str | None


@dataclass(frozen=True, slots=True)
class TranslationView:
    """What one translator at home makes of a message: unofficial, never sent, binding nobody."""

    language: str
    lines: tuple[str, ...]
    translator: str  # the account that answers for it
    written_utc: str


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message in the record of a line."""

    hash: str
    line_id: str
    outgoing: bool
    from_party: str
    from_desk: str
    to_party: str
    to_desk: str
    epoch: str
    seq: int
    kind: str
    precedence: str
    ref: str | None
    drill: bool
    release: str
    release_now: str  # what the author consented to last
    created_utc: str
    logged_utc: str
    state: str  # QUEUED SENT LACKED SEEN LOADED ... REFUSED SAID_AGAIN; LOGGED or SEEN for incoming
    escalation: int
    delayed: bool
    language: str
    text: str  # the template in the reader's language, with the free text as it was written
    body: dict[str, Any]
    position: int = 0  # in its author's chain over all epochs; ``seq`` counts within one
    late_ms: int | None = None  # of a reply to a line check: how long past its limit it came
    # The same as the author's desk reads it; None where that is the reader's language, or none of
    # ours: then the text says all that is known.
    text_author: str | None = None
    translations: tuple[TranslationView, ...] = ()


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A place in every notation, with distance and bearing from the nearest agreed landmark."""

    lat_deg: float
    lon_deg: float
    decimal: str
    dms: str
    mgrs: str
    from_landmark: str | None


@dataclass(frozen=True, slots=True)
class DeclarationView:
    """One declaration, own or the peer's, with what is known of its delivery."""

    declaration_id: str
    party: str
    own: bool
    line_ids: tuple[str, ...]
    purpose: str
    label: str | None
    revision: int
    state: str  # ACTIVE | ENDED | CANCELLED
    start_utc: str
    end_utc: str
    declared_utc: str
    message_hashes: tuple[str, ...]
    delivery: dict[str, str]  # line id -> delivery state
    readback: dict[str, str]  # line id -> MISSING | AGREES | DIFFERS
    loaded: dict[str, bool]  # line id -> held by the peer's acting unit
    geometry: dict[str, Any]
    drill: bool = False
    not_reached: tuple[str, ...] = ()  # concerned by it, and no party of a line that carries it
    peers: tuple[str, ...] = ()  # whose lines line_ids are, in the same order


@dataclass(frozen=True, slots=True)
class ConflictView:
    """One conflict: who, where, when, how close, which minimum, since when known, what is open."""

    conflict_id: str
    line_id: str
    kind: str  # PREDICTED_LOSS | STRATEGIC_CONFLICT | INCOMPARABLE
    verdict: str  # CONFLICT | WITHIN_TOLERANCE | INCOMPARABLE
    first_declaration: str
    first_party: str
    first_purpose: str
    second_declaration: str
    second_party: str
    second_purpose: str
    start_utc: str
    end_utc: str
    cpa_utc: str
    cpa_distance_m: float | None
    cpa_vertical_m: float | None
    place_first: PlaceView | None
    place_second: PlaceView | None
    minimum_lateral_m: float
    minimum_vertical_m: float
    known_since_utc: str
    unanswered: tuple[str, ...]
    text: str
    again_utc: tuple[tuple[str, str], ...] = ()  # later stretches of the same pair, start and end
    drill: bool = False
    # Since when a declaration stands in it that could not be compared; the figures are older.
    unchecked_since_utc: str | None = None
    # False: our declaration was made on other lines only, so this peer does not know of it.
    told: bool = True
    # By how much each may be early or late, as declared; 0 without a window.
    window_first_s: float = 0.0
    window_second_s: float = 0.0
    # How much later than planned each is at the closest approach, negative when early; null where
    # it is not known. The times of a conflict with windows hold only for some shift within them.
    late_first_s: float | None = 0.0
    late_second_s: float | None = 0.0
    # Whether they come too close as well if both keep exactly to plan; null where it is not known.
    as_planned: bool | None = True


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: conflicts, and what else the sender of a draft should know, in words."""

    conflicts: tuple[ConflictView, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DraftRemark:
    """What the sender of a draft should know before it is sent, in words and for programs.

    ``rule`` is that of the alert which tells it once it is sent, or a phrase of the label, or
    LOOKS_EXCHANGED or OVER for what would be refused. ``peer`` is whose terms say it; None for all.
    """

    rule: str
    text: str
    peer: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlertView:
    """One condition a person must know of. It lasts as one alert with updates (R27)."""

    alert_id: str
    rule: str
    urgency: str  # FLASH | IMMEDIATE | PRIORITY | ROUTINE
    line_id: str | None
    subject: str | None
    object: str | None
    desk: str
    raised_utc: str
    updated_utc: str
    deadline_utc: str | None
    level: int
    open: bool
    text: str
    facts: dict[str, Any] = field(default_factory=dict)
    drill: bool = False  # exercise only; the text says so first
    # What the text says without its marks and its ladder, in no language: phrases by number with
    # their values, and messages by their hash. Empty for one told by an earlier edition.
    said: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class FirstAlerts:
    """The open alerts that come first, and how many there are."""

    open: int
    urgent: int  # of all open ones: FLASH and IMMEDIATE
    alerts: tuple[AlertView, ...]


@dataclass(frozen=True)
class EventView:
    """One entry of the live stream; ``event_id`` grows by one and resumes a broken stream."""

    event_id: int
    at_utc: str
    # message | delivery | alert | conflict | conflict_ended | declaration | line | path | terms |
    # held | watch | parcel
    kind: str
    data: dict[str, Any]

    @cached_property
    def data_json(self) -> bytes:
        """``data`` as it is stored and as a reader in the node's language gets it, written once."""
        return msgspec.json.encode(self.data)

    @cached_property
    def data_in(self) -> dict[str, bytes]:
        """The same in other languages, as far as somebody read it in them."""
        return {}


@dataclass(frozen=True, slots=True)
class HeldMessage:
    """One message that waits for a second person, as it would be said.

    ``warnings`` is what its answer would warn of, were it released now.
    """

    line_id: str
    peer: str
    kind: str
    ref: str | None
    drill: bool
    text: str
    body: dict[str, Any]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldView:
    """What waits for a second person: messages that are released together, or one thing asked for.

    ``what`` is MESSAGES; RECORD, MESSAGE, FORK or PARCEL, to be taken away; or ACCOUNT, ENABLE,
    PASSWORD or PEER, to be let in. But for messages, ``text`` says it and ``expires_utc`` when it
    lapses.
    """

    held_id: str
    written_by: str  # the account
    written_utc: str
    messages: tuple[HeldMessage, ...]
    what: str = "MESSAGES"
    text: str = ""
    expires_utc: str | None = None


@dataclass(frozen=True, slots=True)
class ExportView:
    """Whether somebody may take something away.

    ``state``: FREE needs one person, HELD waits for the second, RELEASED until ``expires_utc``.
    """

    state: str
    held_id: str | None = None
    expires_utc: str | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that is now durable in our log and on its way; or held for a second person.

    Held: ``state`` is HELD, ``held_id`` names it, and there is no hash, epoch and number yet.
    """

    hash: str
    line_id: str
    epoch: str
    seq: int
    kind: str
    state: str
    warnings: tuple[str, ...] = ()
    held_id: str | None = None
    said_already: bool = False  # this is the first one: what was asked for is not signed again


@dataclass(frozen=True, slots=True)
class CarriedMessage:
    """One message in a parcel; its words are for people on the way and prove nothing."""

    hash: str
    seq: int
    kind: str
    precedence: str
    drill: bool
    created_utc: str
    expires_utc: str | None  # read later, it asks nobody to act; None: it never expires
    texts: dict[str, str]  # language -> the message in words


@dataclass(frozen=True, slots=True)
class ParcelView:
    """A parcel for the peer of a line, and what is in it. Making it counts nothing as sent."""

    line_id: str
    from_party: str
    to_party: str
    made_utc: str
    data: str  # the parcel, base64
    languages: tuple[str, ...]  # of the line
    messages: tuple[CarriedMessage, ...]
    receipt_seq: int  # the receipt in it covers the peer's messages up to this one; 0: none
    checkpoint: bool  # a checkpoint of ours for the peer to cosign is in it
    cosignature: bool  # a checkpoint of the peer, cosigned here, is in it
    left_out: int  # messages that it would have held and did not fit
    left_out_from_seq: int | None
    left_out_bytes: int  # how long the first of them would have been


@dataclass(frozen=True, slots=True)
class JudgedMessage:
    """What became of one message of a parcel that was taken."""

    hash: str
    seq: int
    kind: str
    # NEW | HELD_BEFORE | WAITING | TOO_FAR | OTHER_EPOCH | NO_ROOM | EPOCH_REFUSED | NOT_NOW
    outcome: str
    delayed: bool
    text: str  # in the desk's language; empty where it is neither logged nor the peer's word now


@dataclass(frozen=True, slots=True)
class RefusedView:
    """Why the rest of a parcel was not taken."""

    type: str
    problem: str
    given: str
    expected: str
    remedy: str


@dataclass(frozen=True, slots=True)
class TakenView:
    """What a parcel of the peer led to."""

    line_id: str
    from_party: str
    made_utc: str
    messages: tuple[JudgedMessage, ...]
    newly_receipted: int  # own messages that a receipt in it covers, and none did before
    own_seq: int
    receipted_seq: int
    peer_seq: int  # the peer's messages are in the record up to this one
    missing_first_seq: int | None  # the first gap before what waits
    missing_last_seq: int | None
    refused: RefusedView | None
    not_looked_at: int  # packets after the one that was refused
