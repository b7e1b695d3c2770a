"""The story of the demo as data: who, where, what is declared, and the slip that is made.

The coordinates are of the region of the first lines of this kind; the parties, flights and areas
are invented. All of it happens on one day, which the run chooses, at fixed times of day.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

__all__ = [
    "ACTIVITY",
    "ALDER",
    "BIRCH",
    "CONFLICTS",
    "FLIGHT_AGAIN",
    "LANDMARKS",
    "LANGUAGES",
    "MINIMA",
    "OUTLINE",
    "PATROL",
    "PERSONNEL",
    "PLANS",
    "PRESENCE",
    "SLIP",
    "THEATRE",
    "THIRD_PARTY",
    "TRANSPORT",
    "feature",
]

ALDER: Final = "alder"
BIRCH: Final = "birch"
THIRD_PARTY: Final = "cedar"  # flies there too, and has no line
LANGUAGES: Final = {ALDER: ("en", "ru"), BIRCH: ("ru", "en")}

THEATRE: Final = "Latakia to Deir ez-Zor"
OUTLINE: Final = "36.5, 35.3; 36.9, 36.6; 36.8, 40.6; 35.9, 41.1; 34.4, 41.0; 34.6, 35.3"
LANDMARKS: Final = (
    "Latakia airfield=35.4012, 35.9487",
    "Aleppo airfield=36.1807, 37.2244",
    "Deir ez-Zor airfield=35.2854, 40.1760",
)
MINIMA: Final = "5NM,1000ft"

PATROL: Final = "patrol"
TRANSPORT: Final = "transport"
ACTIVITY: Final = "firing"
PRESENCE: Final = "own people"
CONFLICTS: Final = (
    (PATROL, TRANSPORT),
    (PRESENCE, ACTIVITY),
)  # alder's, birch's; there are no more

# Declarations as in docs/reference/geojson-profile.md. GeoJSON puts longitude first; times are of
# the day that `feature` is given.
_ALDER: Final[tuple[dict[str, Any], ...]] = (
    {
        "properties": {
            "label": PATROL,
            "purpose": "FLIGHT",
            "times": ["06:00:00", "06:34:00"],
            "altitudes": ["20500 ft AMSL", "20500 ft AMSL"],
            "containment": {"lateral": "1 NM", "vertical": "100 ft", "time": "0 s"},
        },
        "geometry": {"type": "LineString", "coordinates": [[40.10, 36.45], [37.05, 34.85]]},
    },
    {
        "properties": {
            "label": PRESENCE,
            "purpose": "OWN_PRESENCE",
            "radius": "8 km",
            "lower": "SFC",
            "upper": "2000 ft AMSL",
            "start_utc": "05:00:00",
            "end_utc": "11:00:00",
        },
        "geometry": {"type": "Point", "coordinates": [40.28, 35.10]},
    },
    {
        "properties": {
            "label": "drones",
            "purpose": "ACTIVITY",
            "half_width": "4 km",
            "lower": "SFC",
            "upper": "5000 ft AMSL",
            "start_utc": "05:30:00",
            "end_utc": "06:20:00",
        },
        "geometry": {"type": "LineString", "coordinates": [[37.95, 36.52], [38.55, 36.15]]},
    },
)
_TRANSPORT: Final[dict[str, Any]] = {
    "properties": {
        "label": TRANSPORT,
        "purpose": "FLIGHT",
        "times": ["06:00:00", "06:40:00"],
        "altitudes": ["20000 ft AMSL", "20000 ft AMSL"],
        "containment": {"lateral": "1 NM", "vertical": "100 ft", "time": "0 s"},
    },
    "geometry": {"type": "LineString", "coordinates": [[36.00, 35.47], [40.02, 35.36]]},
}
_BIRCH: Final[tuple[dict[str, Any], ...]] = (
    _TRANSPORT,
    {
        "properties": {
            "label": "high transit",
            "purpose": "FLIGHT",
            "times": ["05:55:00", "06:20:00"],
            "altitudes": ["31000 ft AMSL", "31000 ft AMSL"],
        },
        "geometry": {"type": "LineString", "coordinates": [[36.20, 36.40], [38.75, 34.65]]},
    },
    {
        "properties": {
            "label": "range",
            "purpose": "HAZARD",
            "lower": "SFC",
            "upper": "12000 ft AMSL",
            "start_utc": "05:45:00",
            "end_utc": "06:45:00",
        },
        "geometry": {
            "type": "Polygon",
            "coordinates": [
                [[35.38, 35.62], [35.72, 35.74], [35.78, 35.22], [35.42, 35.15], [35.38, 35.62]]
            ],
        },
    },
    {
        "properties": {
            "label": ACTIVITY,
            "purpose": "ACTIVITY",
            "lower": "SFC",
            "upper": "8000 ft AMSL",
            "start_utc": "06:25:00",
            "end_utc": "07:30:00",
        },
        "geometry": {
            "type": "Polygon",
            "coordinates": [
                [[40.25, 35.12], [40.68, 35.20], [40.66, 34.92], [40.33, 34.88], [40.25, 35.12]]
            ],
        },
    },
)
PLANS: Final[Mapping[str, Sequence[Mapping[str, Any]]]] = {ALDER: _ALDER, BIRCH: _BIRCH}

# The same way at the same times, 3,000 ft higher.
FLIGHT_AGAIN: Final = {
    **_TRANSPORT,
    "properties": {**_TRANSPORT["properties"], "altitudes": ["23000 ft AMSL", "23000 ft AMSL"]},
}


# Where birch finds alder's people on its map: 9 km north of the place, as once in 2016.
SLIP: Final = "35.1811 N 40.2800 E"

# Safety phrase 208: our personnel are within {reach} of {where} since {since}.
PERSONNEL: Final = (208, {"where": "35.10, 40.28", "reach": "8 km"})


def feature(plan: Mapping[str, Any], day: str) -> dict[str, Any]:
    """Return a plan as a GeoJSON feature of that day, such as ``2015-09-30``.

    >>> feature(FLIGHT_AGAIN, "2015-09-30")["properties"]["times"]
    ['2015-09-30T06:00:00Z', '2015-09-30T06:40:00Z']
    """
    properties = dict(plan["properties"])
    for name in ("start_utc", "end_utc"):
        if name in properties:
            properties[name] = f"{day}T{properties[name]}Z"
    if "times" in properties:
        properties["times"] = [f"{day}T{time}Z" for time in properties["times"]]
    return {"type": "Feature", "properties": properties, "geometry": plan["geometry"]}
