"""How close is too close, and how altitudes of different references compare: from the terms."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Final

from deconflict.airspace.altitude import MAX_ALTITUDE_TMM, AltitudeReference, feet_and_metres
from deconflict.errors import InvalidAltitudeError, InvalidGeometryError

__all__ = ["MAX_LATERAL_M", "AltitudeConversions", "Minima", "MinimaTable"]

MAX_LATERAL_M: Final = 1_000_000.0  # 1,000 km: the kernel's proofs reach as far, with all margins


@dataclass(frozen=True, slots=True)
class Minima:
    """A cylinder: closer than both distances at once is too close.

    Two trajectories exactly at either distance are separated; with a volume, exactly at both is
    too close.

    Raises:
        InvalidGeometryError: ``lateral_m`` is not finite, below 0 or above 1,000 km.
        InvalidAltitudeError: ``vertical_tmm`` is not 0 to 100 km.

    >>> Minima(lateral_m=9_260.0, vertical_tmm=3_048_000).vertical_tmm  # 5 NM, 1,000 ft
    3048000
    """

    lateral_m: float
    vertical_tmm: int

    def __post_init__(self) -> None:
        if not _is_a(Real, self.lateral_m):
            raise InvalidGeometryError(
                "the lateral minimum is no number",
                given=f"{type(self.lateral_m).__name__} {self.lateral_m!r:.40}",
                expected=f"metres, 0 to {MAX_LATERAL_M:.0f}",
            )
        if not _is_a(Integral, self.vertical_tmm):
            raise InvalidAltitudeError(
                "the vertical minimum is no whole number",
                given=f"{type(self.vertical_tmm).__name__} {self.vertical_tmm!r:.40}",
                expected=f"whole tenths of a millimetre, 0 to {MAX_ALTITUDE_TMM}",
                remedy="1 ft is 3,048 of them, 1 m is 10,000",
            )
        if not (math.isfinite(self.lateral_m) and 0.0 <= self.lateral_m <= MAX_LATERAL_M):
            raise InvalidGeometryError(
                "the lateral minimum cannot be used",
                given=f"lateral_m {self.lateral_m}",
                expected=f"metres, 0 to {MAX_LATERAL_M:.0f}",
            )
        if not 0 <= self.vertical_tmm <= MAX_ALTITUDE_TMM:
            raise InvalidAltitudeError(
                "the vertical minimum cannot be used",
                given=f"vertical_tmm {self.vertical_tmm}",
                expected=f"tenths of a millimetre, 0 to {MAX_ALTITUDE_TMM}",
            )


def _is_a(kind: type, value: object) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class MinimaTable:
    """Minima by pair of purposes, whichever way round; ``default`` for the pairs not named.

    A key of one purpose alone stands for that purpose against itself.
    """

    default: Minima
    pairs: Mapping[frozenset[str], Minima] = field(default_factory=dict)

    def of(self, purpose_a: str, purpose_b: str) -> Minima:
        """Return the minima between two purposes.

        >>> table = MinimaTable(Minima(0.0, 0), {frozenset({"FLIGHT"}): Minima(9260.0, 3_048_000)})
        >>> table.of("FLIGHT", "FLIGHT").lateral_m, table.of("FLIGHT", "HAZARD").lateral_m
        (9260.0, 0.0)
        """
        return self.pairs.get(frozenset((purpose_a, purpose_b)), self.default)


@dataclass(frozen=True, slots=True)
class AltitudeConversions:
    """Lowest and highest difference between altitudes of two references at one place.

    ``offsets[(a, b)] = (lo, hi)``: an aircraft at altitude x in reference a is somewhere between
    x + lo and x + hi in reference b. The way back is derived. One reference compares with itself
    directly, except AGL: the ground differs from place to place, so (AGL, AGL) must be named too.
    References that no offset joins do not compare: findings among them are INCOMPARABLE.

    Raises:
        InvalidAltitudeError: lo above hi, a difference beyond 100 km, or both ways named.
    """

    offsets: Mapping[tuple[AltitudeReference, AltitudeReference], tuple[int, int]] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        for (source, to), (lo, hi) in self.offsets.items():
            if not -MAX_ALTITUDE_TMM <= lo <= hi <= MAX_ALTITUDE_TMM:
                raise InvalidAltitudeError(
                    "an altitude conversion cannot be used",
                    given=f"{source} to {to}: {feet_and_metres(lo)} to {feet_and_metres(hi)}",
                    expected="lowest at or below highest difference, both within ±100 km",
                )
            if source != to and (to, source) in self.offsets:
                raise InvalidAltitudeError(
                    "an altitude conversion is named both ways",
                    given=f"{source} to {to} and {to} to {source}",
                    expected="one of them; the other is derived",
                )

    def slack_tmm(self, one: AltitudeReference, other: AltitudeReference) -> int:
        """Return how far a converted altitude may be off either way; 0 where none is converted.

        >>> known = AltitudeConversions({(AltitudeReference.AMSL, AltitudeReference.W84): (1, 6)})
        >>> known.slack_tmm(AltitudeReference.W84, AltitudeReference.AMSL)
        3
        """
        known = self.between(one, other)
        return 0 if known is None else (known[1] - known[0] + 1) // 2

    def middle_tmm(self, one: AltitudeReference, other: AltitudeReference) -> int:
        """Return what is added to an altitude in ``one`` before it is compared with ``other``'s.

        The middle of the range as the kernel rounds it, so that the other way round it is the
        negative; 0 where they do not compare.

        >>> known = AltitudeConversions({(AltitudeReference.W84, AltitudeReference.AMSL): (-4, 1)})
        >>> known.middle_tmm(AltitudeReference.W84, AltitudeReference.AMSL)
        -2
        >>> known.middle_tmm(AltitudeReference.AMSL, AltitudeReference.W84)
        2
        """
        first, second = sorted((one, other), key=list(AltitudeReference).index)
        known = self.between(first, second)
        if known is None:
            return 0
        middle = (known[0] + known[1]) // 2
        return middle if first == one else -middle

    def between(self, source: AltitudeReference, to: AltitudeReference) -> tuple[int, int] | None:
        """Return lowest and highest (altitude in ``to`` − altitude in ``source``); None if unknown.

        >>> known = AltitudeConversions({(AltitudeReference.AMSL, AltitudeReference.W84): (1, 5)})
        >>> known.between(AltitudeReference.W84, AltitudeReference.AMSL)
        (-5, -1)
        >>> known.between(AltitudeReference.AGL, AltitudeReference.AGL) is None
        True
        """
        if source == to:
            named = self.offsets.get((source, to))
            if named is not None:
                # Either may be the higher ground.
                reach = max(abs(named[0]), abs(named[1]))
                return (-reach, reach)
            return None if source == AltitudeReference.AGL else (0, 0)
        forward = self.offsets.get((source, to))
        if forward is not None:
            return forward
        backward = self.offsets.get((to, source))
        return None if backward is None else (-backward[1], -backward[0])
