"""GeoJSON of any length, read in parts: the profile of declarations, for a screening.

A FeatureCollection, or one Feature after another, a line each or not. Flights and areas as they are
written by the million are read by the kernel; whatever is out of the common is read by
`read_feature`, so that what is refused, and why, is said in one place.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np

from deconflict import _kernel
from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.outline import Circle, Corridor
from deconflict.airspace.purposes import PURPOSES
from deconflict.airspace.trajectory import Trajectory
from deconflict.airspace.volume import Volume
from deconflict.airspace.where import located
from deconflict.errors import InvalidDocumentError, InvalidGeometryError
from deconflict.formats.bounded_json import MAX_BYTES, parse_json
from deconflict.formats.declaration_input import DeclarationInput
from deconflict.formats.geojson import check_collection, read_feature
from deconflict.separation.arrays import CIRCLE, CORRIDOR, POLYGON, SURFACE, UNLIMITED
from deconflict.separation.batch import offsets_of
from deconflict.separation.flights import Flights
from deconflict.separation.labels import NAME_WORDS, Labels, is_name
from deconflict.separation.rows import Rows
from deconflict.separation.volumes import Volumes
from deconflict.units import E7_PER_DEGREE

__all__ = ["FeatureNames", "GeojsonPart", "read_geojson_stream"]

PART: Final = 8 * 1024 * 1024
MARK: Final = b"\xef\xbb\xbf"  # the byte order mark of UTF-8
FRAME: Final = 1024 * 1024  # what may stand before or after the features
REFERENCES: Final = tuple(AltitudeReference)
_FEATURE_SIGNS: Final = frozenset({"geometry", "properties", "id"})
_SPACE: Final = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class FeatureNames:
    """What a feature says that it is called, each None where it does not."""

    label: str | None
    declaration_id: str | None
    feature_id: str | None


@dataclass(frozen=True, slots=True)
class GeojsonPart:
    """The flights and volumes of one part of a file.

    ``said`` holds the features that were read one by one, ``quick`` the columns of the others.
    """

    flights: Flights
    volumes: Volumes
    said: Sequence[DeclarationInput]
    quick: Mapping[str, Any]

    def names(self) -> dict[int, FeatureNames]:
        """Return how each feature is named, by its place in the file."""
        named: dict[int, FeatureNames] = {}
        for found in (self.quick, self.quick["areas"]):
            columns = [found[name] for name in ("label", "own_id", "id")]
            made = map(FeatureNames, *columns)
            named |= zip(found["numbers"].tolist(), made, strict=True)
        for one in self.said:
            named[one.source_index] = FeatureNames(one.label, one.declaration_id, one.feature_id)
        return named


def read_geojson_stream(
    path: Path, *, advance: Callable[[int], None], part_bytes: int = PART
) -> Iterator[GeojsonPart]:
    """Yield the flights and volumes of a file, part by part, in its order.

    Read as ``docs/reference/geojson-profile.md`` says, without its limits on the whole document,
    and with two more members: a feature's ``id`` and the property ``party``. No more is held than
    one part, or the longest feature where that is longer.

    Args:
        path: of the file.
        advance: told of bytes read.
        part_bytes: how much to read at once.

    Raises:
        InvalidInputError: the first feature that cannot be used, as ``features[3].…`` counted from
            0; a file that breaks off; what stands around the features.
    """
    with path.open("rb") as file, located(f"{path.name}:"):
        mark = file.read(len(MARK)) == MARK
        file.seek(len(MARK) if mark else 0)
        begin, head = _begin(file.read(FRAME))
        file.seek(begin + (len(MARK) if mark else 0))
        text = b""
        first = commas = 0
        while True:
            found = _kernel.json_features(text)
            commas += found["commas"]
            if found["count"]:
                yield _part(found, text, first, path)
                first += found["count"]
            text = text[found["used"] :]
            if found["ended"]:
                break
            more = file.read(max(part_bytes, len(text)))
            advance(len(more))
            if not more:
                break
            if len(text) > MAX_BYTES:
                raise InvalidDocumentError(
                    f"features[{first}]: it is too large, or its brackets do not match",
                    given=f"{len(text)} bytes without an end",
                    expected=f"at most {MAX_BYTES}",
                )
            text += more
        _end(text + file.read(FRAME), head, first, commas)


def _begin(text: bytes) -> tuple[int, dict[str, object] | None]:
    """Return where the first feature may begin, and what a collection said before its features.

    None stands for a text of features, one after another.
    """
    words = text.decode("utf-8", "replace")
    decoder = json.JSONDecoder()
    members: dict[str, object] = {}
    at = _skip(words, 0)
    expected = "a GeoJSON FeatureCollection, or Features one after another"
    if words[at : at + 1] != "{":
        raise InvalidDocumentError(
            "the file holds no GeoJSON", given=repr(words[at : at + 20]), expected=expected
        )
    at += 1
    while True:
        try:
            name, at = _member(decoder, words, at)
            if name in _FEATURE_SIGNS:
                return 0, None
            if name == "features" and words[at : at + 1] == "[":
                return _bytes_of(words[: at + 1], text), members
            value, at = decoder.raw_decode(words, at)
        except ValueError as error:
            raise InvalidDocumentError(
                "what stands before the features cannot be read",
                given=repr(words[at : at + 40]),
                expected=expected,
            ) from error
        if name == "type" and value == "Feature":
            return 0, None
        if name in members:
            raise InvalidDocumentError("a key is said twice in one object", given=name[:60])
        members[name] = value
        at = _skip(words, at)
        if words[at : at + 1] != ",":
            raise InvalidDocumentError(
                "the document declares nothing",
                given=", ".join(f"{key:.40}" for key in members),
                expected=expected,
            )
        at += 1


def _bytes_of(words: str, text: bytes) -> int:
    """Return how many bytes of the text these words are."""
    begin = words.encode()
    if not text.startswith(begin):
        raise InvalidDocumentError(
            "what stands before the features is no UTF-8", expected="GeoJSON in UTF-8"
        )
    return len(begin)


def _member(decoder: json.JSONDecoder, words: str, at: int) -> tuple[str, int]:
    """Return the name of a member of an object, and where its value begins."""
    name, at = decoder.raw_decode(words, _skip(words, at))
    at = _skip(words, at)
    if not isinstance(name, str) or words[at : at + 1] != ":":
        raise ValueError(name)
    return name, _skip(words, at + 1)


def _end(rest: bytes, head: dict[str, object] | None, features: int, commas: int) -> None:
    """Refuse a text that breaks off, or says more than it may beside its features."""
    if head is None:
        if rest.strip() or commas:
            _refuse_rest(rest, features, "features one after another, without commas")
        return
    if not rest.startswith(b"]"):
        _refuse_rest(rest, features, "more features, or ] at their end")
    if commas != max(features - 1, 0):
        raise InvalidDocumentError(
            "a comma is missing between two features, or stands where none belongs",
            given=f"{features} features, {commas} commas",
            expected="one between each two",
        )
    with located("what stands after the features"):
        tail = parse_json(b'{"features":[' + rest, max_bytes=FRAME)
    members = {**head, **(tail if isinstance(tail, dict) else {})}
    if isinstance(tail, dict) and tail.keys() & head.keys():
        raise InvalidDocumentError(
            "a key is said twice in one object", given=", ".join(tail.keys() & head.keys())
        )
    if members.get("type") != "FeatureCollection":
        raise InvalidDocumentError(
            "the document is no declaration",
            given=f"type {members.get('type')!r:.40}",
            expected="FeatureCollection",
        )
    check_collection(members)
    if features == 0:
        raise InvalidDocumentError("the document declares nothing", expected="at least one Feature")


def _refuse_rest(rest: bytes, features: int, expected: str) -> None:
    if not rest.strip():
        raise InvalidDocumentError(
            f"the file breaks off after {features} features",
            expected=expected,
            remedy="write it to its end",
        )
    raise InvalidDocumentError(
        f"features[{features}]: this is no whole Feature",
        given=repr(rest[:40].decode("utf-8", "replace")),
        expected=expected,
        remedy="look for a bracket or a quote that is missing, or for a file that breaks off",
    )


def _skip(words: str, at: int) -> int:
    found = _SPACE.match(words, at)
    return at if found is None else found.end()


def _part(found: dict[str, Any], text: bytes, first: int, path: Path) -> GeojsonPart:
    flights = _quick_flights(found, first, path)
    volumes = _quick_volumes(found["areas"], first, path)
    if not found["left"]:
        return GeojsonPart(flights, volumes, (), found)
    slow = [_declared(text[start:end], first + place, path) for place, start, end in found["left"]]
    flown = [one for one in slow if isinstance(one.said.geometry, Trajectory)]
    areas = [one for one in slow if not isinstance(one.said.geometry, Trajectory)]
    if flown:
        flights = _in_order(Flights.joined([flights, _flights(flown, path)]))
    if areas:
        volumes = _in_order(Volumes.joined([volumes, _volumes(areas, path)]))
    return GeojsonPart(flights, volumes, [one.said for one in slow], found)


Held = TypeVar("Held", Flights, Volumes)


def _in_order(held: Held) -> Held:
    """Return them in the order of the file."""
    if held.rows is None:
        raise AssertionError("what is read from a file has rows")
    return held.taken(np.argsort(held.rows.number, kind="stable"))


def _about(found: dict[str, Any], first: int, path: Path) -> dict[str, Any]:
    """Return what features say of themselves; ``numbers`` is added to what was found."""
    numbers = found["place"] + first
    found["numbers"] = numbers
    # A declaration's own id before what other programs put there.
    ids = [
        own or name or f"{label or path.stem}#{number}"
        for own, name, label, number in zip(
            found["own_id"], found["id"], found["label"], numbers.tolist(), strict=True
        )
    ]
    return {
        "party": Labels.of(np.array(found["party"], dtype=np.object_)),
        "purpose": _purposes(found["purpose"]),
        "ids": np.array(ids, dtype=np.object_),
        "rows": Rows.of(path.name, numbers, "feature"),
    }


def _quick_flights(found: dict[str, Any], first: int, path: Path) -> Flights:
    return Flights(
        offsets=found["offsets"],
        lat_deg=found["lat_deg"],
        lon_deg=found["lon_deg"],
        time_s=found["time_s"],
        altitude_tmm=found["altitude_tmm"],
        lateral_m=found["lateral_m"],
        vertical_tmm=found["vertical_tmm"],
        window_s=found["window_s"],
        reference=found["reference"],
        **_about(found, first, path),
    )


def _quick_volumes(found: dict[str, Any], first: int, path: Path) -> Volumes:
    return Volumes(
        offsets=found["offsets"],
        lat_deg=found["lat_deg"],
        lon_deg=found["lon_deg"],
        shape=found["shape"],
        reach_m=found["reach_m"],
        lower_tmm=found["lower_tmm"],
        upper_tmm=found["upper_tmm"],
        start_s=found["start_s"],
        end_s=found["end_s"],
        reference=found["reference"],
        item=np.arange(len(found["place"]), dtype=np.uint32),
        **_about(found, first, path),
    )


def _purposes(numbers: np.ndarray[Any, np.dtype[np.uint8]]) -> Labels:
    if not numbers.any():
        return Labels.same(PURPOSES[0], len(numbers))
    return Labels.of([PURPOSES[number] for number in numbers.tolist()])


@dataclass(frozen=True, slots=True)
class _Declared:
    said: DeclarationInput
    name: str
    party: str | None


def _declared(text: bytes, index: int, path: Path) -> _Declared:
    with located(f"features[{index}]"):
        value = parse_json(text)
        name: object = None
        party: object = None
        if isinstance(value, dict):
            name = value.get("id")
            properties = value.get("properties")
            if isinstance(properties, dict):
                party = properties.pop("party", None)
        if isinstance(name, int | float):
            name = str(name)
        for what, word in (("id", name), ("properties.party", party)):
            if word is not None and not is_name(word):
                raise InvalidDocumentError(
                    f".{what}: this names nothing",
                    given=f"{word!r:.100}",
                    expected=NAME_WORDS,
                )
    said = read_feature(value, index)
    known = said.declaration_id or name or f"{said.label or path.stem}#{index}"
    return _Declared(said, str(known), None if party is None else str(party))


def _flights(declared: Sequence[_Declared], path: Path) -> Flights:
    ways = [one.said.geometry for one in declared if isinstance(one.said.geometry, Trajectory)]
    points = [waypoint for way in ways for waypoint in way.waypoints]
    return Flights(
        offsets=offsets_of(np.array([len(way.waypoints) for way in ways], dtype=np.int64)),
        lat_deg=_degrees([point.position.lat_e7 for point in points]),
        lon_deg=_degrees([point.position.lon_e7 for point in points]),
        time_s=np.array([point.at_ms for point in points], dtype=np.float64) / 1000,
        altitude_tmm=np.array([point.altitude_tmm for point in points], dtype=np.int64),
        lateral_m=np.array([w.containment.lateral_mm for w in ways], dtype=np.float64) / 1000,
        vertical_tmm=np.array([w.containment.vertical_tmm for w in ways], dtype=np.int64),
        window_s=np.array([w.containment.time_ms for w in ways], dtype=np.float64) / 1000,
        reference=np.array([REFERENCES.index(w.reference) for w in ways], dtype=np.uint8),
        party=_parties(declared),
        purpose=Labels.of([one.said.purpose for one in declared]),
        ids=np.array([one.name for one in declared], dtype=np.object_),
        rows=_rows(declared, path),
    )


def _volumes(declared: Sequence[_Declared], path: Path) -> Volumes:
    """Return the volumes, of which those of one declaration are one item and share its name."""
    owners: list[int] = []
    volumes: list[Volume] = []
    for item, one in enumerate(declared):
        if isinstance(one.said.geometry, Trajectory):
            raise InvalidGeometryError("a trajectory is no volume")
        volumes += one.said.geometry
        owners += [item] * len(one.said.geometry)
    outlines = [_outline(volume) for volume in volumes]
    places = [place for _, corners, _ in outlines for place in corners]
    bands = [volume.band for volume in volumes]
    whose = np.array(owners, dtype=np.int64)
    names = np.array([one.name for one in declared], dtype=np.object_)
    return Volumes(
        offsets=offsets_of(np.array([len(corners) for _, corners, _ in outlines], dtype=np.int64)),
        lat_deg=_degrees([place.lat_e7 for place in places]),
        lon_deg=_degrees([place.lon_e7 for place in places]),
        shape=np.array([shape for shape, _, _ in outlines], dtype=np.uint8),
        reach_m=np.array([reach_mm for _, _, reach_mm in outlines], dtype=np.float64) / 1000,
        lower_tmm=np.array(
            [SURFACE if b.lower_tmm is None else b.lower_tmm for b in bands], dtype=np.int64
        ),
        upper_tmm=np.array(
            [UNLIMITED if b.upper_tmm is None else b.upper_tmm for b in bands], dtype=np.int64
        ),
        start_s=np.array([v.span.start_ms for v in volumes], dtype=np.float64) / 1000,
        end_s=np.array([v.span.end_ms for v in volumes], dtype=np.float64) / 1000,
        reference=np.array([REFERENCES.index(b.reference) for b in bands], dtype=np.uint8),
        item=whose.astype(np.uint32),
        party=_parties(declared).taken(whose),
        purpose=Labels.of([one.said.purpose for one in declared]).taken(whose),
        ids=names[whose],
        rows=_rows(declared, path).taken(whose),
    )


def _outline(volume: Volume) -> tuple[int, tuple[Any, ...], int]:
    outline = volume.outline
    if isinstance(outline, Circle):
        return CIRCLE, (outline.center,), outline.radius_mm
    if isinstance(outline, Corridor):
        return CORRIDOR, outline.path, outline.half_width_mm
    return POLYGON, outline.vertices, 0


def _degrees(e7: Sequence[int]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array(e7, dtype=np.float64) / E7_PER_DEGREE


def _parties(declared: Sequence[_Declared]) -> Labels:
    return Labels.of(np.array([one.party for one in declared], dtype=np.object_))


def _rows(declared: Sequence[_Declared], path: Path) -> Rows:
    numbers = np.array([one.said.source_index for one in declared], dtype=np.int64)
    return Rows.of(path.name, numbers, "feature")
