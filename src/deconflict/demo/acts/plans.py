"""Each side declares; both find what comes too close, and are told in words."""

from typing import Any

from deconflict.demo import story
from deconflict.demo.party import Party
from deconflict.demo.stage import Stage
from deconflict.units import METRES_PER_FOOT, METRES_PER_NAUTICAL_MILE

__all__ = ["PICTURE", "declare", "find"]

PICTURE = "picture.svg"


def declare(stage: Stage) -> None:
    """Each side declares, as coarsely as it likes."""
    stage.tell.says(
        "Each says where it will be, as coarsely as it likes: no callsign, no type, no mission. "
        "There is no target."
    )
    for party, code in ((stage.alder, 0), (stage.birch, 1)):
        plans = story.PLANS[party.name]
        file = stage.write(f"{party.name}-plans.geojson", *plans)
        said = party.planner("declare", file, code=code)
        labels = [plan["properties"]["label"] for plan in plans]
        stage.ids.update(zip(labels, said["declaration_ids"], strict=True))
        for posted in said["posted"]:
            facts = {"hash": posted["hash"], "state": "LACKED"}
            party.screen.wait("delivery", facts, what="the peer's receipt")
        stage.tell.proven(f"{party.name} declared {', '.join(labels)}: the peer signed for each")
    third = stage.alder.screen.alert("THIRD_PARTY_NOT_REACHED")
    stage.tell.desk("alder", third)


def find(stage: Stage) -> None:
    """Both sides find the same two conflicts; both desks are told."""
    stage.tell.says(
        "Each node checks for itself: along geodesics, in continuous time, every error added to "
        "the minimum."
    )
    alder, birch = (_found(stage, party) for party in stage.parties)
    stage.promise(
        [_facts(one) for one in alder] == [_facts(one) for one in birch],
        "the two sides found different conflicts",
        given=f"{[_facts(one) for one in alder]} and {[_facts(one) for one in birch]}",
        expected="the same on both sides",
    )
    kinds = [one["kind"] for one in alder]
    stage.promise(
        kinds == ["PREDICTED_LOSS", "STRATEGIC_CONFLICT"],
        "other conflicts were found than there are",
        given=", ".join(kinds),
        expected="a collision course of two flights, and an activity over own people",
    )
    flights = alder[0]
    for conflict in alder:
        for party in stage.parties:
            alert = party.screen.alert("CONFLICT", conflict["conflict_id"])
            stage.tell.desk(party.name, alert)
    stage.facts["conflicts"] = [_facts(one) for one in alder]
    stage.facts["picture"] = str(stage.root / PICTURE)
    miles = flights["cpa_distance_m"] / METRES_PER_NAUTICAL_MILE
    feet = abs(flights["cpa_vertical_m"]) / METRES_PER_FOOT
    stage.tell.proven(
        f"2 conflicts, the same on both sides: flights {miles:.1f} NM and {feet:.0f} ft "
        "apart, and an activity over own people"
    )
    stage.tell.proven(f"the picture is in {stage.root / PICTURE}")


def _found(stage: Stage, party: Party) -> list[dict[str, Any]]:
    """Return the two conflicts as this party's node sees them, flights first."""
    for pair in story.CONFLICTS:
        own, peer = (stage.ids[label] for label in (pair if party is stage.alder else pair[::-1]))
        what = f"the conflict of {' and '.join(pair)}"
        party.screen.wait("conflict", {"own": own, "peer": peer}, what=what)
    picture = ("--picture", PICTURE) if party is stage.alder else ()
    found = party.watch("check", *picture, code=1)["conflicts"]
    return sorted(found, key=lambda one: str(one["kind"]))


def _facts(conflict: dict[str, Any]) -> dict[str, Any]:
    """Return what both sides must find alike; each knows of it since its own instant."""
    own = ("text", "known_since_utc", "unanswered")
    return {name: value for name, value in conflict.items() if name not in own}
