"""The certificate of a plan: which files, which minima, what was changed, what a screen finds.

It is made from the files as they were written, not from what the search held in memory: the file of
changes is read back and screened with the others. Whoever has the files can do the same again.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from deconflict import __version__
from deconflict.advise import Change
from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.where import located
from deconflict.cli.advice_words import change_words
from deconflict.cli.situation import Named, Reading
from deconflict.errors import InvalidDocumentError, NotFoundError, VerificationError
from deconflict.formats.bounded_json import parse_json
from deconflict.formats.conflict_files import conflict_rows
from deconflict.formats.screen_files import read_screen_files
from deconflict.separation import AltitudeConversions, Conflicts, Flights, Minima, SaidMinima
from deconflict.separation import Volumes as Areas
from deconflict.separation.screening import screen

__all__ = ["Certificate", "certified", "check_again", "read_certificate", "said_in"]

EDITION: Final = 1


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file that was screened; ``may_change`` is False for what stays as it is."""

    file: str
    sha256: str
    may_change: bool


class MinimaBetween(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Minima between two purposes or parties, or one and itself; between all where none is said."""

    between: list[str]
    lateral_m: float
    vertical_tmm: int


class Conversion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How altitudes of one reference compare with those of another."""

    source: AltitudeReference
    to: AltitudeReference
    least_tmm: int
    most_tmm: int


class Changed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A change, and where what it changes stands: place of the file among ``files``, and row."""

    name: str
    file: int
    number: int
    change: str
    shift_ms: int
    level_tmm: int
    offset_mm: int


class Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a screen of a plan found, and all that it takes to do it again.

    ``changes`` are in the order of the file ``changed``, which is None where nothing is changed.
    """

    edition: int
    program: str
    files: list[File]
    changed: File | None
    altitude_reference: AltitudeReference | None
    ignore: list[str]
    within_parties: bool
    minima: list[MinimaBetween]
    altitudes: list[Conversion]
    changes: list[Changed]
    flights: int
    volumes: int
    findings_left: int
    findings: list[dict[str, Any]]

    def to_json(self) -> bytes:
        """Return it as a file."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"


def certified(
    files: Sequence[Path],
    against: Sequence[Path],
    changed: Path,
    changes: Sequence[tuple[Named, Change]],
    *,
    said: SaidMinima,
    conversions: AltitudeConversions,
    reading: Reading,
    within_parties: bool,
) -> Certificate:
    """Return the certificate of a plan whose changed declarations stand in the file ``changed``.

    Args:
        files: of what may be changed.
        against: of what stays.
        changed: written before, in the order of ``changes``.
        changes: what is changed, and how.
        said, conversions, reading, within_parties: as the plan was asked for.

    Raises:
        InvalidInputError: a file cannot be read.
    """
    asked = Certificate(
        edition=EDITION,
        program=f"deconflict {__version__}",
        files=[
            *(_file(file, may_change=True) for file in files),
            *(_file(file, may_change=False) for file in against),
        ],
        changed=_file(changed, may_change=True) if changes else None,
        altitude_reference=reading.reference,
        ignore=sorted(reading.ignore),
        within_parties=within_parties,
        minima=_minima(said),
        altitudes=[
            Conversion(source=source, to=to, least_tmm=least, most_tmm=most)
            for (source, to), (least, most) in conversions.offsets.items()
        ],
        changes=[_changed(named, change, files) for named, change in changes],
        flights=0,
        volumes=0,
        findings_left=0,
        findings=[],
    )
    found = _screened(asked, [*files, *against], changed)
    rows = list(conflict_rows(found))
    return msgspec.structs.replace(
        asked,
        flights=len(found.flights),
        volumes=len(found.volumes),
        findings_left=len(rows),
        findings=rows,
    )


def read_certificate(file: Path) -> Certificate:
    """Return the certificate in a file.

    Raises:
        InvalidDocumentError: it is none.
    """
    with located(f"{file.name}:"):
        value = parse_json(file.read_bytes())
        if isinstance(value, dict) and value.get("edition") != EDITION:
            raise InvalidDocumentError(
                "this is no certificate of a plan, or one of another edition",
                given=f"edition {value.get('edition')!r:.20}",
                expected=f"edition {EDITION}, as deconflict advise --certificate writes it",
            )
        try:
            return msgspec.convert(value, Certificate)
        except msgspec.ValidationError as error:
            raise InvalidDocumentError(
                "this is no certificate of a plan",
                given=f"{error}"[:160],
                expected="a file that deconflict advise --certificate wrote",
            ) from error


def check_again(certificate: Certificate, beside: Path) -> Conflicts:
    """Return what a screen of the certified files finds now, which is what it says.

    A file is looked for where the certificate says, and beside it.

    Args:
        certificate: what is to be checked.
        beside: the folder that the certificate is in.

    Raises:
        NotFoundError: a file is not there.
        VerificationError: a file is another than was screened, or the screen finds something else.
    """
    paths = [_found(one, beside) for one in certificate.files]
    changed = None if certificate.changed is None else _found(certificate.changed, beside)
    found = _screened(certificate, paths, changed)
    if certificate.findings_left != len(found):
        raise VerificationError(
            "the certificate does not hold: it counts other conflicts than a screen finds",
            given=f"findings_left {certificate.findings_left}",
            expected=f"{len(found)}, what a screen of the same files finds",
            remedy="trust the screen, not the certificate",
        )
    names = ("first", "second", "verdict")
    then = [tuple(row.get(name) for name in names) for row in certificate.findings]
    now = [tuple(row[name] for name in names) for row in conflict_rows(found)]
    counts = len(found.flights), len(found.volumes)
    if now != then or counts != (certificate.flights, certificate.volumes):
        raise VerificationError(
            "the certificate does not hold: the same files, screened again, give something else",
            given=f"it says {len(then)} conflicts among {certificate.flights} flights and "
            f"{certificate.volumes} volumes",
            expected=f"{len(now)} among {counts[0]} and {counts[1]}",
            remedy="trust the screen, not the certificate; it was written by "
            + certificate.program[:60],
        )
    return found


@dataclass(frozen=True, slots=True)
class _Part:
    flights: Flights
    volumes: Areas
    may_change: bool


def _screened(certificate: Certificate, paths: Sequence[Path], changed: Path | None) -> Conflicts:
    """Return what is found of the plan: all but conflicts between two that stay as they are."""
    parts: list[_Part] = []
    for place, (path, file) in enumerate(zip(paths, certificate.files, strict=True)):
        held = read_screen_files(
            [path],
            reference=certificate.altitude_reference,
            ignore=frozenset(certificate.ignore),
        )
        gone = np.array([one.number for one in certificate.changes if one.file == place], np.int64)
        parts.append(
            _Part(
                held.flights.taken(_without(held.flights, gone)),
                held.volumes.taken(_without(held.volumes, gone)),
                file.may_change,
            )
        )
    if changed is not None and certificate.changes:
        held = read_screen_files([changed])
        _expect_named(held.flights, held.volumes, len(certificate.changes))
        parts.append(_Part(held.flights, held.volumes, may_change=True))
    flights = Flights.joined([part.flights for part in parts if len(part.flights)])
    volumes = Areas.joined([part.volumes for part in parts if len(part.volumes)])
    found = screen(
        # One's own and others' may have one name: they are told apart by their numbers.
        replace(flights, ids=None),
        replace(volumes, ids=None),
        minima=said_in(certificate),
        conversions=AltitudeConversions(
            {(one.source, one.to): (one.least_tmm, one.most_tmm) for one in certificate.altitudes}
        ),
        within_parties=certificate.within_parties,
    )
    may_change = np.concatenate(
        [
            *(np.full(len(part.flights), part.may_change) for part in parts),
            *(np.full(len(part.volumes), part.may_change) for part in parts),
        ]
    )
    ours = np.flatnonzero(may_change[found.first] | may_change[found.second])
    return replace(found.taken(ours), flights=flights, volumes=volumes)


def _without(held: Flights | Areas, gone: NDArray[np.int64]) -> NDArray[np.int64]:
    if held.rows is None:
        return np.arange(len(held))
    return np.flatnonzero(~np.isin(held.rows.number, gone)).astype(np.int64)


def _expect_named(flights: Flights, volumes: Areas, changes: int) -> None:
    count = len(flights) + len(np.unique(volumes.item))
    if count != changes:
        raise VerificationError(
            "the file of changes holds another number than the certificate names",
            given=f"{count}",
            expected=f"{changes}",
        )


def _file(path: Path, *, may_change: bool) -> File:
    return File(file=str(path), sha256=_sha256(path), may_change=may_change)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _found(file: File, beside: Path) -> Path:
    """Return where a file is, the very one that was screened."""
    places = (Path(file.file), beside / file.file, beside / Path(file.file).name)
    there = [path for path in places if path.is_file()]
    if not there:
        raise NotFoundError(
            "a file that the certificate names is not there",
            given=file.file,
            expected="it where the certificate says, or beside the certificate",
        )
    for path in there:
        if _sha256(path) == file.sha256:
            return path
    raise VerificationError(
        "a file is not the one that was screened",
        given=f"{there[0]} of SHA-256 {_sha256(there[0])[:16]}…",
        expected=f"SHA-256 {file.sha256[:16]}…",
        remedy="it was changed since: make the plan again",
    )


def _minima(said: SaidMinima) -> list[MinimaBetween]:
    pairs: Iterable[tuple[frozenset[str], Minima]] = said.pairs.items()
    if said.for_all is not None:
        pairs = [(frozenset[str](), said.for_all), *pairs]
    return [
        MinimaBetween(
            between=sorted(names), lateral_m=minima.lateral_m, vertical_tmm=minima.vertical_tmm
        )
        for names, minima in pairs
    ]


def said_in(certificate: Certificate) -> SaidMinima:
    """Return the minima that a certificate names."""
    every = {
        frozenset(one.between): Minima(one.lateral_m, one.vertical_tmm)
        for one in certificate.minima
    }
    return SaidMinima(every.pop(frozenset(), None), every)


def _changed(named: Named, change: Change, files: Sequence[Path]) -> Changed:
    if named.place is None:
        raise AssertionError("a certificate is of files alone")
    return Changed(
        name=named.name,
        file=list(files).index(named.place.file),
        number=named.place.number,
        change=change_words(change),
        shift_ms=change.shift_ms,
        level_tmm=change.level_tmm,
        offset_mm=change.offset_mm,
    )
