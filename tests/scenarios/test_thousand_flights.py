"""A thousand flights by the way that real ones go: a file, two nodes, one line (R19).

Run as a program it prints how long each stage takes::

    PYTHONPATH=.:tests python tests/scenarios/test_thousand_flights.py
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from bench.workloads import WORKLOADS, Flights, flights

from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.formats.geojson import read_declarations
from deconflict.messages.bodies import Declared as DeclaredBody
from deconflict.messages.declaration import (
    Declaration,
    Purpose,
    SoundDeclaration,
    new_declaration_id,
)
from deconflict.messages.in_force import conversions_of, minima_of
from deconflict.messages.kinds import Kind
from deconflict.node.core import Say
from deconflict.node.picture import Conflict, Declared
from deconflict.replay.world import DESKS, Station
from deconflict.separation import Extent, Finding, check
from node_pair import NodePair

TAKE_OFF_MS = parse_utc("2015-10-01T00:00:00Z")  # a day ahead of the clock of the pair
AT_ONCE = 100  # declarations of one call, as a planner's program sends them


def geojson(made: Flights) -> bytes:
    """Return the flights as a planner's program would write them."""
    features = []
    for own in made.ranges():
        places = zip(made.lon_deg[own], made.lat_deg[own], strict=True)
        features.append(
            {
                "type": "Feature",
                "geometry": {
                    "type": "LineString",
                    "coordinates": [[round(lon, 7), round(lat, 7)] for lon, lat in places],
                },
                "properties": {
                    "purpose": "FLIGHT",
                    "times": [
                        format_utc(TAKE_OFF_MS + round(time_s * 1_000))
                        for time_s in made.time_s[own]
                    ],
                    "altitudes": [f"{feet:g} ft AMSL" for feet in made.altitude_ft[own]],
                },
            }
        )
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


@dataclass
class Loaded:
    """Both nodes with every flight declared, and how long each stage took."""

    pair: NodePair
    blue: list[Declaration]
    red: list[Declaration]
    drafts_in_conflict: set[frozenset[str]] = field(default_factory=set)
    took_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self.took_s[name] = time.perf_counter() - begin


def load(count: int) -> Loaded:
    loaded = Loaded(NodePair(terms={}), [], [])
    pair = loaded.pair
    with loaded.stage("write GeoJSON"):
        made = flights(WORKLOADS["r1k"])
        data = geojson(made)
    with loaded.stage("read GeoJSON"):
        inputs = read_declarations(data)[:count]
    random_bytes = pair.blue.core.random_bytes
    declarations = [
        Declaration(new_declaration_id(random_bytes), Purpose(said.purpose), said.geometry)
        for said in inputs
    ]
    loaded.blue, loaded.red = declarations[::2], declarations[1::2]
    with loaded.stage("blue declares"):
        declare(pair, "blue", loaded.blue)
    with loaded.stage("red checks drafts"):
        loaded.drafts_in_conflict = {
            ids_of(conflict) for conflict in try_out(pair.red, "blue", loaded.red)
        }
    with loaded.stage("red declares"):
        declare(pair, "red", loaded.red)
    return loaded


def declare(pair: NodePair, party: str, declarations: list[Declaration]) -> None:
    for start in range(0, len(declarations), AT_ONCE):
        says = [
            Say(kind=Kind.NOTIFY, body=DeclaredBody.of(declared), desk=DESKS[0])
            for declared in declarations[start : start + AT_ONCE]
        ]
        pair.world.say(party, pair.peer_of(party), says)
        pair.run_for(1)
    pair.run_for(10)


def try_out(station: Station, peer: str, drafts: list[Declaration]) -> tuple[Conflict, ...]:
    book = station.line(peer).book
    assert book.terms is not None
    tried = [Declared(SoundDeclaration(draft), station.party, True, "", 0, 0) for draft in drafts]
    return book.picture.try_out(tried, 0, minima_of(book.terms), conversions_of(book.terms)).found


def direct(loaded: Loaded) -> tuple[Finding, ...]:
    terms = loaded.pair.line("blue").book.terms
    assert terms is not None
    extents = [
        Extent(f"{party}/{one.declaration_id}", party, one.purpose, one.geometry)
        for party, declared in (("blue", loaded.blue), ("red", loaded.red))
        for one in declared
    ]
    return check(extents, minima=minima_of(terms), conversions=conversions_of(terms))


def ids_of(conflict: Conflict) -> frozenset[str]:
    return frozenset((conflict.own.key, conflict.peer.key))


@pytest.fixture(scope="module")
def loaded() -> Iterator[Loaded]:
    done = load(1_000)
    yield done
    done.pair.world.close()


def test_every_flight_stands_at_both_nodes(loaded: Loaded) -> None:
    keys = {f"blue/{d.declaration_id}" for d in loaded.blue}
    keys |= {f"red/{d.declaration_id}" for d in loaded.red}
    assert len(keys) == 1_000
    for party in ("blue", "red"):
        assert {declared.key for declared in loaded.pair.line(party).book.picture} == keys


@pytest.mark.parametrize("party", ["blue", "red"])
def test_each_node_finds_what_one_check_of_all_flights_finds(loaded: Loaded, party: str) -> None:
    expected: dict[frozenset[str], list[tuple[int, int, float | None]]] = {}
    for finding in direct(loaded):
        figures = (finding.start_ms, finding.end_ms, finding.cpa_distance_m)
        expected.setdefault(frozenset((finding.first, finding.second)), []).append(figures)
    found = {
        ids_of(conflict): [(f.start_ms, f.end_ms, f.cpa_distance_m) for f in conflict.findings]
        for conflict in loaded.pair.line(party).book.picture.conflicts()
    }
    assert len(expected) > 100
    assert found.keys() == expected.keys()
    for pair, figures in expected.items():
        assert len(found[pair]) == len(figures)
        for one, other in zip(sorted(found[pair]), sorted(figures), strict=True):
            assert one[:2] == pytest.approx(other[:2], abs=1)  # ms
            assert one[2] == pytest.approx(other[2], abs=0.01)  # m


def test_drafts_checked_before_they_are_sent_show_the_same_conflicts(loaded: Loaded) -> None:
    said = {frozenset((f.first, f.second)) for f in direct(loaded)}
    assert loaded.drafts_in_conflict == said


def test_both_nodes_name_each_conflict_alike_and_tell_of_it_once(loaded: Loaded) -> None:
    named = {}
    for party in ("blue", "red"):
        station = loaded.pair.station(party)
        conflicts = loaded.pair.line(party).book.picture.conflicts()
        told = [alert.subject for alert in station.core.alerts if alert.rule == "CONFLICT"]
        assert sorted(told) == sorted(conflict.conflict_id for conflict in conflicts)
        named[party] = set(told)
    assert named["blue"] == named["red"]


def main() -> None:
    loaded = load(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
    with loaded.stage("one direct check"):
        direct(loaded)
    with loaded.stage("restart of red"):
        loaded.pair.world.restart("red")
    with loaded.stage("first look after it"):
        loaded.pair.run_for(1)
    for name, took_s in loaded.took_s.items():
        print(f"{name:22} {took_s:7.2f} s")
    print(f"{'conflicts':22} {len(loaded.pair.line('red').book.picture.conflicts()):7,}")
    loaded.pair.world.close()


if __name__ == "__main__":
    main()
