"""How near is too near, and how altitudes compare, as the command line is told it."""

from collections.abc import Sequence
from pathlib import Path

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.quantity import parse_height
from deconflict.airspace.where import located
from deconflict.errors import InvalidAltitudeError, InvalidInputError
from deconflict.formats.bounded_json import parse_json
from deconflict.separation import AltitudeConversions, SaidMinima, said_minima

__all__ = ["said_terms"]


def said_terms(
    minima: Sequence[str], terms: Path | None, altitudes: Sequence[str]
) -> tuple[SaidMinima, AltitudeConversions]:
    """Return minima and conversions, from the options or from terms, never from both.

    Raises:
        InvalidInputError: they are said twice or not at all, or cannot be read.
    """
    if terms is not None:
        if minima or altitudes:
            raise InvalidInputError(
                "minima are said twice",
                given="--terms beside --minima or --altitudes",
                expected="one of them",
            )
        return _agreed(terms)
    said = said_minima(minima)
    if said.for_all is None and not said.pairs:
        said.table(())  # says what is missing, before anything is read
    return said, AltitudeConversions(dict(_conversion(text) for text in altitudes))


def _agreed(file: Path) -> tuple[SaidMinima, AltitudeConversions]:
    # Where minima are typed, what a line agreed is not asked for, nor all that it takes to read it.
    from deconflict.messages.in_force import conversions_of, minima_of
    from deconflict.messages.terms import terms_from_wire

    with located(f"{file.name}:"):
        value = parse_json(file.read_bytes())
        # `deconflict terms show --json` prints the agreed terms beside what is proposed.
        if isinstance(value, dict) and isinstance(value.get("agreed"), dict):
            value = value["agreed"]
        agreed = terms_from_wire(value)
    return said_minima(minima_of(agreed)), conversions_of(agreed)


def _conversion(text: str) -> tuple[tuple[AltitudeReference, AltitudeReference], tuple[int, int]]:
    """Read ``FL:AMSL=-1500ft,2000ft``."""

    def signed(height: str) -> int:
        height = height.strip()
        below = height.startswith("-")
        tmm = parse_height(height[1:] if below else height)
        return -tmm if below else tmm

    references, equals, heights = text.partition("=")
    source, colon, to = references.partition(":")
    least, comma, most = heights.partition(",")
    known = set(AltitudeReference)
    if not (equals and colon and comma) or source not in known or to not in known:
        raise InvalidInputError(
            "how altitudes compare cannot be read",
            given=text,
            expected="two references, then least and most difference: FL:AMSL=-1500ft,2000ft",
        )
    pair, span_tmm = (
        (AltitudeReference(source), AltitudeReference(to)),
        (signed(least), signed(most)),
    )
    try:
        AltitudeConversions({pair: span_tmm})
    except InvalidAltitudeError as error:  # the same, as it was typed
        raise InvalidAltitudeError(
            error.problem,
            given=f"{text:.80}",
            expected=error.expected,
            remedy="the least difference first: FL:AMSL=-1500ft,2000ft",
        ) from error
    return pair, span_tmm
