"""What advice is about: what may be changed, what stays, and how near is too near.

From a running node (what it holds declared, under the terms of each line) or from files alone.
Nothing of it is sent anywhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from deconflict.airspace import geometry_from_wire, parse_utc
from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.where import located
from deconflict.cli.output import short
from deconflict.errors import InvalidGeometryError, InvalidInputError, LineStateError
from deconflict.formats.planned_files import read_planned_file
from deconflict.separation import (
    AltitudeConversions,
    Extent,
    MinimaTable,
    SaidMinima,
    check,
)
from deconflict.separation.labels import numbered
from deconflict.separation.minima_classes import MinimaClasses, class_name

if TYPE_CHECKING:
    from deconflict.cli.client import NodeClient
    from deconflict.messages.terms import Terms

__all__ = ["Named", "Place", "Reading", "Situation", "from_files", "from_node"]

_SIDES: Final = ("first", "second")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which file something is said; the number as refusals count it."""

    file: Path
    number: int


@dataclass(frozen=True, slots=True)
class Reading:
    """How the files are read that are asked about: as ``deconflict screen`` reads them."""

    reference: AltitudeReference | None = None
    ignore: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Named:
    """An extent as a person knows it.

    ``party`` is whose its file says that it is, and ``place`` where it stands there.
    """

    extent: Extent
    label: str | None
    purpose: str
    declaration_id: str | None
    own: bool
    feature_id: str | None = None
    party: str | None = None
    place: Place | None = None

    @property
    def name(self) -> str:
        """Its label or how its file names it; else what it is and how its id begins."""
        what = self.purpose.replace("_", " ").lower()
        known = short(self.declaration_id, 6) if self.declaration_id else self.extent.key
        return self.label or self.feature_id or f"{what} {known}"

    @property
    def whose(self) -> str:
        """Its name with its party, or its file, for what is not one's own."""
        return self.name if self.own else f"{self.shown_party} {self.name}"

    @property
    def shown_party(self) -> str:
        """Its party, as a person knows it; of what names none, the file that it is in."""
        if self.place is None:
            return self.extent.party
        return self.party or self.place.file.name


@dataclass(frozen=True, slots=True)
class Situation:
    """What advice is computed from.

    ``now_ms`` is the node's clock; None where there is no node and nothing is too late.
    """

    movable: tuple[Named, ...]
    others: tuple[Named, ...]
    minima: MinimaTable
    conversions: AltitudeConversions
    now_ms: int | None
    warnings: tuple[str, ...] = field(default=())

    def named(self) -> dict[str, Named]:
        """Return everything by its key."""
        return {one.extent.key: one for one in (*self.movable, *self.others)}


def from_files(
    files: Sequence[Path],
    against: Sequence[Path],
    said: SaidMinima,
    conversions: AltitudeConversions,
    *,
    reading: Reading | None = None,
    within_parties: bool = False,
) -> Situation:
    """Return the declarations of files, those of ``files`` movable; no node is asked.

    What names no party counts as a party of its own, so that it keeps the minima of all others;
    with ``within_parties`` everything does, and parties only choose the minima.

    Raises:
        InvalidInputError: a file or the minima cannot be read.
    """
    reading = reading or Reading()
    movable = list(_drafted(files, reading, own=True))
    others = list(_drafted(against, reading, own=False))
    every = [*movable, *others]
    parties = numbered(one.party for one in every if one.party is not None)
    classes = MinimaClasses.of(
        said, purposes=numbered(one.purpose for one in every), parties=parties
    )
    named = {name for pair in classes.parties for name in pair}

    def kept(one: Named) -> Named:
        party = one.party if one.party is not None and not within_parties else _alone(one)
        chooses = class_name(one.purpose, one.party if one.party in named else None)
        return replace(one, extent=replace(one.extent, party=party, purpose=chooses))

    return Situation(
        movable=tuple(map(kept, movable)),
        others=tuple(map(kept, others)),
        minima=classes.by_name(),
        conversions=conversions,
        now_ms=None,
    )


def _alone(one: Named) -> str:
    """Return a party of one's own; no name of a party begins so."""
    return f"\0{one.extent.key}"


