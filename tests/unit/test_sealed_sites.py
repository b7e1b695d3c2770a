"""An activity against protected sites: what the planner learns, and what cheats get."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.effort import examples

from deconflict.airspace import AltitudeReference, Position
from deconflict.errors import (
    CheckRefusedError,
    DeconflictError,
    InvalidDocumentError,
    InvalidGeometryError,
    InvalidInputError,
)
from deconflict.sealed.cells import SlotCells
from deconflict.sealed.grid import Grid, Reach, cell_id
from deconflict.sealed.labels import close_label, close_length, open_label
from deconflict.sealed.oprf import Sender
from deconflict.sealed.own import plan_bytes
from deconflict.sealed.probing import (
    NOTHING_ASKED,
    Asked,
    Consent,
    ProbeCaps,
    admitted,
    require_consent,
)
from deconflict.sealed.session import Outcome
from deconflict.sealed.site_audit import SiteAudited, SiteOpened, SiteSaid, audit_sites
from deconflict.sealed.site_check import Planner, Protector, SiteFinding
from deconflict.sealed.site_hello import SiteShape, read_site_hello, site_session_id
from deconflict.sealed.site_sides import (
    SiteStep,
    SiteStepKind,
    entry_length,
    planner_side,
    protector_side,
    step_length,
)
from deconflict.sealed.sites import (
    Site,
    activity_squares,
    decoys,
    site_canaries,
    site_squares,
    sites_bytes,
)
from deconflict.sealed.tubes import Area, Tube
from sealed_talk import EXPIRES, drawn, stay
from site_talk import Alter, Table

FLAT = Grid(
    Position.from_degrees(35.0, 38.5), -40_000, -30_000, 10_000, 8, 6,
    AltitudeReference.AMSL, 0, 10_000, 1, 900_000, 5_000, 1, Reach(),
)  # fmt: skip
SHAPE = SiteShape(grid="cd" * 32, points=64, bucket=256, label=24)


def site(x_mm: int, y_mm: int, label: str = "hospital", *, radius_mm: int = 8_000) -> Site:
    middle = (x_mm, y_mm)
    return Site(label, (Area(((middle, middle),), (), 500, 0, 9_000, 0, 1),), radius_mm)


SITES = (site(-15_000, 5_000), site(25_000, -15_000, "convoy"))
NEAR, FAR = stay(-22_000, 5_000), stay(-35_000, -25_000)


def table(
    sites: Iterable[Site] = SITES, plan: Iterable[Tube | Area] = (NEAR,), shape: SiteShape = SHAPE
) -> Table:
    return Table(
        protector_side("agency", tuple(sites), FLAT, shape, drawn(1), expires_utc=EXPIRES),
        planner_side("planner", tuple(plan), FLAT, shape, drawn(2), expires_utc=EXPIRES),
    )


# ---- what is found ---------------------------------------------------------------------------


def test_the_planner_learns_which_square_meets_which_site_and_the_protector_nothing() -> None:
    played = table()
    found = played.play()
    met = activity_squares([NEAR], FLAT) & set(site_squares(SITES, FLAT))
    assert met
    assert found == SiteFinding(Outcome.HIT, True, {cell_id(c): "hospital" for c in met})
    assert played.sender.whole
    assert not hasattr(played.sender, "finding")
    assert played.sender.transcript == played.asker.transcript


def test_who_stays_away_is_told_so_only_at_the_end() -> None:
    played = table(plan=[FAR])
    assert played.play() == SiteFinding(Outcome.NO_HIT, True, {})
    fresh = Planner(played.planner)
    assert fresh.finding.outcome is Outcome.NOT_CHECKED


def test_without_labels_only_yes_or_no_is_told() -> None:
    shape = msgspec.structs.replace(SHAPE, label=0)
    found = table(shape=shape).play()
    assert found.outcome is Outcome.HIT
    assert set(found.hits.values()) == {""}
    assert step_length(SiteStepKind.LIST, shape) == 12 * 256


spots = st.tuples(st.integers(-38_000, 38_000), st.integers(-28_000, 28_000))


@given(st.lists(spots, max_size=4), st.lists(spots, max_size=3), st.integers(0, 20_000))
@examples(25)
def test_the_result_is_the_plain_overlap_and_every_length_that_of_the_shape(
    where: list[tuple[int, int]], flown: list[tuple[int, int]], radius_mm: int
) -> None:
    sites = [site(*spot, label=f"site {n}", radius_mm=radius_mm) for n, spot in enumerate(where)]
    plan = [stay(*spot) for spot in flown]
    played = table(sites, plan)
    found = played.play()
    squares = site_squares(sites, FLAT)
    assert found.whole
    assert found.hits == {
        cell_id(cell): squares[cell] for cell in activity_squares(plan, FLAT) if cell in squares
    }
    for spot in where:
        for other in flown:
            apart = (spot[0] - other[0]) ** 2 + (spot[1] - other[1]) ** 2
            assert apart > radius_mm**2 or found.outcome is Outcome.HIT
    due = [("planner", 64 * 32), ("protector", 64 * 32 + 64), ("planner", 32), ("protector", 32)]
    assert played.lengths[2:] == [("protector", 256 * entry_length(SHAPE)), *due]


def test_time_and_height_of_an_activity_count_for_nothing() -> None:
    late = replace(
        NEAR, knots=tuple(replace(k, at_ms=k.at_ms * 9, altitude_tmm=99_000) for k in NEAR.knots)
    )
    assert activity_squares([late], FLAT) == activity_squares([NEAR], FLAT)


def test_the_first_site_of_a_square_gives_its_label() -> None:
    both = site_squares([site(0, 0, "first"), site(1_000, 0, "second")], FLAT)
    assert set(both.values()) == {"first", "second"} or set(both.values()) == {"first"}
    assert both[(0, 4, 3, 0)] == "first"


# ---- decoys ----------------------------------------------------------------------------------


def test_decoys_are_the_same_in_every_check_and_change_no_byte() -> None:
    made = decoys(b"d" * 32, 5, FLAT, radius_mm=8_000, labels=["hospital", "convoy"])
    assert made == decoys(b"d" * 32, 5, FLAT, radius_mm=8_000, labels=["hospital", "convoy"])
    assert made != decoys(b"e" * 32, 5, FLAT, radius_mm=8_000, labels=["hospital", "convoy"])
    real = [replace(each, decoy=False) for each in made]
    assert site_squares(made, FLAT) == site_squares(real, FLAT)
    assert len(site_squares(made, FLAT)) >= 5
    assert {each.label for each in made} == {"hospital", "convoy"}
    with pytest.raises(InvalidInputError, match="another length"):
        decoys(b"short", 5, FLAT, radius_mm=0)


# ---- labels ----------------------------------------------------------------------------------


def test_a_label_opens_with_the_secret_of_its_square_and_session_alone() -> None:
    output, ssid = bytes(range(64)), bytes(32)
    closed = close_label("кладбище", output, ssid, 40)
    assert len(closed) == close_length(40) == len(close_label("", output, ssid, 40))
    assert open_label(closed, output, ssid) == "кладбище"
    for other, session in (
        (output[:12] + bytes(52), ssid),
        (bytes(12) + output[12:], ssid),
        (output, bytes([1]) * 32),
    ):
        assert open_label(closed, other, session) is None
    for at in range(len(closed)):
        altered = bytearray(closed)
        altered[at] ^= 1
        assert open_label(bytes(altered), output, ssid) is None
    with pytest.raises(InvalidInputError, match="longer than agreed"):
        close_label("x" * 41, output, ssid, 40)


def test_what_is_shown_holds_no_label_and_no_square() -> None:
    shown: list[bytes] = []

    def look(sender: str, step: SiteStep) -> Iterable[SiteStep]:
        shown.append(step.data)
        return (step,)

    played = table()
    played.alter = look
    played.play()
    for data in shown:
        assert b"hospital" not in data
        assert not any(cell_id(cell)[4:] * 2 in data for cell in site_squares(SITES, FLAT))
    # Asked again in another session nothing of the list is the same.
    again = protector_side("agency", SITES, FLAT, SHAPE, drawn(7), expires_utc=EXPIRES)
    lists = []
    for own in (played.protector, again):
        sender = Protector(own, threads=1)
        sender.begin()
        sender.hear(SiteStep(SiteStepKind.HELLO, played.planner.hello.data))
        data, size = sender.show().data, entry_length(SHAPE)
        lists.append({data[at : at + size] for at in range(0, len(data), size)})
    assert not lists[0] & lists[1]


# ---- cheats ----------------------------------------------------------------------------------


def refusal(played: Table, who: str = "planner") -> str:
    found = played.play()
    assert found.outcome is Outcome.NOT_CHECKED
    assert not found.whole
    error = played.errors[who]
    assert isinstance(error, CheckRefusedError)
    side = played.asker if who == "planner" else played.sender
    assert side.reason == error.reason
    return error.reason


def altering(who: str, kind: SiteStepKind, change: Callable[[bytes], bytes]) -> Alter:
    def alter(sender: str, step: SiteStep) -> Iterable[SiteStep]:
        if (sender, step.kind) == (who, kind):
            step = replace(step, data=change(step.data))
        return (step,)

    return alter


@pytest.mark.parametrize(
    ("who", "kind", "change", "hearer", "reason"),
    [
        ("planner", SiteStepKind.POINTS, lambda d: d[:32] * 2 + d[64:], "protector", "DUPLICATE"),
        ("planner", SiteStepKind.POINTS, lambda d: bytes(32) + d[32:], "protector", "IDENTITY"),
        (
            "planner",
            SiteStepKind.POINTS,
            lambda d: b"\xff" * 32 + d[32:],
            "protector",
            "NOT_CANONICAL",
        ),
        ("planner", SiteStepKind.POINTS, lambda d: d + d[:32], "protector", "WRONG_LENGTH"),
        (
            "protector",
            SiteStepKind.LIST,
            lambda d: d[: -entry_length(SHAPE)],
            "planner",
            "WRONG_LENGTH",
        ),
        (
            "protector",
            SiteStepKind.LIST,
            lambda d: d[entry_length(SHAPE) :] + d[: entry_length(SHAPE)],
            "planner",
            "UNSORTED_TAGS",
        ),
        (
            "protector",
            SiteStepKind.LIST,
            lambda d: d[: entry_length(SHAPE)] * 2 + d[2 * entry_length(SHAPE) :],
            "planner",
            "UNSORTED_TAGS",
        ),
        (
            "protector",
            SiteStepKind.LIST,
            lambda d: b"".join(n.to_bytes(12) + bytes(42) for n in range(256)),
            "planner",
            "CANARY_LOST",
        ),
        (
            "protector",
            SiteStepKind.EVALUATED,
            lambda d: d[32:64] + d[:32] + d[64:],
            "planner",
            "BAD_PROOF",
        ),
        ("protector", SiteStepKind.EVALUATED, lambda d: bytes(32) + d[32:], "planner", "IDENTITY"),
        ("protector", SiteStepKind.DONE, lambda d: bytes(32), "planner", "OTHER_TRANSCRIPT"),
        ("planner", SiteStepKind.DONE, lambda d: bytes(32), "protector", "OTHER_TRANSCRIPT"),
    ],
)
def test_a_step_that_is_not_what_was_agreed_ends_the_check(
    who: str, kind: SiteStepKind, change: Callable[[bytes], bytes], hearer: str, reason: str
) -> None:
    played = table(plan=[FAR])
    played.alter = altering(who, kind, change)
    assert refusal(played, hearer) == reason


def test_an_answer_with_another_key_than_was_shown_is_found_out() -> None:
    played = table(plan=[FAR])
    asked: list[bytes] = []

    def wrong(sender: str, step: SiteStep) -> Iterable[SiteStep]:
        if step.kind is SiteStepKind.POINTS:
            asked.append(step.data)
        if step.kind is SiteStepKind.EVALUATED:
            ssid = site_session_id(played.protector.hello, played.planner.hello)
            answer = Sender(bytes(32), ssid).evaluate((0,), SHAPE.points, asked[0])
            step = replace(step, data=answer.points + answer.proofs)
        return (step,)

    played.alter = wrong
    assert refusal(played) == "BAD_PROOF"


def test_a_label_that_does_not_open_ends_the_check_and_the_hit_stays() -> None:
    played = table()
    size = entry_length(SHAPE)

    def spoil(data: bytes) -> bytes:
        entries = [bytearray(data[at : at + size]) for at in range(0, len(data), size)]
        for entry in entries:
            entry[-1] ^= 1
        return b"".join(entries)

    played.alter = altering("protector", SiteStepKind.LIST, spoil)
    found = played.play()
    assert (found.outcome, found.whole, found.reason) == (Outcome.HIT, False, "BAD_LABEL")
    assert set(found.hits.values()) == {None}


@pytest.mark.parametrize("kind", list(SiteStepKind))
@pytest.mark.parametrize("who", ["protector", "planner"])
def test_a_step_that_does_not_come_leaves_it_unchecked(who: str, kind: SiteStepKind) -> None:
    played = table(plan=[FAR])
    played.alter = lambda sender, step: () if (sender, step.kind) == (who, kind) else (step,)
    if (who, kind) == ("planner", SiteStepKind.HELLO):
        with pytest.raises(CheckRefusedError, match="list is not due"):
            played.play()
        return
    found = played.play()
    unsaid = {("protector", SiteStepKind.POINTS), ("planner", SiteStepKind.LIST)}
    unsaid.add(("planner", SiteStepKind.EVALUATED))
    assert (found.outcome is Outcome.NO_HIT) == ((who, kind) in unsaid)


@pytest.mark.parametrize("kind", list(SiteStepKind))
def test_a_step_twice_or_before_its_turn_is_refused(kind: SiteStepKind) -> None:
    for side in (Protector(table().protector), Planner(table().planner)):
        side.begin()
        if kind is not SiteStepKind.HELLO:
            with pytest.raises(CheckRefusedError, match="not due"):
                side.hear(SiteStep(kind, bytes(32)))
            assert side.reason == "OUT_OF_TURN"
            with pytest.raises(CheckRefusedError, match="has ended"):
                side.hear(SiteStep(SiteStepKind.HELLO, b""))
    played = table(plan=[FAR])
    played.alter = lambda sender, step: (step, step) if step.kind is kind else (step,)
    found = played.play()
    if kind is SiteStepKind.DONE:  # the check was whole by then
        assert (found.outcome, played.errors) == (Outcome.NO_HIT, {})
        return
    assert found.outcome is Outcome.NOT_CHECKED
    assert "OUT_OF_TURN" in {getattr(error, "reason", "") for error in played.errors.values()}


def test_points_are_not_answered_before_the_list_was_shown() -> None:
    own = table()
    sender = Protector(own.protector, threads=1)
    sender.begin()
    sender.hear(SiteStep(SiteStepKind.HELLO, own.planner.hello.data))
    with pytest.raises(CheckRefusedError, match="POINTS is not due"):
        sender.hear(SiteStep(SiteStepKind.POINTS, bytes(64 * 32)))


def test_replayed_hellos_used_keys_other_grids_and_equal_roles_are_refused() -> None:
    played = table()
    planner, protector = played.planner.hello, played.protector.hello
    for side, reason in (
        (Protector(played.protector, seen=frozenset({planner.hash})), "REPLAYED_HELLO"),
        (Protector(played.protector, keys=frozenset({planner.key})), "KEY_REUSED"),
    ):
        side.begin()
        with pytest.raises(CheckRefusedError) as refused:
            side.hear(SiteStep(SiteStepKind.HELLO, planner.data))
        assert refused.value.reason == side.reason == reason
    for change, reason in (({"grid": "ab" * 32}, "OTHER_GRID"), ({"points": 65}, "OTHER_SHAPE")):
        shape = msgspec.structs.replace(SHAPE, **change)
        other = planner_side("planner", [FAR], FLAT, shape, drawn(2), expires_utc=EXPIRES)
        sender = Protector(played.protector)
        sender.begin()
        with pytest.raises(CheckRefusedError) as refused:
            sender.hear(SiteStep(SiteStepKind.HELLO, other.hello.data))
        assert refused.value.reason == reason
    asker = Planner(played.planner)
    asker.begin()
    with pytest.raises(CheckRefusedError, match="same role"):
        asker.hear(SiteStep(SiteStepKind.HELLO, planner.data))
    assert read_site_hello(protector.data) == protector
    for wrong in (protector.data + b" ", protector.data.replace(b'"v":1', b'"v":2'), b"[]"):
        with pytest.raises(DeconflictError):
            read_site_hello(wrong)
    with pytest.raises(InvalidDocumentError):
        read_site_hello(planner.data.replace(b'"points":64', b'"points":3'))


@given(st.sampled_from(list(SiteStepKind)), st.integers(0), st.integers(0, 7))
@examples(60)
def test_a_flipped_bit_is_never_clear(kind: SiteStepKind, at: int, bit: int) -> None:
    def flip(data: bytes) -> bytes:
        altered = bytearray(data)
        altered[at % len(data)] ^= 1 << bit
        return bytes(altered)

    for who in ("protector", "planner"):
        played = table(plan=[FAR])
        played.alter = altering(who, kind, flip)
        silent = {("protector", SiteStepKind.POINTS), ("planner", SiteStepKind.LIST)}
        silent.add(("planner", SiteStepKind.EVALUATED))
        if (who, kind) in silent:
            continue
        try:
            found = played.play()
        except CheckRefusedError:
            continue
        assert found.outcome is Outcome.NOT_CHECKED


def test_a_kernel_that_loses_tags_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Sender.outputs

    def losing(self: Sender, cells: SlotCells, *, length: int, threads: int | None = None) -> bytes:
        return whole(self, cells, length=length, threads=threads)[:-length]

    monkeypatch.setattr(Sender, "outputs", losing)
    with pytest.raises(CheckRefusedError, match="another number of tags"):
        table().play()


# ---- what is refused at home -------------------------------------------------------------------


def test_what_does_not_fit_is_refused_at_home_and_nothing_is_left_out() -> None:
    wide = stay(0, 0)
    crowd = [
        stay(x, y) for x in range(-35_000, 40_000, 10_000) for y in range(-25_000, 30_000, 9_000)
    ]
    small = msgspec.structs.replace(SHAPE, points=20)
    with pytest.raises(InvalidInputError, match="more squares of the activity"):
        planner_side("planner", crowd, FLAT, small, drawn(2), expires_utc=EXPIRES)
    few = msgspec.structs.replace(SHAPE, bucket=64)
    fine = replace(FLAT, cell_mm=5_000, columns=16, rows=12)
    with pytest.raises(InvalidInputError, match="more squares of sites"):
        protector_side(
            "agency", [site(0, 0, radius_mm=90_000)], fine, few, drawn(1), expires_utc=EXPIRES
        )
    with pytest.raises(InvalidInputError, match="label is longer"):
        protector_side("agency", [site(0, 0, "x" * 25)], FLAT, SHAPE, drawn(1), expires_utc=EXPIRES)
    with pytest.raises(InvalidGeometryError, match="leaves the grid"):
        activity_squares([stay(90_000, 0)], FLAT)
    with pytest.raises(InvalidGeometryError, match="leaves the grid"):
        site_squares([site(90_000, 0)], FLAT)
    with pytest.raises(InvalidInputError, match="neither slots nor levels"):
        activity_squares([wide], replace(FLAT, slots=2))


def test_nothing_shows_a_site_or_a_plan_by_its_repr() -> None:
    played = table()
    shown = repr((SITES, played.protector, played.planner))
    for secret in ("hospital", "15000", drawn(1).seed.hex(), str(drawn(1).seed)):
        assert secret not in shown
    assert b"hospital" in sites_bytes(SITES)
    assert len(site_canaries()) == 16


# ---- how much may be asked ---------------------------------------------------------------------

CAPS = ProbeCaps(points_a_query=1_000, queries_a_day=3, domain=250_000, share_per_mille=10)
DAY_MS = 86_400_000


def test_a_client_that_asks_too_much_is_refused_by_query_by_day_and_for_ever() -> None:
    def over(asked: Asked, points: int, now_ms: int) -> str:
        with pytest.raises(CheckRefusedError) as refused:
            admitted(CAPS, asked, points=points, now_ms=now_ms)
        assert refused.value.reason == "OVER_CAP"
        return str(refused.value)

    assert "at once" in over(NOTHING_ASKED, 1_001, 0) or "more squares" in over(NOTHING_ASKED, 0, 0)
    asked = NOTHING_ASKED
    for _ in range(3):
        asked = admitted(CAPS, asked, points=500, now_ms=DAY_MS)
    assert "a day" in over(asked, 1, DAY_MS * 2 - 1)
    assert "a day" in over(asked, 1, 0)  # a clock set back begins no new day
    asked = admitted(CAPS, asked, points=1_000, now_ms=DAY_MS * 2)
    assert asked == Asked(day=2, today=1, ever=2_500)
    assert "ever allowed" in over(asked, 1, DAY_MS * 900)


@given(st.lists(st.tuples(st.integers(1, 1_000), st.integers(0, 40)), max_size=60))
def test_however_it_is_asked_no_more_than_the_share_is_answered(
    queries: list[tuple[int, int]],
) -> None:
    asked, answered = NOTHING_ASKED, 0
    for points, day in queries:
        try:
            asked = admitted(CAPS, asked, points=points, now_ms=day * DAY_MS)
        except CheckRefusedError:
            continue
        answered += points
    assert answered == asked.ever <= CAPS.points_ever == 2_500


@pytest.mark.parametrize(
    "change", [{"domain": 0}, {"share_per_mille": 1_001}, {"queries_a_day": True}]
)
def test_caps_that_cap_nothing_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(InvalidInputError, match="out of range"):
        replace(CAPS, **change)


def test_only_who_has_a_consent_that_stands_is_answered() -> None:
    consents = (Consent("planner", 100, 200), Consent("other", 0, 1_000, withdrawn_ms=500))
    assert require_consent(consents, "planner", now_ms=100) is consents[0]
    assert require_consent(consents, "other", now_ms=499) is consents[1]
    for client, now_ms in (("planner", 99), ("planner", 200), ("other", 500), ("nobody", 150)):
        with pytest.raises(CheckRefusedError) as refused:
            require_consent(consents, client, now_ms=now_ms)
        assert refused.value.reason == "NO_CONSENT"


# ---- the arbiter -------------------------------------------------------------------------------


def logged(played: Table) -> list[SiteSaid]:
    """Play it, and return what was said, as both sides have it."""
    log: list[SiteSaid] = []
    names = {"protector": "agency", "planner": "planner"}
    change = played.alter

    def keep(sender: str, step: SiteStep) -> Iterable[SiteStep]:
        for said in change(sender, step):
            log.append(SiteSaid(names[sender], said))
            yield said

    played.alter = keep
    played.play()
    return log


def test_an_arbiter_finds_what_the_planner_was_warned_of_and_that_nobody_deviated() -> None:
    played = table()
    log = logged(played)
    planner = SiteOpened("planner", plan_bytes([NEAR]), drawn(2).seed)
    assert audit_sites(log, planner, FLAT) == SiteAudited(None, played.asker.finding)
    agency = SiteOpened("agency", sites_bytes(SITES), drawn(1).seed)
    assert audit_sites(log, agency, FLAT) == SiteAudited(None, None)
    assert "hospital" not in repr(agency)
    for wrong in (
        replace(planner, held=plan_bytes([FAR])),
        replace(planner, seed=bytes(32)),
        replace(agency, held=sites_bytes(SITES[:1])),
        replace(agency, party="nobody"),
        replace(agency, held=b"[1]"),
        replace(agency, held=sites_bytes(SITES) + b" "),
    ):
        assert audit_sites(log, wrong, FLAT).deviates is not None


def test_an_arbiter_finds_a_list_that_was_not_shown_whole() -> None:
    played = table()
    empty = protector_side("agency", [], FLAT, SHAPE, drawn(1), expires_utc=EXPIRES)
    lying = replace(empty, hello=played.protector.hello)
    log = logged(Table(lying, played.planner))
    agency = SiteOpened("agency", sites_bytes(SITES), drawn(1).seed)
    assert audit_sites(log, agency, FLAT).deviates == "LIST is not what it opened gives"


def test_an_arbiter_finds_who_asked_about_another_activity_and_who_stopped() -> None:
    played = table(plan=[FAR])
    probing = replace(played.planner, cells=table().planner.cells)
    log = logged(Table(played.protector, probing))
    planner = SiteOpened("planner", plan_bytes([FAR]), drawn(2).seed)
    assert audit_sites(log, planner, FLAT).deviates == "POINTS is not what it opened gives"
    honest = logged(table(plan=[FAR]))
    short = [said for said in honest if said.step.kind < SiteStepKind.EVALUATED]
    agency = SiteOpened("agency", sites_bytes(SITES), drawn(1).seed)
    assert audit_sites(short, agency, FLAT).deviates == "it stopped before EVALUATED"
