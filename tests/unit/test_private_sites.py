"""An activity against sites of a peer, between two nodes in memory: blue plans, red protects."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from deconflict.airspace.instant import format_utc
from deconflict.errors import InvalidDocumentError
from deconflict.messages.bodies import body_to_wire, parse_body
from deconflict.messages.kinds import Kind
from deconflict.messages.private_bodies import (
    PrivateEndReason,
    PrivateMode,
    PrivatePropose,
    PrivateStep,
    Refines,
    StepWord,
)
from deconflict.node.private.site_files import (
    SiteCaps,
    SiteFiles,
    SitesFile,
    given_until,
)
from deconflict.sealed.session import Outcome
from node_pair import node_pair
from private_samples import FIRST_MS, CheckedPair
from private_talk import RunPair, sortie
from site_pair import ASKED, TERMS, hospital, propose_sites

_HOUR_MS = 3_600_000
_CAPS = SiteCaps(points_a_query=64, queries_a_day=2, share_per_mille=100, share_all_per_mille=200)
_NEAR, _FAR = (5.0, 5.0), (150.0, 150.0)


@pytest.fixture
def checked() -> Iterator[CheckedPair]:
    with node_pair(private_check=TERMS) as pair:
        checked = CheckedPair(pair)
        propose_sites(checked)
        yield checked


def files_of(pair: RunPair, party: str = "red") -> SiteFiles:
    return SiteFiles(pair.files[party].folder)


def ready(
    checked: CheckedPair, folder: Path, site: tuple[float, float] = _NEAR, **more: object
) -> RunPair:
    """Blue flies near and far; red holds one site, eight decoys, and has consented."""
    pair = RunPair(checked, folder, **more)  # type: ignore[arg-type]
    pair.fly("blue", sortie("viper", *_NEAR), sortie("cobra", -100.0, 100.0, number=2))
    now_ms = checked.pair.world.now.utc_ms
    files = files_of(pair)
    files.set_sites(SitesFile(format_utc(now_ms), (hospital(*site),), 8, "07" * 32, _CAPS))
    files.set_consent(pair.line_id, given_until("blue", "anna", now_ms, now_ms + _HOUR_MS))
    return pair


def steps_of(checked: CheckedPair, party: str) -> list[tuple[StepWord, int]]:
    run = checked.pair.line(party).book.private_checks.run(checked.proposal, 0)
    return [(said.step, said.size) for said in run.own.steps]


def test_the_planner_learns_its_square_and_the_label_and_the_protector_nothing(
    checked: CheckedPair, tmp_path: Path
) -> None:
    pair = ready(checked, tmp_path)
    pair.run()
    found = pair.finding("blue")
    assert (found.outcome, found.whole, found.reason) == (Outcome.HIT, True, None)
    assert {met.sorties for met in found.at_sites} == {("viper",)}
    assert {met.label for met in found.at_sites} == {"hospital, stay away"}
    alert = checked.pair.alert("blue", "PRIVATE_SITE_HIT")
    assert "viper" in alert.text
    assert "cobra" not in alert.text
    answered = pair.finding("red")
    assert (answered.outcome, answered.whole, answered.hits) == (None, True, 0)
    assert not [rule for rule in checked.pair.rules("red") if rule.startswith("PRIVATE")]
    assert files_of(pair).asked(pair.line_id).ever == ASKED.points


def test_no_hit_is_said_only_of_a_whole_check_and_looks_the_same_to_the_protector(
    checked: CheckedPair, tmp_path: Path
) -> None:
    pair = ready(checked, tmp_path, site=_FAR)
    pair.run()
    found = pair.finding("blue")
    assert (found.outcome, found.whole, found.at_sites) == (Outcome.NO_HIT, True, ())
    assert not [rule for rule in checked.pair.rules("blue") if rule.startswith("PRIVATE")]
    assert steps_of(checked, "red")[1:] == [
        (StepWord.LIST, 1_024 * (30 + 32)),
        (StepWord.EVALUATED, 32 * 64 + 64),
        (StepWord.DONE, 32),
    ]
    assert steps_of(checked, "blue")[1:] == [(StepWord.POINTS, 32 * 64), (StepWord.DONE, 32)]


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("list", PrivateEndReason.NO_SITES),
        ("consent", PrivateEndReason.NO_CONSENT),
        ("ended consent", PrivateEndReason.NO_CONSENT),
        ("withdrawn", PrivateEndReason.NO_CONSENT),
        ("queries", PrivateEndReason.OVER_CAP),
        ("lifetime", PrivateEndReason.OVER_CAP),
        ("points", PrivateEndReason.OVER_CAP),
        ("bucket", PrivateEndReason.PLAN_TOO_LARGE),
    ],
)
def test_what_is_not_answered_is_not_checked(
    checked: CheckedPair, tmp_path: Path, missing: str, reason: PrivateEndReason
) -> None:
    pair = ready(checked, tmp_path)
    files, now_ms = files_of(pair), checked.pair.world.now.utc_ms
    held = files.sites()
    assert held is not None
    caps, sites = held.caps, held.sites
    given = files.consent(pair.line_id)
    assert given is not None
    match missing:
        case "list":
            files.erase(files.folder / "sites.json")
        case "consent":
            files.erase(files.folder / f"consent-{pair.line_id}.json")
        case "ended consent":
            files.set_consent(
                pair.line_id, given_until("blue", "anna", now_ms - _HOUR_MS, now_ms - 1)
            )
        case "withdrawn":
            files.set_consent(
                pair.line_id,
                msgspec.structs.replace(given, withdrawn_utc=format_utc(now_ms)),
            )
        case "queries":
            grid = TERMS.site_grid(FIRST_MS)
            for number in range(2):
                files.count(f"{number}", "blue", pair.line_id, grid, 64, now_ms)
        case "lifetime":
            caps = SiteCaps(64, 2, 39, 1_000)  # of 1,600 squares: 62
        case "points":
            caps = SiteCaps(63, 2, 100, 200)
        case "bucket":
            sites = (msgspec.structs.replace(sites[0], radius_mm=600_000_000),)
    if missing in ("lifetime", "points", "bucket"):
        files.set_sites(SitesFile(held.set_utc, sites, 0, held.secret, caps))
    pair.run()
    for party in ("blue", "red"):
        found = pair.finding(party)
        assert (found.whole, found.reason, found.ended_by) == (False, reason.value, "red")
    assert pair.finding("blue").outcome is Outcome.NOT_CHECKED
    assert reason.value not in checked.pair.alert("blue", "PRIVATE_SITES_NOT_CHECKED").text
    assert StepWord.LIST not in dict(steps_of(checked, "red"))


def test_consent_withdrawn_in_the_middle_ends_it_before_the_answer(
    checked: CheckedPair, tmp_path: Path
) -> None:
    pair = ready(checked, tmp_path)
    files = files_of(pair)

    def withdraws(say: object) -> tuple[object, ...]:
        body = say.body  # type: ignore[attr-defined]
        if isinstance(body, PrivateStep) and body.step is StepWord.LIST:
            files.erase(files.folder / f"consent-{pair.line_id}.json")
        return (say,)

    pair.driven["red"]._alter = withdraws  # type: ignore[assignment]
    pair.run()
    assert pair.finding("blue").reason == "NO_CONSENT"
    assert StepWord.EVALUATED not in dict(steps_of(checked, "red"))
    assert files.asked(pair.line_id).ever == 0


def test_a_count_is_on_the_disk_before_the_answer_and_once_for_each_run(
    checked: CheckedPair, tmp_path: Path
) -> None:
    pair = ready(checked, tmp_path)
    files, seen = files_of(pair), []

    def looks(say: object) -> tuple[object, ...]:
        body = say.body  # type: ignore[attr-defined]
        if isinstance(body, PrivateStep):
            seen.append((body.step, SiteFiles(files.folder).asked(pair.line_id).ever))
        return (say,)

    pair.driven["red"]._alter = looks  # type: ignore[assignment]
    pair.run()
    assert dict(seen) == {
        StepWord.HELLO: 0,
        StepWord.LIST: 0,
        StepWord.EVALUATED: 64,
        StepWord.DONE: 64,
    }
    grid = TERMS.site_grid(FIRST_MS)
    now_ms = checked.pair.world.now.utc_ms
    files.count(f"{checked.proposal}/0", "blue", pair.line_id, grid, 64, now_ms)
    assert files.asked(pair.line_id) == files.asked_by_all()
    assert files.asked(pair.line_id).ever == 64


def test_a_step_of_a_mutual_check_in_one_of_sites_ends_it(
    checked: CheckedPair, tmp_path: Path
) -> None:
    def lies(say: object) -> tuple[object, ...]:
        body = say.body  # type: ignore[attr-defined]
        if isinstance(body, PrivateStep) and body.step is StepWord.LIST:
            root = PrivateStep.of(0, StepWord.ROOT, 0, bytes(32))
            return (dataclasses.replace(say, body=root),)  # type: ignore[type-var]
        return (say,)

    pair = ready(checked, tmp_path)
    pair.driven["red"]._alter = lies  # type: ignore[assignment]
    pair.run()
    found = pair.finding("blue")
    assert (found.outcome, found.whole) == (Outcome.NOT_CHECKED, False)
    assert found.reason in ("OUT_OF_TURN", "MALFORMED")


def test_a_list_is_seen_by_its_owner_alone(checked: CheckedPair, tmp_path: Path) -> None:
    pair = ready(checked, tmp_path)
    files = files_of(pair)
    assert {path.stat().st_mode & 0o777 for path in files.folder.iterdir()} == {0o600}
    assert "hospital" not in repr(files.sites())
    assert files.clear()
    assert not list(files.folder.glob("consent-*"))
    assert files.sites() is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"sites": None},
        {"mode": PrivateMode.MUTUAL},
        {"runs": 2},
        {"refines": Refines("ab" * 32, 0, 2, (1,))},
    ],
)
def test_a_proposal_of_sites_says_whose_and_is_one_run(wrong: dict[str, object]) -> None:
    given: dict[str, object] = {
        "mode": PrivateMode.SITES,
        "grid": "ab" * 32,
        "start_utc": format_utc(FIRST_MS),
        "runs": 1,
        "sites": ASKED,
    }
    body = PrivatePropose(**given)  # type: ignore[arg-type]
    assert parse_body(Kind.PRIVATE_PROPOSE, body_to_wire(body)) == body
    with pytest.raises(InvalidDocumentError):
        PrivatePropose(**(given | wrong))  # type: ignore[arg-type]
