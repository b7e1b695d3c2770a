"""The incidents of one line, as a fold over its record: who opened what, and what was said of it.

Like the rest of a line's book it is fed every entry once, when it is said or heard and again at a
start; the proof of a bundle feeds it the same. A late message is taken in too: it is written down,
and nothing acts on it. All of it is in the record; kept at hand is what a person compares.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec

from deconflict.airspace.instant import parse_utc
from deconflict.errors import LineStateError, NotFoundError
from deconflict.line.envelope import Envelope
from deconflict.messages.bodies import Account, Body
from deconflict.messages.incident_bodies import (
    BreachNote,
    BreachWord,
    Evidence,
    Incident,
    Risk,
    RiskWord,
    Tally,
)
from deconflict.messages.kinds import Kind
from deconflict.node import incidents
from deconflict.node.tally import (
    Counted,
    Difference,
    Reach,
    Replaced,
    compare,
    count,
    named_as,
    replaced_by,
    tally_of,
)

__all__ = [
    "INCIDENT_KINDS",
    "Filed",
    "IncidentBook",
    "IncidentFile",
    "KeptIncident",
    "KeptIncidents",
    "Misfiled",
    "filed_of",
    "named_incident",
]

INCIDENT_KINDS: Final = frozenset(
    kind.value
    for kind in (
        Kind.INCIDENT,
        Kind.ACCOUNT,
        Kind.EVIDENCE,
        Kind.RISK,
        Kind.BREACH_NOTE,
        Kind.TALLY,
    )
)

# Of each party: whoever repeats itself a thousand times must not make each page as long.
_RISKS_KEPT: Final = 16
_TALLIES_KEPT: Final = 16
_EVIDENCE_KEPT: Final = 256
_BREACHES_KEPT: Final = 256


class Misfiled(StrEnum):
    """Why a message belongs to no incident here, though it names one."""

    NO_SUCH = "NO_SUCH"  # none of that id was opened
    ALREADY_OPEN = "ALREADY_OPEN"  # it opens what is open, and corrects nothing of its own side
    OTHER_EXERCISE = "OTHER_EXERCISE"  # one of the two is an exercise, the other real
    NOT_OWN = "NOT_OWN"  # it withdraws what its side did not note


class Filed(msgspec.Struct, frozen=True):
    """One message as the incident's file holds it."""

    party: str
    hash: str
    ref: str | None
    epoch: str
    seq: int
    heard: tuple[str, int] | None  # epoch and number of the last entry of the other that it knew
    drill: bool
    created_utc: str
    late: bool
    body: Body


@dataclass(slots=True)
class IncidentFile:
    """One incident and what is said of it.

    Attributes:
        incident_id: its id.
        opened: the message that opened it; ``stated`` the newest correction of it, or itself.
        drill: exercise only.
        accounts: in force, the newest of each party, oldest first.
        accounts_said: how many accounts each party gave, corrected ones included.
        evidence: files named by hash.
        risks: the classes of risk that each party gave, oldest first; the last is in force.
        breaches: hashes of the notes that name it.
    """

    incident_id: str
    opened: Filed
    stated: Filed
    drill: bool
    accounts: list[Filed] = field(default_factory=list)
    accounts_said: dict[str, int] = field(default_factory=dict)
    evidence: list[Filed] = field(default_factory=list)
    risks: dict[str, list[Filed]] = field(default_factory=dict)
    breaches: list[str] = field(default_factory=list)

    @property
    def what(self) -> Incident:
        """What it is, as its opener states it now."""
        return _incident(self.stated)

    def risk_of(self, party: str) -> RiskWord | None:
        """Return the class of risk that a party gives it now; None when it gave none."""
        given = self.risks.get(party)
        if given and isinstance(given[-1].body, Risk):
            return given[-1].body.risk
        return self.what.risk if party == self.stated.party else None

    def told(self) -> tuple[incidents.Account, ...]:
        """Return the accounts in force as they are laid side by side."""
        return tuple(
            incidents.Account(
                event=self.incident_id,
                by=filed.party,
                fields=filed.body.fields,
                object_kind=filed.body.object_kind,
                as_published=filed.body.as_published,
                drill=filed.drill,
                message=filed.hash,
            )
            for filed in self.accounts
            if isinstance(filed.body, Account)
        )


