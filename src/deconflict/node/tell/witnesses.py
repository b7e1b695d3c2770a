"""A third witness that signs nothing, or says that it knows another record of ours."""

from collections.abc import Collection
from typing import Final

from deconflict.airspace.instant import format_utc
from deconflict.line.moment import Now
from deconflict.node.alerts import AlertKey
from deconflict.node.line import Line
from deconflict.node.tell.desk import Desk
from deconflict.node.witness.state import WitnessState

__all__ = ["forget_witnesses", "tell_witness"]

_CONTRADICTS: Final = "WITNESS_CONTRADICTS"
_SILENT: Final = "WITNESS_SILENT"
_LONGEST_NAME: Final = 80


def tell_witness(desk: Desk, line: Line, state: WitnessState, now: Now) -> None:
    """Raise what a person must know of a witness; close it once it signs again.

    That it contradicts stays open until it signs: nobody but a person can find out who is right.
    """
    values = {"witness": state.name[:_LONGEST_NAME], "peer": line.peer}
    if state.contradicts is not None:
        own = line.machine.own_head
        desk.tell(
            AlertKey(_CONTRADICTS, line.line_id, state.name),
            {**values, "theirs": state.contradicts, "ours": 0 if own is None else own.seq},
            drill=False,
            urgency="IMMEDIATE",
            now_ms=now.utc_ms,
        )
    silent_since = state.since_ms
    if silent_since is not None and now.utc_ms - silent_since >= state.patience_ms:
        desk.tell(
            AlertKey(_SILENT, line.line_id, state.name),
            {**values, "since": format_utc(silent_since)},
            drill=False,
            urgency="ROUTINE",
            now_ms=now.utc_ms,
            facts={"why": state.problem},
        )
    elif silent_since is None:
        desk.close(_SILENT, line.line_id, state.name, now.utc_ms)
    if state.problem is None and state.contradicts is None:
        desk.close(_CONTRADICTS, line.line_id, state.name, now.utc_ms)


def forget_witnesses(desk: Desk, asked: Collection[str], now: Now) -> None:
    """Close what is open about witnesses that are asked no longer.

    Args:
        desk: whose alerts.
        asked: the names of those that are.
        now: the present.
    """
    for rule in (_CONTRADICTS, _SILENT):
        for key in desk.alerts.keys(rule):
            if key.subject not in asked:
                desk.alerts.close(key, now_ms=now.utc_ms)
