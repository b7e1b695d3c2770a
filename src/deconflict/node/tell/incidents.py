"""Alerts about incidents: opened by the other side, told of differently, counted differently.

None says who is right. What differs is named, field by field and entry by entry.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from deconflict.line.moment import Now
from deconflict.messages.bodies import Account, Risk, Tally, said_names
from deconflict.messages.incident_bodies import Incident
from deconflict.messages.incident_text import code_said
from deconflict.messages.said import Said, joined
from deconflict.messages.values import ID_SHOWN, ValueType
from deconflict.node import incidents
from deconflict.node.alerts import AlertKey
from deconflict.node.book import Taken
from deconflict.node.incident_book import Filed, Misfiled, named_incident
from deconflict.node.line import Line
from deconflict.node.tally import Difference
from deconflict.node.tell.desk import Desk

__all__ = ["IncidentTeller", "tell_accounts"]

_NAMED: Final = 12


class IncidentTeller:
    """Tells of incidents and tallies of a line.

    Args:
        desk: where alerts go.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def look(
        self,
        line: Line,
        taken: Taken,
        outside: Mapping[str, Sequence[incidents.Account]],
        now: Now,
    ) -> None:
        """Look at a message, own or the peer's, that may be about an incident."""
        if taken.misfiled is not None:
            self._misfiled(line, taken, taken.misfiled, now)
            return
        match taken.body:
            case Incident() as body if not taken.own:
                self._opened(line, taken, body, now)
            case Account(incident_id=str(incident)):
                self._answered(line, taken, incident, now)
                self.accounts(line, incident, outside.get(incident, ()), now)
            case Risk(incident_id=incident):
                self._answered(line, taken, incident, now)
            case Tally():
                self._tallied(line, taken, now)

    def accounts(
        self, line: Line, incident: str, outside: Sequence[incidents.Account], now: Now
    ) -> None:
        """Lay the accounts of one incident side by side."""
        held = line.book.incidents.get(incident)
        if held is None:
            return
        tell_accounts(
            self.desk,
            line,
            AlertKey("ACCOUNTS_DIFFER", line.line_id, incident),
            {"incident": incident},
            [*held.told(), *outside],
            now,
            phrase="INCIDENT_ACCOUNTS_DIFFER",
        )

    def _opened(self, line: Line, taken: Taken, body: Incident, now: Now) -> None:
        held = line.book.incidents.get(body.incident_id)
        if held is None or _has_word_of(held.accounts, line.book.own):
            return  # what is corrected was answered already
        self.desk.tell(
            AlertKey("INCIDENT_OPENED", line.line_id, body.incident_id),
            {
                "peer": line.peer,
                "incident": body.incident_id,
                "sent": taken.envelope.created_utc,
                "what": body.what.value,
            },
            drill=taken.envelope.drill,
            urgency="PRIORITY",
            now_ms=now.utc_ms,
            facts={"message": taken.hash},
        )

    def _answered(self, line: Line, taken: Taken, incident: str, now: Now) -> None:
        if taken.own:
            key = AlertKey("INCIDENT_OPENED", line.line_id, incident)
            self.desk.alerts.close(key, now_ms=now.utc_ms)

    def _misfiled(self, line: Line, taken: Taken, why: Misfiled, now: Now) -> None:
        """Tell of the newest; one alert a line, so that a thousand ids make no thousand alerts."""
        if taken.own or why is Misfiled.NOT_OWN:
            return  # a withdrawal of nothing changes no count, and the tallies show it
        self.desk.tell(
            AlertKey("NO_SUCH_INCIDENT", line.line_id, line.peer),
            {
                "peer": line.peer,
                "kind": taken.kind.value,
                "sent": taken.envelope.created_utc,
                "incident": named_incident(taken.body),
            },
            drill=taken.envelope.drill,
            urgency="ROUTINE",
            now_ms=now.utc_ms,
            facts={"message": taken.hash, "why": why.value},
        )

    def _tallied(self, line: Line, taken: Taken, now: Now) -> None:
        """Compare the peer's tally with what the record gives; each entry that differs is named."""
        filed = line.book.incidents.tally(taken.hash)
        if taken.own or filed is None or not isinstance(filed.body, Tally):
            return
        key = AlertKey(
            "TALLIES_DIFFER", line.line_id, "drill" if taken.envelope.drill else line.peer
        )
        found = line.book.incidents.differences(filed)
        if not found:
            self._agreed(key, filed, now)
            return
        theirs = [one for one in found if one.in_tally]
        ours = [one for one in found if not one.in_tally]
        self.desk.tell(
            key,
            {
                "peer": line.peer,
                "start": filed.body.start_utc,
                "end": filed.body.end_utc,
                "theirs": _entries(theirs),
                "ours": _entries(ours),
            },
            drill=taken.envelope.drill,
            urgency="ROUTINE",
            now_ms=now.utc_ms,
            facts={
                "tally": taken.hash,
                "differing": len(found),
                "reasons": dict(Counter(one.why.value for one in found)),
            },
        )

    def _agreed(self, key: AlertKey, filed: Filed, now: Now) -> None:
        held = self.desk.alerts.get(key)
        if held is None or not isinstance(filed.body, Tally):
            return
        # A tally of another period settles nothing of this one.
        if (held.facts.get("start"), held.facts.get("end")) == (
            filed.body.start_utc,
            filed.body.end_utc,
        ):
            self.desk.alerts.close(key, now_ms=now.utc_ms)


