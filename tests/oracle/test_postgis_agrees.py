"""PostGIS decides who comes near, rationals decide the altitude; the kernel must say the same.

The flights go to PostGIS as Earth-centred chords of geodesic pieces. A pair that comes under the
lateral minimum on the ground has chords nearer than `chord_bounds_m`'s outer bound, so whatever the
kernel reports must be among the pairs that `ST_CPAWithin` finds there: a superset, for PostGIS
knows no altitude. For those pairs the stretches within the vertical minimum are computed exactly,
PostGIS cuts both paths to each stretch and is asked again: near by less than the inner bound is a
loss that must be reported, farther than the outer one is none. Between the two lie 0.3 m at most.
"""

from collections.abc import Iterator

import numpy as np
import pytest
from bench.bench_screen import TMM_PER_FOOT
from bench.conflicts import ours
from bench.flown import whole_milliseconds
from bench.postgis_peer import close_pairs, fill
from bench.private_postgres import Postgres, private_postgres, why_no_postgis
from bench.workloads import WORKLOADS, Flights, flights
from tests.oracle.adversarial import SETS, AdversarialSet, flights_through, screened_at, straight
from tests.oracle.all_pairs import LONGEST_PIECE_M, chord_bounds_m, piece_m, pieces_of, slack_m
from tests.oracle.altitudes import Altitudes

pytestmark = pytest.mark.skipif(why_no_postgis() is not None, reason=str(why_no_postgis()))

Pairs = set[tuple[int, int]]
WITHIN = """
    WITH cut AS (
        SELECT asked.i, asked.j, asked.t0, asked.t1,
            ST_GeometryN(ST_LocateBetween(a.path, t0, t1), 1) AS a,
            ST_GeometryN(ST_LocateBetween(b.path, t0, t1), 1) AS b
        FROM asked JOIN flights a ON a.k = i JOIN flights b ON b.k = j
    )
"""
INSTANT_S = 1e-6  # a loss this short is none


@pytest.fixture(scope="module")
def postgis() -> Iterator[Postgres]:
    with private_postgres() as server:
        yield server


def asked(server: Postgres, rows: list[tuple[int, int, float, float]]) -> None:
    """Put pairs with a stretch of time into the table ``asked``."""
    lines = "\n".join(f"{i}\t{j}\t{t0!r}\t{t1!r}" for i, j, t0, t1 in rows)
    server.run(
        "DROP TABLE IF EXISTS asked;"
        "CREATE TABLE asked (i integer, j integer, t0 float8, t1 float8);\n"
        f"COPY asked FROM STDIN;\n{lines}\n\\.\nANALYZE asked;"
    )


class Judgement:
    """What PostGIS says of a set: who may be too close, and who surely is."""

    def __init__(self, server: Postgres, given: AdversarialSet) -> None:
        longest_m = piece_m(given.lateral_m)
        fill(server, given.made, longest_m)
        inner_m, outer_m = chord_bounds_m(given.lateral_m, longest_m)
        self.near = close_pairs(server, outer_m, given.vertical_ft)
        altitudes = Altitudes(given.made)
        asked(
            server,
            [
                (i, j, float(t0), float(t1))
                for i, j in sorted(self.near)
                for t0, t1 in altitudes.stretches_within(i, j, given.vertical_tmm)
                if t1 - t0 > INSTANT_S
            ],
        )
        rows = server.run(
            WITHIN + f"SELECT i, j, bool_or(ST_CPAWithin(a, b, {inner_m!r}))"
            f" FROM cut WHERE ST_CPAWithin(a, b, {outer_m!r}) GROUP BY i, j;"
        )
        self.possible = {(int(i), int(j)) for i, j, _ in rows}
        self.sure = {(int(i), int(j)) for i, j, sure in rows if sure == "t"}

    def contradictions(self, reported: Pairs) -> list[str]:
        """Return what the kernel's pairs contradict; empty exactly when they agree."""
        return [
            *(f"reported, not near: {pair}" for pair in sorted(reported - self.near)),
            *(f"missed: {pair}" for pair in sorted(self.sure - reported)),
            *(f"extra: {pair}" for pair in sorted(reported - self.possible)),
        ]