class KeptIncident(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One incident as values: the attributes of an :class:`IncidentFile`, messages by hash."""

    opened: str
    stated: str
    drill: bool
    accounts: tuple[str, ...]
    accounts_said: Mapping[str, int]
    evidence: tuple[str, ...]
    risks: Mapping[str, tuple[str, ...]]
    breaches: tuple[str, ...]


class KeptIncidents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The incidents of one line as values, messages by hash.

    Attributes:
        files: by incident, in the order opened.
        counted: every INCIDENT and BREACH_NOTE.
        tallies: of each party, the newest.
        epochs: of each party, in the order in which they began.
    """

    files: Mapping[str, KeptIncident]
    counted: tuple[str, ...]
    tallies: Mapping[str, tuple[str, ...]]
    epochs: Mapping[str, tuple[str, ...]]


class IncidentBook:
    """The incidents, breach notes and tallies of one line.

    Args:
        own: our party; of a record that nobody's node holds, either one.
        peer: the other.
    """

    def __init__(self, own: str, peer: str) -> None:
        self.own = own
        self.peer = peer
        self._files: dict[str, IncidentFile] = {}
        self._counted: dict[str, Counted] = {}
        self._replaced: set[Replaced] = set()
        self._tallies: dict[str, list[Filed]] = {}
        # Of each party, in the order in which they began; the values say nothing.
        self._epochs: dict[str, dict[str, None]] = {own: {}, peer: {}}

    def __iter__(self) -> Iterator[IncidentFile]:
        return iter(tuple(self._files.values()))

    def __len__(self) -> int:
        return len(self._files)

    def kept(self) -> KeptIncidents:
        """Return all of it as values."""
        return KeptIncidents(
            {
                name: KeptIncident(
                    opened=held.opened.hash,
                    stated=held.stated.hash,
                    drill=held.drill,
                    accounts=_hashes(held.accounts),
                    accounts_said=dict(held.accounts_said),
                    evidence=_hashes(held.evidence),
                    risks={party: _hashes(given) for party, given in held.risks.items()},
                    breaches=tuple(held.breaches),
                )
                for name, held in self._files.items()
            },
            tuple(self._counted),
            {party: _hashes(said) for party, said in self._tallies.items()},
            {party: tuple(begun) for party, begun in self._epochs.items()},
        )

    def take_up(self, kept: KeptIncidents, filed_by: Callable[[str], Filed]) -> None:
        """Go on from what was kept; only of a new book. ``filed_by`` reads a message."""

        def filed(hashes: Sequence[str]) -> list[Filed]:
            return [filed_by(message_hash) for message_hash in hashes]

        for name, held in kept.files.items():
            self._files[name] = IncidentFile(
                name,
                filed_by(held.opened),
                filed_by(held.stated),
                held.drill,
                filed(held.accounts),
                dict(held.accounts_said),
                filed(held.evidence),
                {party: filed(given) for party, given in held.risks.items()},
                list(held.breaches),
            )
        for one in filed(kept.counted):
            if not isinstance(one.body, Incident | BreachNote):
                raise TypeError(f"{one.hash} counts for nothing")
            self._count(one, one.body)
        self._tallies.update({party: filed(said) for party, said in kept.tallies.items()})
        for party, begun in kept.epochs.items():
            self._epochs[party] = dict.fromkeys(begun)

    def get(self, incident_id: str) -> IncidentFile | None:
        """Return the file of an incident, or None."""
        return self._files.get(incident_id)

    def counted(self, message_hash: str) -> Counted | None:
        """Return an INCIDENT or BREACH_NOTE of the record as it is counted, or None."""
        return self._counted.get(message_hash)

    def is_taken_back(self, noted: Counted) -> bool:
        """True exactly when its own author corrected or withdrew it, as far as is known here."""
        return named_as(noted) in self._replaced

    def take(
        self, envelope: Envelope, message_hash: str, body: Body | None, *, own: bool, late: bool
    ) -> Misfiled | None:
        """Let one entry in; return why it belongs to no incident, if it names one in vain."""
        self.pass_by(envelope, own=own)
        if envelope.kind not in INCIDENT_KINDS or body is None:
            return None
        party = self.own if own else self.peer
        filed = filed_of(envelope, message_hash, body, party=party, late=late)
        match body:
            case Tally():
                _keep(self._tallies.setdefault(party, []), filed, _TALLIES_KEPT)
                return None
            case Incident() | BreachNote():
                self._count(filed, body)
        misfiled = self.misfit(body, envelope.ref, own=own, drill=envelope.drill)
        if misfiled is None:
            self._file(filed, body)
        return misfiled

    def pass_by(self, envelope: Envelope, *, own: bool) -> None:
        """Note an entry that may say nothing here: in which order its party's epochs came."""
        self._epochs[self.own if own else self.peer].setdefault(envelope.epoch)

    def misfit(self, body: Body, ref: str | None, *, own: bool, drill: bool) -> Misfiled | None:
        """Return why a message cannot belong where it names, or None when it can."""
        party = self.own if own else self.peer
        if isinstance(body, BreachNote) and body.breach is BreachWord.WITHDRAWN:
            noted = self._counted.get(ref or "")
            if noted is None or noted.party != party or noted.incident_id is not None:
                return Misfiled.NOT_OWN
        incident_id = named_incident(body)
        if incident_id is None:
            return None
        held = self._files.get(incident_id)
        if held is None:
            return None if isinstance(body, Incident) else Misfiled.NO_SUCH
        if held.drill is not drill:
            return Misfiled.OTHER_EXERCISE
        if isinstance(body, Incident) and (held.stated.party != party or held.stated.hash != ref):
            return Misfiled.ALREADY_OPEN
        return None

    def require_fits(self, body: Body, ref: str | None, *, drill: bool) -> None:
        """Return when a message of ours can belong where it names.

        Raises:
            NotFoundError, LineStateError: it cannot; saying so later would be told as our mistake.
        """
        misfit = self.misfit(body, ref, own=True, drill=drill)
        named = named_incident(body) or "none"
        if misfit is Misfiled.NO_SUCH:
            raise NotFoundError(
                "no incident of this id is open on this line",
                given=named[:32],
                remedy="list them: deconflict incident list; or open one: deconflict incident open",
            )
        if misfit is Misfiled.ALREADY_OPEN:
            raise LineStateError(
                "this incident is open already",
                given=named[:32],
                expected="a new id; or, to correct what your side stated, its newest message cited",
                remedy="give your own account of it: deconflict incident account",
            )
        if misfit is Misfiled.OTHER_EXERCISE:
            raise LineStateError(
                "an exercise and what is real are kept apart",
                given=f"{'an exercise' if drill else 'real'}, of incident {named[:32]}",
                expected="the same mark as the incident has",
            )
        if misfit is Misfiled.NOT_OWN:
            raise LineStateError(
                "only what your own side noted can be withdrawn by it",
                given=(ref or "no message")[:16],
                expected="a breach note of your side, cited",
            )

    # ---- counting ------------------------------------------------------------------------

    def reach(self, tally: Filed) -> Reach:
        """Return how far a tally counts: what its author had said and heard when it was signed."""
        other = self.peer if tally.party == self.own else self.own
        return self._reach({tally.party: (tally.epoch, tally.seq), other: tally.heard})

    def count(
        self,
        *,
        start_ms: int,
        end_ms: int,
        drill: bool,
        said: tuple[str, int] | None,
        heard: tuple[str, int] | None,
    ) -> Tally:
        """Return our tally of a period, as it would be said now.

        Args:
            start_ms: the first instant of the period.
            end_ms: the first instant after it.
            drill: exercises alone, or what is real alone.
            said: epoch and number of our last entry; None for no entry.
            heard: those of the peer's last entry, which our next message cites.

        Raises:
            InvalidDocumentError: an empty period, or more than one message can hold.
        """
        counted = count(
            self._counted.values(),
            start_ms=start_ms,
            end_ms=end_ms,
            drill=drill,
            reach=self._reach({self.own: said, self.peer: heard}),
        )
        return tally_of(counted, start_ms=start_ms, end_ms=end_ms)

    def tallies(self) -> Sequence[Filed]:
        """Return the newest tallies of both parties."""
        return [filed for party in (self.own, self.peer) for filed in self._tallies.get(party, ())]

    def differences(self, tally: Filed) -> tuple[Difference, ...]:
        """Return each entry in which a tally differs from what the record gives."""
        if not isinstance(tally.body, Tally):
            return ()
        return compare(
            tally.body, self._counted.values(), drill=tally.drill, reach=self.reach(tally)
        )

    def tally(self, message_hash: str) -> Filed | None:
        """Return a tally that is kept at hand, or None."""
        return next((filed for filed in self.tallies() if filed.hash == message_hash), None)

    # ---- inside --------------------------------------------------------------------------

    def _reach(self, last: dict[str, tuple[str, int] | None]) -> Reach:
        return Reach({party: tuple(known) for party, known in self._epochs.items()}, last)

    def _count(self, filed: Filed, body: Incident | BreachNote) -> None:
        self._counted[filed.hash] = counted = _counted(filed, body)
        if counted.ref is not None:
            self._replaced.add(replaced_by(counted))

    def _file(self, filed: Filed, body: Body) -> None:
        match body:
            case Incident(incident_id=name):
                held = self._files.get(name)
                if held is None:
                    self._files[name] = IncidentFile(name, filed, filed, filed.drill)
                else:
                    held.stated = filed
            case Account(incident_id=str(name)):
                self._account(self._files[name], filed)
            case Evidence(incident_id=name):
                _keep(self._files[name].evidence, filed, _EVIDENCE_KEPT)
            case Risk(incident_id=name):
                _keep(self._files[name].risks.setdefault(filed.party, []), filed, _RISKS_KEPT)
            case BreachNote(incident_id=str(name)):
                breaches = self._files[name].breaches
                breaches.append(filed.hash)
                del breaches[:-_BREACHES_KEPT]

    @staticmethod
    def _account(held: IncidentFile, filed: Filed) -> None:
        party = filed.party
        held.accounts_said[party] = held.accounts_said.get(party, 0) + 1
        held.accounts = [
            old for old in held.accounts if old.party != party or old.hash != filed.ref
        ]
        _keep(held.accounts, filed, incidents.ACCOUNTS_COMPARED)


def filed_of(envelope: Envelope, message_hash: str, body: Body, *, party: str, late: bool) -> Filed:
    """Return a message as an incident's file holds it."""
    heard = envelope.heard
    return Filed(
        party=party,
        hash=message_hash,
        ref=envelope.ref,
        epoch=envelope.epoch,
        seq=envelope.seq,
        heard=None if heard is None else (heard.epoch, heard.seq),
        drill=envelope.drill,
        created_utc=envelope.created_utc,
        late=late,
        body=body,
    )


def named_incident(body: Body | None) -> str | None:
    """Return the incident that a body names, None when it names none."""
    named: str | None = getattr(body, "incident_id", None)
    return named


def _counted(filed: Filed, body: Incident | BreachNote) -> Counted:
    return Counted(
        party=filed.party,
        hash=filed.hash,
        ref=filed.ref,
        epoch=filed.epoch,
        seq=filed.seq,
        drill=filed.drill,
        at_ms=parse_utc(body.at_utc),
        word=body.what if isinstance(body, Incident) else body.breach,
        incident_id=body.incident_id if isinstance(body, Incident) else None,
    )


def _hashes(filed: Sequence[Filed]) -> tuple[str, ...]:
    return tuple(one.hash for one in filed)


def _keep(kept: list[Filed], filed: Filed, most: int) -> None:
    """Add one, and let go of the oldest of the same party when there are too many."""
    kept.append(filed)
    mine = [old for old in kept if old.party == filed.party]
    if len(mine) > most:
        kept.remove(mine[0])


def _incident(filed: Filed) -> Incident:
    if not isinstance(filed.body, Incident):
        raise TypeError(f"{filed.hash} opens no incident")
    return filed.body
