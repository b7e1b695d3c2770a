"""How far messages have come beyond their receipt, by what the other side says of them."""

from collections.abc import Mapping
from typing import Final

from deconflict.line.delivery import DeliveryState
from deconflict.line.envelope import Envelope
from deconflict.messages.kinds import KINDS, Kind

__all__ = ["advance", "by_state"]

_ORDER: Final = (
    DeliveryState.LACKED,
    DeliveryState.SEEN,
    DeliveryState.LOADED,
    DeliveryState.CLOSED,
)
_RANKS: Final = {state: rank for rank, state in enumerate(_ORDER)}
_REACHES: Final[Mapping[str, DeliveryState]] = {
    Kind.SEEN: DeliveryState.SEEN,
    Kind.STANDBY: DeliveryState.SEEN,  # said by a person who has read it
    Kind.LOADED: DeliveryState.LOADED,
    **dict.fromkeys(
        (kind for kind, form in KINDS.items() if form.rule.closes), DeliveryState.CLOSED
    ),
}


def advance(states: dict[bytes, DeliveryState], envelope: Envelope) -> None:
    """Move on the message that an envelope cites, by its hash, as far as its kind says; never back.

    Args:
        states: of the messages of the party that did not write the envelope.
        envelope: what is said.
    """
    reached = _REACHES.get(envelope.kind)
    if envelope.ref is None or reached is None:
        return
    key = bytes.fromhex(envelope.ref)
    if _RANKS[reached] > _RANKS[states.get(key, DeliveryState.LACKED)]:
        states[key] = reached


def by_state(states: Mapping[bytes, DeliveryState]) -> dict[DeliveryState, bytes]:
    """Return the messages of each state, their hashes in order, one after another."""
    return {
        state: b"".join(sorted(name for name, reached in states.items() if reached is state))
        for state in _ORDER
    }
