"""`pyproj.Geod` looks densely about everything the kernel reports, and at all the rest of the pair.

Nothing of chords or bounds here: two geodesics, many instants. What must hold of each finding:

- the witness is true: both positions, the distance and the altitudes at that instant;
- nowhere in the reported stretch are the two nearer than reported, beyond a millimetre;
- everywhere in it the distance is under the minimum and the stated slack, and so is the altitude;
- nowhere outside the stretches of the pair are both under the minima.
"""

from itertools import groupby

import numpy as np
import pytest
from bench.bench_screen import TMM_PER_FOOT, screened
from bench.conflicts import ours, seconds
from bench.flown import WGS84, Flown, distance_m, whole_milliseconds
from bench.workloads import WORKLOADS, flights
from tests.oracle.all_pairs import kernel_slack_m

WITNESS_M = 1e-3  # positions and distances are told for a whole microsecond, 0.25 mm of flight
NEARER_M = 1e-3
CLOCK_S = 2e-6
VERTICAL_FT = 1e-3  # a microsecond of the steepest climb is far less
SETS = {"r1k": 4.0, "u10k": 1.0}  # seconds between instants looked at outside


class Looking:
    """A set, what the kernel says of it, and the flights as pyproj flies them."""

    def __init__(self, name: str, most: int | None = None) -> None:
        self.workload = WORKLOADS[name]
        self.step_s = SETS[name]
        self.made = whole_milliseconds(flights(self.workload))
        everything = screened(self.made, self.workload)
        self.found = {told: column[:most] for told, column in everything.items()}
        self.reported = ours(self.found)
        self.cpa_s = seconds(self.found, "cpa_time")
        involved = np.unique(np.concatenate((self.reported.i, self.reported.j))).tolist()
        self.flown = {k: Flown.of(self.made, k) for k in involved}

    def pair(self, k: int) -> tuple[Flown, Flown]:
        return self.flown[int(self.reported.i[k])], self.flown[int(self.reported.j[k])]


@pytest.fixture(scope="module", params=SETS)
def looking(request: pytest.FixtureRequest) -> Looking:
    return Looking(request.param)


def wrong_witnesses(looking: Looking, found=None) -> list[str]:
    """Return the findings whose witness is not where pyproj puts the two flights."""
    found = looking.found if found is None else found
    wrong = []
    for k, at_s in enumerate(seconds(found, "cpa_time")):
        a, b = looking.pair(k)
        t_s = np.array([at_s])
        distance, feet = distance_m(a, b, t_s)
        off = [abs(distance[0] - found["cpa_distance_m"][k])]
        for flight, which in ((a, "first"), (b, "second")):
            lat, lon, _ = flight.at(t_s)
            told_lat, told_lon = found[f"{which}_lat_deg"][k], found[f"{which}_lon_deg"][k]
            off.append(WGS84.inv(lon[0], lat[0], told_lon, told_lat)[2])
        rise = abs(-feet[0] - found["cpa_vertical_tmm"][k] / TMM_PER_FOOT)
        if max(off) > WITNESS_M or rise > VERTICAL_FT:
            wrong.append(f"finding {k}: off by {max(off):.6f} m, {rise:.6f} ft")
    return wrong


def wrong_stretches(looking: Looking, t_in_s, t_out_s, least_m) -> list[str]:
    """Return the stretches that hold something clear of the minima, or nearer than told."""
    lateral_m = looking.workload.lateral_m + kernel_slack_m(looking.workload.lateral_m)
    wrong = []
    for k in range(len(least_m)):
        begin, end, cpa = t_in_s[k], t_out_s[k], looking.cpa_s[k]
        near = cpa + np.linspace(-1.0, 1.0, 201)
        near = near[(near > begin) & (near < end)]
        t_s = np.concatenate((np.linspace(begin + CLOCK_S, end - CLOCK_S, 401), near))
        distance, feet = distance_m(*looking.pair(k), t_s)
        if distance.min() < least_m[k] - NEARER_M:
            wrong.append(f"finding {k}: {distance.min():.4f} m, told {least_m[k]:.4f} m")
        if distance.max() > lateral_m:
            wrong.append(f"finding {k}: {distance.max():.4f} m within the stretch")
        if np.abs(feet).max() > looking.workload.vertical_ft + VERTICAL_FT:
            wrong.append(f"finding {k}: {np.abs(feet).max():.3f} ft within the stretch")
    return wrong


def losses_outside(looking: Looking, t_in_s, t_out_s) -> list[str]:
    """Return the pairs that pyproj sees under both minima outside the reported stretches."""
    wrong = []
    reported = looking.reported
    pairs = zip(reported.i.tolist(), reported.j.tolist(), range(len(reported)), strict=True)
    for pair, rows in groupby(pairs, key=lambda row: row[:2]):
        a, b = (looking.flown[k] for k in pair)
        begin, end = max(a.time_s[0], b.time_s[0]), min(a.time_s[-1], b.time_s[-1])
        own = [k for _, _, k in rows]
        edges = np.array([[t_in_s[k], t_out_s[k]] for k in own])
        about = edges[:, :, None] + np.array([-1e-2, -1e-3, -1e-5, 1e-5, 1e-3, 1e-2])
        t_s = np.concatenate((np.arange(begin, end, looking.step_s), about.ravel(), [end]))
        t_s = t_s[(t_s >= begin) & (t_s <= end)]
        for k in own:
            t_s = t_s[(t_s < t_in_s[k] - CLOCK_S) | (t_s > t_out_s[k] + CLOCK_S)]
        distance, feet = distance_m(a, b, t_s)
        under = (distance < looking.workload.lateral_m) & (
            np.abs(feet) < looking.workload.vertical_ft
        )
        if under.any():
            wrong.append(f"{pair}: under the minima at {t_s[under][:3]}, told {edges.tolist()}")
    return wrong


def test_every_witness_is_true(looking: Looking) -> None:
    assert len(looking.reported) > 300
    assert wrong_witnesses(looking) == []


def test_nothing_in_a_stretch_is_nearer_or_clear(looking: Looking) -> None:
    reported = looking.reported
    told_m = looking.found["cpa_distance_m"]
    assert wrong_stretches(looking, reported.t_in_s, reported.t_out_s, told_m) == []


def test_nothing_outside_the_stretches_is_under_the_minima(looking: Looking) -> None:
    assert losses_outside(looking, looking.reported.t_in_s, looking.reported.t_out_s) == []


@pytest.mark.parametrize("name", SETS)
def test_planted_faults_are_noticed(name: str) -> None:
    looking = Looking(name, 50)
    reported = looking.reported
    begin, end, told_m = reported.t_in_s, reported.t_out_s, looking.found["cpa_distance_m"]
    second = np.where(np.arange(len(reported)) == len(reported) // 2, 1.0, 0.0)
    assert not losses_outside(looking, begin, end)
    assert losses_outside(looking, begin + second / 10, end)
    assert losses_outside(looking, begin, end - second / 10)
    assert wrong_stretches(looking, begin - second, end + second, told_m)
    assert wrong_stretches(looking, begin, end, told_m + second / 100)
    moved = {**looking.found, "second_lat_deg": looking.found["second_lat_deg"] + second / 1e7}
    assert wrong_witnesses(looking, moved)
    higher = {**looking.found, "cpa_vertical_tmm": looking.found["cpa_vertical_tmm"] + 100}
    assert wrong_witnesses(looking, higher)
