"""Protected sites between two nodes: west plans, east protects."""

import time
from typing import Any

from bench.nodes import Party
from tests.private_nodes import CELL_MM, HOUR_MS, ORIGIN, check_terms

from deconflict.airspace.instant import format_utc
from deconflict.node.private.site_files import SiteFiles
from deconflict.sealed.plane import Plane

ASKED = {"points": 64, "bucket": 1_024, "label": 32}


def site_at(column: int, row: int, label: str = "hospital") -> dict[str, Any]:
    """A site in the middle of a cell, that fills no other."""
    lat_deg, lon_deg = Plane(ORIGIN).position_of(
        (column - 10 + 0.5) * CELL_MM, (row - 10 + 0.5) * CELL_MM
    )
    return {
        "label": label,
        "lat_e7": round(lat_deg * 1e7),
        "lon_e7": round(lon_deg * 1e7),
        "radius_mm": 2_000_000,
    }


def hold(east: Party, *at: Any, decoys: int = 0, **caps: int) -> None:
    """Have east hold one hospital in the middle of a cell, or the sites given."""
    sites = [site_at(*at)] if isinstance(at[0], int) else list(at)
    given = {"points_a_query": 64, "queries_a_day": 99, "share_per_mille": 1_000}
    held = {"sites": sites, "decoys": decoys, "share_all_per_mille": 1_000}
    east.put("/private/sites", {**held, **(given | caps)})


def hold_with_decoys(east: Party, *sites: Any, decoys: int, columns: tuple[int, ...]) -> None:
    """Have east hold sites, and decoys of which none is near a plan over (column, column).

    Decoys are drawn anywhere, and a plan that one of them meets is hit.
    """
    grid = check_terms().grid(0)
    while True:
        hold(east, *sites, decoys=decoys)
        held = SiteFiles(east.folder / "private").sites()
        assert held is not None
        drawn = [site.areas[0].paths[0][0] for site in held.on(grid) if site.decoy]
        assert len(drawn) == decoys
        away_mm = [
            max(abs(x_mm - middle_mm), abs(y_mm - middle_mm))
            for x_mm, y_mm in drawn
            for middle_mm in ((column - 10 + 0.5) * CELL_MM for column in columns)
        ]
        if min(away_mm) > 4 * CELL_MM:
            return
        east.delete("/private/sites")  # the next list draws others


def consent(east: Party, *, for_ms: int = HOUR_MS) -> None:
    """Have east answer west until then."""
    until = format_utc(time.time_ns() // 1_000_000 + for_ms)
    east.put(f"/private/sites/consent/{east.line['line_id']}", {"until_utc": until})


def ask(west: Party, **other: int) -> str:
    """Have west ask; return the name of the check."""
    posted = west.post("/private/sites/propose", {"line": west.line["line_id"], **ASKED, **other})
    return str(posted["hash"])


def consented(east: Party) -> dict[str, Any]:
    """What east knows of west's asking."""
    (found,) = east.get("/private/sites")["consents"]
    return dict(found)