def r1k() -> AdversarialSet:
    return AdversarialSet(whole_milliseconds(flights(WORKLOADS["r1k"])), losses=600)


def pairs_anywhere() -> AdversarialSet:
    """Two hundred pairs all over the Earth that meet or nearly do, at any angle and speed."""
    rng = np.random.default_rng(2015)
    crossing = []
    for _ in range(200):
        at = (float(rng.uniform(-89.9, 89.9)), float(rng.uniform(-180, 180)))
        for _ in range(2):
            feet = tuple(float(rng.integers(290, 312) * 100) for _ in range(2))
            near = (at[0], at[1] + float(rng.uniform(0, 0.2)))
            crossing.append(
                straight(
                    near,
                    float(rng.uniform(0, 360)),
                    float(rng.uniform(0, 300)),
                    feet=(feet[0], feet[1]),
                    start_s=float(rng.integers(0, 300)),
                    lasts_s=float(rng.integers(60, 3_000)),
                    legs=int(rng.integers(1, 6)),
                )
            )
    return AdversarialSet(flights_through(crossing), losses=50)


@pytest.mark.parametrize("name", ["r1k", "pairs anywhere", *SETS])
def test_postgis_agrees(postgis: Postgres, name: str) -> None:
    given = {"r1k": r1k, "pairs anywhere": pairs_anywhere, **SETS}[name]()
    found = screened_at(given.made, given.lateral_m, given.vertical_tmm)
    reported = ours(found).pairs()
    judgement = Judgement(postgis, given)
    assert judgement.contradictions(reported) == []
    assert judgement.sure
    if name == "r1k":
        assert judgement.sure == judgement.possible == reported
        assert len(judgement.near) > 2 * len(reported)
        told_distances_agree(postgis, given, found)
        dropped = next(iter(reported))
        assert judgement.contradictions(reported - {dropped})
        assert judgement.contradictions(reported | {(0, 1)})


def told_distances_agree(postgis: Postgres, given: AdversarialSet, found) -> None:
    """ST_DistanceCPA of both paths, cut to each reported stretch, is the distance told."""
    reported = ours(found)
    rows = zip(
        reported.i.tolist(),
        reported.j.tolist(),
        reported.t_in_s.tolist(),
        reported.t_out_s.tolist(),
        strict=True,
    )
    asked(postgis, list(rows))
    answers = postgis.run(WITHIN + "SELECT ST_DistanceCPA(a, b) FROM cut ORDER BY i, j, t0;")
    nearest_m = np.array([float(row[0]) for row in answers])
    told_m = found["cpa_distance_m"]
    longest_m = pieces_of(given.made, LONGEST_PIECE_M).longest_m
    # What chords hide grows as the two come nearer: square of the sag by twice the distance.
    hidden_m = np.array([slack_m(float(told), longest_m) + 1e-3 for told in told_m])
    assert (np.abs(nearest_m - told_m) < hidden_m).all()
    assert np.median(np.abs(nearest_m - told_m)) < 0.02


def test_exactly_the_vertical_minimum_is_apart_in_rationals() -> None:
    at = (20.0, 30.0)
    made: Flights = flights_through(
        [straight(at, 10.0, 200.0, feet=feet) for feet in ((3e4, 3e4), (3.1e4, 3.1e4), (1e4, 4e4))]
    )
    vertical_tmm = 1_000 * TMM_PER_FOOT
    altitudes = Altitudes(made)
    assert altitudes.stretches_within(0, 1, vertical_tmm) == []
    ((begin, end),) = altitudes.stretches_within(0, 2, vertical_tmm)
    assert (begin, end) == (1_140, 1_260)
    assert len(altitudes.stretches_within(0, 1, vertical_tmm + 1)) == 1
