"""What is added to the minima of a pair, and whose it is: containment, windows, a conversion."""

from dataclasses import dataclass, replace

import numpy as np

from deconflict.airspace.altitude import AltitudeReference
from deconflict.cli.meeting import reference_of
from deconflict.cli.output import clean, feet, metres
from deconflict.separation.arrays import SURFACE, UNLIMITED
from deconflict.separation.conflicts import Conflicts
from deconflict.separation.minima import AltitudeConversions, Minima
from deconflict.separation.said_minima import SaidMinima
from deconflict.separation.screening import screen
from deconflict.units import TMM_PER_METRE

__all__ = ["MEASURED", "Margins", "as_planned", "length", "margins_of", "minima_words"]

MEASURED = {
    AltitudeReference.W84: "above the ellipsoid",
    AltitudeReference.AMSL: "above mean sea level",
    AltitudeReference.FL: "pressure altitude",
    AltitudeReference.AGL: "above ground",
}


@dataclass(frozen=True, slots=True)
class Margins:
    """What two bring to their minima.

    Attributes:
        names: of both, safe to print.
        lateral_m, vertical_tmm, window_s: of each.
        references: of each.
        conversion: lowest and highest of the second reference less the first, tenths of a
            millimetre; None where nothing is converted or no conversion is known.
        slack_tmm: what the conversion adds.
        matter: False exactly when altitudes meet whatever they are.
        flies: True exactly when the first is a flight.
        closed: True exactly when touching is meeting.
    """

    names: tuple[str, str]
    lateral_m: tuple[float, float]
    vertical_tmm: tuple[int, int]
    window_s: tuple[float, float]
    references: tuple[AltitudeReference, AltitudeReference]
    conversion: tuple[int, int] | None
    slack_tmm: int
    matter: bool
    flies: bool
    closed: bool

    @property
    def contained(self) -> bool:
        """True exactly when one of them may be off its plan, in place or time."""
        return any((*self.lateral_m, *self.vertical_tmm, *self.window_s))


def margins_of(found: Conflicts, one: int, other: int, conversions: AltitudeConversions) -> Margins:
    """Return what the flights or volumes of these numbers bring."""
    flights = found.flights
    rows = [which if which < len(flights) else None for which in (one, other)]

    def each(column: np.ndarray) -> tuple[float, float]:
        values = [0.0 if row is None else column[row].item() for row in rows]
        return values[0], values[1]

    vertical = each(flights.vertical_tmm)
    references = reference_of(found, one), reference_of(found, other)
    matter = _altitudes_matter(found, one, other)
    conversion = conversions.between(*references) if matter else None
    names = [clean(name) for name in found.names(np.array([one, other])).tolist()]
    return Margins(
        names=(names[0], names[1]),
        lateral_m=each(flights.lateral_m),
        vertical_tmm=(int(vertical[0]), int(vertical[1])),
        window_s=each(flights.window_s),
        references=references,
        conversion=None if conversion == (0, 0) else conversion,
        slack_tmm=conversions.slack_tmm(*references) if matter else 0,
        matter=matter,
        flies=rows[0] is not None,
        closed=None in rows,
    )


def minima_words(minima: Minima, margins: Margins) -> list[str]:
    """Return sentences that tell the minima, each margin with whose it is, and their sum."""
    said = [
        f"The minima between them are {metres(minima.lateral_m)} and "
        f"{feet(minima.vertical_tmm / TMM_PER_METRE)}."
    ]
    for name, aside, above, window in zip(
        margins.names, margins.lateral_m, margins.vertical_tmm, margins.window_s, strict=True
    ):
        room = [
            words
            for is_there, words in (
                (aside, f"{metres(aside)} aside of its plan"),
                (above, f"{feet(above / TMM_PER_METRE)} above or below its plan"),
                (window, f"{length(window)} early or late"),
            )
            if is_there
        ]
        if room:
            said.append(f"{name} may be up to {_listed(room)}: that is its containment.")
    if margins.conversion is not None:
        said.append(_conversion_words(margins, margins.conversion))
    lateral_m = minima.lateral_m + sum(margins.lateral_m)
    vertical_tmm = minima.vertical_tmm + sum(margins.vertical_tmm) + margins.slack_tmm
    if lateral_m != minima.lateral_m or vertical_tmm != minima.vertical_tmm:
        near = f"{metres(lateral_m)} over the ground and {feet(vertical_tmm / TMM_PER_METRE)}"
        said.append(
            f"With all of this, {near}, or less, at once is too close."
            if margins.closed
            else f"With all of this, less than {near} at once is too close."
        )
    return said


def as_planned(found: Conflicts, minima: Minima, conversions: AltitudeConversions) -> Conflicts:
    """Return what is found where both keep exactly to plan: no containment and no window."""
    flights = found.flights
    exact = replace(
        flights,
        lateral_m=np.zeros_like(flights.lateral_m),
        vertical_tmm=np.zeros_like(flights.vertical_tmm),
        window_s=np.zeros_like(flights.window_s),
    )
    return screen(
        exact,
        found.volumes,
        minima=SaidMinima(minima),
        conversions=conversions,
        within_parties=True,
    )


def length(seconds: float) -> str:
    """Return a length of time as people say it.

    >>> length(12.34), length(600), length(3725)
    ('12.3 s', '10 min 0 s', '62 min 5 s')
    """
    if seconds < 60:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60} s"


def _conversion_words(margins: Margins, conversion: tuple[int, int]) -> str:
    low, high = conversion
    first, second = margins.references
    half = feet(margins.slack_tmm / TMM_PER_METRE)
    if first == second:
        return (
            f"Two altitudes {MEASURED[first]} may differ by up to {feet(high / TMM_PER_METRE)}, as "
            f"it was given: so much is added to the vertical minimum."
        )
    name = margins.names[0]
    return (
        f"Measured {_as(second)}, {name} is between {_beside(low)} and {_beside(high)} what it "
        f"has {_as(first)}, so it was given: half of that range, {half}, is added to the vertical "
        "minimum."
    )


def _as(reference: AltitudeReference) -> str:
    return "as pressure altitude" if reference is AltitudeReference.FL else MEASURED[reference]


def _beside(tmm: int) -> str:
    return f"{feet(tmm / TMM_PER_METRE)} {'below' if tmm < 0 else 'above'}"


def _listed(parts: list[str]) -> str:
    return ", ".join(parts[:-1]) + (" and " if parts[1:] else "") + parts[-1]


def _altitudes_matter(found: Conflicts, one: int, other: int) -> bool:
    """Return False exactly when the bands meet whatever they are measured from."""
    rows = [which - len(found.flights) for which in (one, other)]
    lower, upper = found.volumes.lower_tmm, found.volumes.upper_tmm
    grounded = [row >= 0 and bool(lower[row] == SURFACE) for row in rows]
    unlimited = [row >= 0 and bool(upper[row] == UNLIMITED) for row in rows]
    everywhere = any(map(all, zip(grounded, unlimited, strict=True)))
    return not (everywhere or all(grounded) or all(unlimited))
