"""What must hold of every check, whatever is checked."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from deconflict.airspace import Containment, Trajectory
from deconflict.separation import AltitudeConversions, Extent, Finding, check
from effort import examples
from oracle.builders import T0_MS, flight, minima
from oracle.strategies import centres, flights_near, volumes_near

QUICK = examples(60, alike=True)
SIZE_M = 60_000.0
laterals = st.floats(0.0, 60_000.0)
verticals = st.integers(0, 6_096_000)


@st.composite
def traffic(draw: st.DrawFn, most: int = 4) -> list[Extent]:
    centre = draw(centres)
    made = []
    for k in range(draw(st.integers(2, most))):
        kind = draw(st.sampled_from([flights_near, flights_near, volumes_near]))
        made.append(draw(kind(centre, SIZE_M, f"e{k}")))
    return made


def run(extents: list[Extent], lateral_m: float, vertical_tmm: int) -> tuple[Finding, ...]:
    return check(extents, minima=minima(lateral_m, vertical_tmm), conversions=AltitudeConversions())


def turned(finding: Finding) -> Finding:
    rise = finding.cpa_vertical_tmm
    return replace(
        finding,
        first=finding.second,
        second=finding.first,
        position_first=finding.position_second,
        position_second=finding.position_first,
        cpa_vertical_tmm=None if rise is None else -rise,
    )


def by_pair(findings: tuple[Finding, ...]) -> dict[frozenset[str], list[Finding]]:
    pairs: dict[frozenset[str], list[Finding]] = {}
    for f in findings:
        same_way = f if f.first < f.second else turned(f)
        pairs.setdefault(frozenset((f.first, f.second)), []).append(same_way)
    return pairs


def widened(extent: Extent, lateral_mm: int, vertical_tmm: int, time_ms: int) -> Extent:
    if not isinstance(extent.geometry, Trajectory):
        return extent
    held = extent.geometry.containment
    return replace(
        extent,
        geometry=replace(
            extent.geometry,
            containment=Containment(
                held.lateral_mm + lateral_mm,
                held.vertical_tmm + vertical_tmm,
                held.time_ms + time_ms,
            ),
        ),
    )


def covered(less: tuple[Finding, ...], more: tuple[Finding, ...]) -> None:
    """Every pair and every stretch of time of ``less`` is in ``more``."""
    wider = by_pair(more)
    for pair, findings in by_pair(less).items():
        assert pair in wider
        for finding in findings:
            # A verdict may become another one where more is added; the time may not vanish.
            assert any(
                f.start_ms <= finding.end_ms and finding.start_ms <= f.end_ms for f in wider[pair]
            )


@QUICK
@given(st.data(), traffic(), laterals, verticals)
def test_order_changes_no_bit(data, extents, lateral_m, vertical_tmm) -> None:
    shuffled = data.draw(st.permutations(extents))
    assert by_pair(run(extents, lateral_m, vertical_tmm)) == by_pair(
        run(shuffled, lateral_m, vertical_tmm)
    )


@QUICK
@given(traffic(), laterals, verticals, st.integers(-1_000_000, 100_000_000))
def test_shifting_time_shifts_the_findings(extents, lateral_m, vertical_tmm, seconds) -> None:
    by_ms = seconds * 1000

    def later(extent: Extent) -> Extent:
        geometry = extent.geometry
        if isinstance(geometry, Trajectory):
            moved = tuple(replace(w, at_ms=w.at_ms + by_ms) for w in geometry.waypoints)
            return replace(extent, geometry=replace(geometry, waypoints=moved))
        spans = [(v.span.start_ms + by_ms, v.span.end_ms + by_ms) for v in geometry]
        return replace(
            extent,
            geometry=tuple(
                replace(v, span=replace(v.span, start_ms=start, end_ms=end))
                for v, (start, end) in zip(geometry, spans, strict=True)
            ),
        )

    now = run(extents, lateral_m, vertical_tmm)
    then = run([later(extent) for extent in extents], lateral_m, vertical_tmm)
    assert then == tuple(
        replace(
            f,
            start_ms=f.start_ms + by_ms,
            end_ms=f.end_ms + by_ms,
            cpa_time_ms=f.cpa_time_ms + by_ms,
        )
        for f in now
    )


@QUICK
@given(traffic(), laterals, verticals)
def test_names_do_not_matter(extents, lateral_m, vertical_tmm) -> None:
    renamed = [replace(e, key=f"z{e.key}", party=f"z{e.party}") for e in extents]
    assert run(renamed, lateral_m, vertical_tmm) == tuple(
        replace(f, first=f"z{f.first}", second=f"z{f.second}")
        for f in run(extents, lateral_m, vertical_tmm)
    )


@QUICK
@given(traffic(), laterals, verticals, st.floats(0.0, 20_000.0), st.integers(0, 3_048_000))
def test_larger_minima_remove_nothing(extents, lateral_m, vertical_tmm, wider_m, higher) -> None:
    less = run(extents, lateral_m, vertical_tmm)
    covered(less, run(extents, lateral_m + wider_m, vertical_tmm))
    covered(less, run(extents, lateral_m, vertical_tmm + higher))


@QUICK
@given(
    traffic(),
    laterals,
    verticals,
    st.sampled_from([(1_000, 0, 0), (5_000_000, 0, 0), (0, 30_480, 0), (0, 0, 1), (0, 0, 90_000)]),
)
def test_more_containment_removes_nothing(extents, lateral_m, vertical_tmm, more) -> None:
    assume(lateral_m > 0)
    less = run(extents, lateral_m, vertical_tmm)
    covered(less, run([widened(e, *more) for e in extents], lateral_m, vertical_tmm))


@QUICK
@given(traffic(5), laterals, verticals)
def test_another_object_removes_nothing(extents, lateral_m, vertical_tmm) -> None:
    all_pairs = by_pair(run(extents, lateral_m, vertical_tmm))
    fewer = by_pair(run(extents[:-1], lateral_m, vertical_tmm))
    last = extents[-1].key
    assert fewer == {pair: found for pair, found in all_pairs.items() if last not in pair}


@QUICK
@given(traffic(5), laterals, verticals)
def test_one_against_the_others_finds_what_all_pairs_find(extents, lateral_m, vertical_tmm) -> None:
    last = extents[-1]
    alone = check(
        [last],
        others=extents[:-1],
        minima=minima(lateral_m, vertical_tmm),
        conversions=AltitudeConversions(),
    )
    together = by_pair(run(extents, lateral_m, vertical_tmm))
    assert by_pair(alone) == {p: found for p, found in together.items() if last.key in p}


@QUICK
@given(traffic(), st.floats(1.0, 60_000.0), st.integers(1, 6_096_000))
def test_the_witness_lies_within_the_finding(extents, lateral_m, vertical_tmm) -> None:
    for finding in run(extents, lateral_m, vertical_tmm):
        assert finding.start_ms <= finding.cpa_time_ms <= finding.end_ms
        assert finding.start_ms >= T0_MS
        assert finding.cpa_distance_m <= lateral_m + finding.margin_m + 0.01
        assert abs(finding.cpa_vertical_tmm or 0) <= vertical_tmm + 1


def test_two_thousand_flights_in_one_place_are_all_found() -> None:
    crowd = [
        flight(f"f{k}", [(k / 100, 48.0, 9.0, 9_000), (k / 100 + 0.005, 48.0, 9.001, 9_000)])
        for k in range(2_000)
    ]
    assert run(crowd, 9_260.0, 3_048_000) == ()
    one = flight("one", [(0, 48.0, 9.0, 9_000), (100, 48.0, 9.001, 9_000)])
    assert len(run([*crowd, one], 9_260.0, 3_048_000)) == 2_000
