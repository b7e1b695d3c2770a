"""Two flights as features, for what is said and drawn of a pair."""

from typing import Any

MINIMA = ("--minima", "5NM,1000ft")
WEST_EAST = [[8, 48], [9, 48]]


def flight(name: str, way: list[list[float]], altitude: str, **more: Any) -> dict[str, Any]:
    """Return a flight of an hour from 06:00; ``late_min`` later."""
    late = more.pop("late_min", 0)
    times = [f"2015-10-01T06:{late:02d}:00Z", f"2015-10-01T07:{late:02d}:00Z"]
    return {
        "type": "Feature",
        "id": name,
        "geometry": {"type": "LineString", "coordinates": way},
        "properties": {
            "purpose": "FLIGHT",
            "times": times,
            "altitudes": [altitude] * 2,
            "containment": more,
        },
    }
