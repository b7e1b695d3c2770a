"""A line's book as values, fit to be kept beside its record (`node.fold`)."""

from collections.abc import Mapping

import msgspec

from deconflict.line.delivery import DeliveryState
from deconflict.messages.kinds import Release
from deconflict.node import incidents
from deconflict.node.answered_before import KeptAnswers
from deconflict.node.calls import KeptCall
from deconflict.node.declared import Cancelled
from deconflict.node.exercise import Announcement
from deconflict.node.incident_book import KeptIncidents
from deconflict.node.line_checks import KeptChecks
from deconflict.node.picture import KeptPicture
from deconflict.node.private.checks import KeptPrivate
from deconflict.node.readback_found import KeptReadback
from deconflict.node.suspensions import Suspension
from deconflict.node.talks import KeptTalk
from deconflict.node.threads import KeptThreads
from deconflict.node.voices import KeptVoices

__all__ = ["KeptBook"]


class KeptBook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the record of a line implies up to some entry of it, as values.

    What a message says is not here but its hash: the record alone says it. Hashes that stand one
    behind the other are sorted, unless they stand for an order.
    """

    picture: KeptPicture
    threads: KeptThreads
    terms_by: str | None
    proposals: tuple[str, ...]
    suspensions: tuple[Suspension, ...]
    announced: Mapping[str, Announcement]
    marks: bytes
    checks: KeptChecks
    talks: tuple[KeptTalk, ...]
    calls: tuple[KeptCall, ...]
    private_checks: KeptPrivate
    voices: KeptVoices
    accounts: Mapping[str, tuple[incidents.Account, ...]]
    incidents: KeptIncidents
    consents: tuple[tuple[bytes, str, Release], ...]
    readbacks: tuple[KeptReadback, ...]
    loaded: tuple[str, ...]
    past: Mapping[str, str]
    messages_of: Mapping[str, bytes]
    cancelled: tuple[Cancelled, ...]
    progress: Mapping[DeliveryState, bytes]
    handled: Mapping[DeliveryState, bytes]
    before: KeptAnswers
    stood_by: tuple[str, ...]
