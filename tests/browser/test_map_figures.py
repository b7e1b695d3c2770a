"""The arithmetic of the map against the node's, and the fast way against the slow one."""

import math
import random
from collections.abc import Iterator
from itertools import pairwise

import pytest
from desks import Watch, open_desk
from playwright.sync_api import Browser, Page

from deconflict.airspace.geodesy import direct, inverse
from deconflict.airspace.position import Position

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

SPHERE = 0.006  # of a length: what a sphere is out by along a meridian at the equator
BEYOND = """
async (asked) => {
  const { beyond, metres } = await import("/console/map/sphere.js");
  return asked.map(([lon, lat, bearing, far]) => {
    const place = beyond([lon, lat], far, (bearing * Math.PI) / 180);
    return [...place, metres([lon, lat], place)];
  });
}
"""
# Of 40 flights at times in any order: which are under way, and the largest difference from where a
# search from the first leg puts them.
SLOW = """
async () => {
  const { Moving } = await import("/console/map/moving.js");
  const { angle, between, mercatorX, mercatorY, place, vector } =
    await import("/console/map/sphere.js");
  const points = (one) => Array.from({ length: 7 }, (_, at) => ({
    at: one * 50 + at * 100,
    place: [30 + one * 0.1 + at * 0.3, 30 + Math.sin(at + one)],
    height: at * 100,
  }));
  const flights = Array.from({ length: 40 }, (_, one) => ({ waypoints: points(one) }));
  const moving = new Moving(flights);
  let worst = 0;
  for (const at of [0, 2500, 120, 119.5, 600, 1300, 7, 100, 2549, 2551, -1]) {
    moving.show(at);
    const under = flights.flatMap(({ waypoints }, number) =>
      waypoints[0].at <= at && at <= waypoints.at(-1).at ? [number] : []);
    if (under.join() !== [...moving.under.slice(0, moving.count)].join()) return Infinity;
    under.forEach((number, slot) => {
      const { waypoints } = flights[number];
      const next = Math.max(1, waypoints.findIndex((point) => point.at >= at));
      const [here, there] = [waypoints[next - 1], waypoints[next]];
      const share = (at - here.at) / (there.at - here.at);
      const [one, other] = [vector(here.place), vector(there.place)];
      const [lon, lat] = place(between(one, other, angle(one, other), share));
      const height = here.height + (there.height - here.height) * share;
      worst = Math.max(worst,
        Math.abs(moving.x[slot] - mercatorX(lon)), Math.abs(moving.y[slot] - mercatorY(lat)),
        Math.abs(moving.height[slot] - height) / 1e6);
    });
  }
  return worst;
}
"""
CORRIDOR = """
async ([path, aside]) => {
  const { corridor } = await import("/console/map/sphere.js");
  return corridor(path, aside);
}
"""


@pytest.fixture(scope="module")
def page(both: Watch, browser: Browser) -> Iterator[Page]:
    desk = open_desk(browser, both.members["blue"])
    yield desk.page
    desk.page.context.close()
    assert not desk.troubles


def position(lon: float, lat: float) -> Position:
    return Position.from_degrees(lat, (lon + 180) % 360 - 180)


def test_a_place_on_the_map_is_where_the_node_has_it(page: Page) -> None:
    chance = random.Random(4)
    asked = [
        [chance.uniform(-179, 179), chance.uniform(-70, 70), chance.uniform(0, 360), far]
        for far in (500, 20_000, 300_000, 900_000)
        for _ in range(25)
    ]
    for (lon, lat, bearing, far), (east, north, said) in zip(
        asked, page.evaluate(BEYOND, asked), strict=True
    ):
        true = direct(position(lon, lat), bearing, far)
        assert inverse(true, position(east, north)).distance_m <= SPHERE * far + 1
        assert math.isclose(said, far, rel_tol=1e-6)


def test_where_a_flight_is_at_a_time_is_as_by_the_slow_way(page: Page) -> None:
    assert page.evaluate(SLOW) < 1e-9


@pytest.mark.parametrize("path", [[[38, 36], [38.5, 36.3]], [[38, 36], [38.5, 36.3], [39, 36]]])
def test_the_edge_of_a_corridor_lies_as_far_from_its_path_as_it_says(
    page: Page, path: list[list[float]]
) -> None:
    aside = 5_000.0
    edge = page.evaluate(CORRIDOR, [path, aside])
    places = [
        position(one[0] + (other[0] - one[0]) * share, one[1] + (other[1] - one[1]) * share)
        for one, other in pairwise(path)
        for share in (step / 400 for step in range(401))
    ]
    for lon, lat in edge:
        nearest = min(inverse(position(lon, lat), place).distance_m for place in places)
        # Within a hundred metres: the points of the path that are compared lie as far apart.
        assert abs(nearest - aside) <= SPHERE * aside + 100
