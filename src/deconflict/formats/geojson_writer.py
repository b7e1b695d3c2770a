"""Declarations written as GeoJSON, in the profile of docs/reference/geojson-profile.md."""

import json
from collections.abc import Iterable

from deconflict.airspace.geometry import check_volumes
from deconflict.airspace.instant import format_utc
from deconflict.airspace.outline import Circle, Corridor, Polygon
from deconflict.airspace.position import Position
from deconflict.airspace.quantity import (
    Altitude,
    OpenLimit,
    format_altitude,
    format_distance,
    format_duration,
    format_height,
)
from deconflict.airspace.trajectory import Trajectory
from deconflict.airspace.volume import Volume
from deconflict.formats.declaration_input import DeclarationInput

__all__ = ["write_declarations"]


def write_declarations(declarations: Iterable[DeclarationInput]) -> bytes:
    """Return the declarations as a FeatureCollection that `geojson.read_declarations` reads back.

    Reading gives equal values, to the last digit; only ``source_index`` counts anew. Where one
    names its party, the file is for a screening and no longer one of declarations.
    """
    features = [_to_feature(declaration) for declaration in declarations]
    document = {"type": "FeatureCollection", "features": features}
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1).encode()


def _to_feature(declaration: DeclarationInput) -> dict[str, object]:
    properties: dict[str, object] = {"purpose": declaration.purpose}
    if declaration.label is not None:
        properties["label"] = declaration.label
    if declaration.declaration_id is not None:
        properties["declaration_id"] = declaration.declaration_id
    if declaration.party is not None:
        properties["party"] = declaration.party
    geometry = declaration.geometry
    if isinstance(geometry, Trajectory):
        shape, more = _from_trajectory(geometry)
    elif len(geometry) == 1:
        shape, more = _from_volume(geometry[0])
    else:
        parts = [_from_volume(volume) for volume in check_volumes(geometry)]
        shape = {"type": "GeometryCollection", "geometries": [part for part, _ in parts]}
        more = {"volumes": [settings for _, settings in parts]}
    named = {} if declaration.feature_id is None else {"id": declaration.feature_id}
    return {"type": "Feature", **named, "geometry": shape, "properties": properties | more}


def _from_trajectory(trajectory: Trajectory) -> tuple[dict[str, object], dict[str, object]]:
    waypoints, limits = trajectory.waypoints, trajectory.containment
    shape = _shape("LineString", [_coordinates(waypoint.position) for waypoint in waypoints])
    return shape, {
        "times": [format_utc(waypoint.at_ms) for waypoint in waypoints],
        "altitudes": [
            format_altitude(Altitude(trajectory.reference, waypoint.altitude_tmm))
            for waypoint in waypoints
        ],
        "containment": {
            "lateral": format_distance(limits.lateral_mm),
            "vertical": format_height(limits.vertical_tmm),
            "time": format_duration(limits.time_ms),
        },
    }


def _from_volume(volume: Volume) -> tuple[dict[str, object], dict[str, object]]:
    band, span = volume.band, volume.span
    settings: dict[str, object] = {
        "lower": format_altitude(
            OpenLimit.SURFACE
            if band.lower_tmm is None
            else Altitude(band.reference, band.lower_tmm)
        ),
        "upper": format_altitude(
            OpenLimit.UNLIMITED
            if band.upper_tmm is None
            else Altitude(band.reference, band.upper_tmm)
        ),
        "start_utc": format_utc(span.start_ms),
        "end_utc": format_utc(span.end_ms),
    }
    match volume.outline:
        case Circle(center, radius_mm):
            settings["radius"] = format_distance(radius_mm)
            return _shape("Point", _coordinates(center)), settings
        case Corridor(path, half_width_mm):
            settings["half_width"] = format_distance(half_width_mm)
            return _shape("LineString", [_coordinates(place) for place in path]), settings
        case Polygon(vertices):
            ring = [_coordinates(place) for place in (*vertices, vertices[0])]
            return _shape("Polygon", [ring]), settings


def _shape(kind: str, coordinates: object) -> dict[str, object]:
    return {"type": kind, "coordinates": coordinates}


def _coordinates(position: Position) -> list[float]:
    return [position.lon_deg, position.lat_deg]
