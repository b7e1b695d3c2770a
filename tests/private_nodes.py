"""Terms and plans for private checks between two nodes: a small grid, a run takes seconds."""

import time
from typing import Any

from bench.nodes import Party, wait_for

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.instant import format_utc
from deconflict.airspace.position import Position
from deconflict.messages.private_terms import CheckMinima, PrivateCheckTerms
from deconflict.messages.wire_form import Place
from deconflict.sealed.plane import Plane

HOUR_MS = 3_600_000
ORIGIN = Position.from_degrees(35.0, 38.5)
CELL_MM = 10_000_000


def check_terms(**changes: Any) -> PrivateCheckTerms:
    """A document of four slots of a minute, whose runs are due an hour before their period."""
    given: dict[str, Any] = {
        "origin": Place.of(ORIGIN),
        "west_mm": -10 * CELL_MM,
        "south_mm": -10 * CELL_MM,
        "cell_mm": CELL_MM,
        "columns": 20,
        "rows": 20,
        "reference": AltitudeReference.AMSL,
        "floor_tmm": -700,
        "level_tmm": 10_000_000,
        "levels": 10,
        "slot_ms": 60_000,
        "slots": 4,
        "minima": CheckMinima(9_260_000, 3_048_000, 2_000),
        "cadence_ms": 240_000,
        "ahead_ms": HOUR_MS,
        "run_limit_ms": 120_000,
        "tags_after_ms": 200,
        "refinements": (2,),
        "points": 9,
        "bucket": 1_024,
        "cells_per_sortie_slot": 4,
        "sorties": 4,
        "runs_per_slot": 3,
        "audit_per_mille": 0,
        "arbiter": None,
        "opened_after_days": 1,
        "retention_days": 30,
    }
    return PrivateCheckTerms(**given | changes)


def sortie(label: str, column: float, row: float, *, level: int = 2) -> dict[str, Any]:
    """Somebody who holds in the middle of a cell of the grid for the next hours."""
    lat_deg, lon_deg = Plane(ORIGIN).position_of(
        (column - 10 + 0.5) * CELL_MM, (row - 10 + 0.5) * CELL_MM
    )
    now_ms = time.time_ns() // 1_000_000
    middle_tmm = level * 10_000_000 + 5_000_000
    return {
        "purpose": "FLIGHT",
        "label": label,
        "geometry": {
            "volumes": [
                {
                    "outline": {
                        "circle": {
                            "center": {
                                "lat_e7": round(lat_deg * 1e7),
                                "lon_e7": round(lon_deg * 1e7),
                            },
                            "radius_mm": 100_000,
                        }
                    },
                    "band": {
                        "reference": "AMSL",
                        "lower_tmm": middle_tmm - 500_000,
                        "upper_tmm": middle_tmm + 500_000,
                    },
                    "span": {
                        "start_utc": format_utc(now_ms - HOUR_MS),
                        "end_utc": format_utc(now_ms + 5 * HOUR_MS),
                    },
                }
            ]
        },
    }


def fly(party: Party, *sorties: dict[str, Any]) -> None:
    """Set what a party flies in private."""
    party.put(f"/private/plan/{party.line['line_id']}", {"declarations": list(sorties)})


def agree_check(west: Party, east: Party, **more: Any) -> str:
    """Have west propose a check and east accept it; return its name."""
    proposed = west.post("/private/propose", {"line": west.line["line_id"], **more})
    name = str(proposed["hash"])
    wait_for(
        lambda: name in {each["proposal"] for each in east.get("/private")},
        "the proposal did not arrive",
    )
    east.post(f"/private/{name}/accept", {})
    return name


def outcome(party: Party, name: str, run: int = 0, timeout_s: float = 90.0) -> dict[str, Any]:
    """Return the finding of a run once it is known."""

    def known() -> Any:
        found = party.get(f"/private/{name}/{run}")
        return found if found["run"]["state"] in ("WHOLE", "ENDED") else None

    return dict(wait_for(known, f"{party.name}: run {run} did not come to its end", timeout_s))