def tell_accounts(
    desk: Desk,
    line: Line,
    key: AlertKey,
    named: Mapping[str, Any],
    accounts: Sequence[incidents.Account],
    now: Now,
    *,
    phrase: str | None = None,
) -> None:
    """Tell which fields of several accounts differ; none of them is chosen (R29)."""
    fields = incidents.differing_fields(accounts)
    terms = line.book.terms
    tolerance_ms = 0 if terms is None else terms.time_tolerance_ms
    apart = {
        name: apart_ms
        for name, apart_ms in incidents.times_apart_ms(accounts).items()
        if apart_ms > tolerance_ms
    }
    odd = [found for account in accounts for found in incidents.implausible_figures(account)]
    if not (fields or odd):
        most = max(Counter(account.by for account in accounts).values(), default=0)
        if most < incidents.ACCOUNTS_COMPARED:  # of one with as many, older ones may differ still
            desk.alerts.close(key, now_ms=now.utc_ms)
        return
    places = incidents.places_apart_m(accounts)
    desk.tell(
        key,
        {**named, "fields": _first_of(said_names(fields))},
        phrase=phrase,
        drill=all(account.drill for account in accounts),
        urgency="ROUTINE",
        now_ms=now.utc_ms,
        facts={
            "differing": list(fields),
            "times_apart_ms": apart,
            "places_apart_m": {name: round(apart_m) for name, apart_m in places.items()},
            "implausible": [
                {
                    "by": found.by,
                    "fields": [found.length_field, found.time_field],
                    "speed_mps": round(found.speed_mps, 1),
                }
                for found in odd
            ],
        },
    )


def _has_word_of(accounts: Sequence[Filed], party: str) -> bool:
    return any(filed.party == party for filed in accounts)


def _entries(found: Sequence[Difference]) -> Said:
    """Return entries as one short text; all of them are on the page of the tally."""
    named = [
        joined([f"{one.message[:ID_SHOWN]} (", code_said(one.word), ")"], "")
        for one in found[:_NAMED]
    ]
    more = len(found) - len(named)
    none = {"word": [ValueType.FIELDS.value, "none"]}
    return joined([*named, *([f"+{more}"] if more > 0 else [])], ", ") if named else none


def _first_of(fields: Sequence[str]) -> str:
    """Return names as one short text: whoever tells at length makes no alert too long to show."""
    more = len(fields) - _NAMED
    return ", ".join([*fields[:_NAMED], *([f"+{more}"] if more > 0 else [])]) or "-"