def from_node(
    node: "NodeClient",
    files: Sequence[Path],
    *,
    conflict: str | None = None,
    reading: Reading | None = None,
) -> Situation:
    """Return what the node holds declared: own drafts of files, or all that is own, may change.

    The peers' declarations stay, and so do own ones that no draft replaces. With the id of a
    conflict, or of its alert, all but the own declaration in it stays.

    Raises:
        LineStateError: no line has agreed terms, so there are no minima.
        InvalidInputError: a file cannot be read.
        NotFoundError: there is no such conflict.
    """
    from deconflict.node.agreed_sky import agreed_conversions, agreed_minima, purpose_on

    me = node.get("node")
    party, now_ms = str(me["party"]), parse_utc(me["now_utc"])
    terms = _terms(node)
    declared = node.declarations(active=True)
    own = [_declared(one, one["purpose"]) for one in declared if one["own"]]
    peers = [
        _declared(one, purpose_on(line, one["purpose"]))
        for one in declared
        for line in one["line_ids"][:1]
        if not one["own"] and line in terms
    ]
    if files:
        movable = list(_own_drafts(files, reading or Reading(), party))
        replaced = {one.declaration_id for one in movable}
        fixed = [one for one in own if one.declaration_id not in replaced]
    elif conflict is not None:
        met = node.conflict(conflict)
        ours = next(met[f"{side}_declaration"] for side in _SIDES if met[f"{side}_party"] == party)
        movable = [one for one in own if one.declaration_id == ours]
        fixed = [one for one in own if one.declaration_id != ours]
    else:
        movable, fixed = own, []
    minima, conversions = agreed_minima(terms), agreed_conversions(terms.values())
    others, warnings = _usable([*fixed, *peers], minima, conversions)
    return Situation(tuple(movable), tuple(others), minima, conversions, now_ms, tuple(warnings))


def _drafted(files: Sequence[Path], reading: Reading, *, own: bool) -> Iterator[Named]:
    for file in files:
        for one in read_planned_file(file, reference=reading.reference, ignore=reading.ignore):
            said = one.said
            key = said.declaration_id if own and said.declaration_id else f"{file} {one.number}"
            yield Named(
                Extent(key, key, said.purpose, said.geometry),
                label=said.label,
                purpose=said.purpose,
                declaration_id=said.declaration_id,
                own=own,
                feature_id=said.feature_id,
                party=said.party,
                place=Place(file, one.number),
            )


def _own_drafts(files: Sequence[Path], reading: Reading, party: str) -> Iterator[Named]:
    """Yield what files hold as drafts of one's own.

    Raises:
        InvalidInputError: a file names another party: no advice is given of what is not one's own.
    """
    for one in _drafted(files, reading, own=True):
        if one.party not in (None, party):
            raise InvalidInputError(
                "a draft is of another party than the node",
                given=f"{one.name} of {one.party}",
                expected=f"drafts of {party}, or of no party",
                remedy="leave it out; or compare files alone, with --minima",
            )
        yield replace(one, extent=replace(one.extent, party=party))


def _declared(one: Mapping[str, Any], purpose: str) -> Named:
    identifier = str(one["declaration_id"])
    with located(f"declaration {short(identifier)}:"):
        geometry = geometry_from_wire(one["geometry"])
    key = identifier if one["own"] else f"{one['party']}/{identifier}"
    return Named(
        Extent(key, one["party"], purpose, geometry),
        label=one["label"],
        purpose=one["purpose"],
        declaration_id=identifier,
        own=one["own"],
    )


def _terms(node: "NodeClient") -> dict[str, "Terms"]:
    from deconflict.messages.terms import terms_from_wire

    agreed = {
        line["line_id"]: node.get("lines", line["line_id"], "terms")["agreed"]
        for line in node.lines()
    }
    found = {line: terms_from_wire(wire) for line, wire in agreed.items() if wire is not None}
    if not found:
        raise LineStateError(
            "no line has agreed terms, so there are no minima to keep",
            expected="terms that both sides signed, or --minima with files",
            remedy="deconflict terms propose, or give --minima 5NM,1000ft",
        )
    return found


def _usable(
    others: Sequence[Named], minima: MinimaTable, conversions: AltitudeConversions
) -> tuple[list[Named], list[str]]:
    """Leave out, with a warning each, what the separation check refuses: it must hide no other."""
    if not _refused(others, minima, conversions):
        return list(others), []
    refused = [one for one in others if _refused([one], minima, conversions)]
    warnings = [
        f"NOT CHECKED. {one.whose} cannot be compared with anything, so no change was held "
        "against it."
        for one in refused
    ]
    return [one for one in others if one not in refused], warnings


def _refused(some: Sequence[Named], minima: MinimaTable, conversions: AltitudeConversions) -> bool:
    try:
        check([one.extent for one in some], others=[], minima=minima, conversions=conversions)
    except InvalidGeometryError:
        return True
    return False
