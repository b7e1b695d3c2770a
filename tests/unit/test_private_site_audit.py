"""An arbiter with a bundle and what one side of a check of sites opened: who deviated, where."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deconflict.cli import main, private_audit
from deconflict.line.canonical import canonical_bytes
from deconflict.messages.private_bodies import PrivateEndReason
from deconflict.node.bundle_proof import verify_bundle
from deconflict.node.private.from_bundle import audited_in
from deconflict.node.private.recorded import (
    CHECK_KINDS,
    AuditedRun,
    RecordedRun,
    Verdict,
    read_opened,
)
from deconflict.node.private.recorded_modes import Warned
from deconflict.sealed.site_sides import SiteStep, SiteStepKind
from deconflict.sealed.steps import Step, StepKind
from deconflict.store.parts import Parts
from private_record import EARLY_MS, FAR
from record_samples import KEYS
from sealed_talk import drawn
from site_record import HELD, OTHER, SITES, SiteRecord, flipped, nothing, plans, protects


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(tmp_path / "parts" / "line")


@pytest.fixture(scope="module")
def honest() -> SiteRecord:
    return SiteRecord()


def audited(
    bundle: bytes, record: SiteRecord, party: str, held: bytes | None = None, **other: object
) -> AuditedRun:
    opened = read_opened(canonical_bytes(record.opened(party) | other))
    recorded = RecordedRun(opened, HELD[party] if held is None else held)
    proven = verify_bundle([bundle], KEYS, recorded.look, kinds=CHECK_KINDS)
    return audited_in(io.BytesIO(bundle), proven, recorded)


def changing(party: str, kind: str, change: Callable[[SiteStep], object]) -> SiteRecord:
    return SiteRecord(change={(party, kind): change})  # type: ignore[dict-item]


def test_a_planner_shows_that_it_asked_about_its_activity_and_what_it_was_warned_of(
    honest: SiteRecord, parts: Parts
) -> None:
    found = audited(honest.bundle(parts), honest, "blue")
    assert (found.verdict, found.deviates, found.peer_deviates) == (Verdict.FOLLOWS, None, None)
    assert (found.mode, found.protector, found.steps) == ("SITES", "red", 3)
    assert (found.outcome, found.hits) == ("HIT", len(honest.found_sites.hits))
    assert found.warned == (Warned("hospital", found.hits),)
    assert (found.sites, found.picked) == (None, None)


def test_a_protector_shows_that_its_list_was_shown_whole_and_was_told_nothing(
    honest: SiteRecord, parts: Parts
) -> None:
    found = audited(honest.bundle(parts), honest, "red")
    assert (found.verdict, found.deviates, found.peer_deviates) == (Verdict.FOLLOWS, None, None)
    assert (found.outcome, found.hits, found.warned) == (None, 0, ())
    assert (found.sites, found.decoys, found.steps) == (2, 1, 4)


def test_an_activity_away_from_every_site_was_told_no_hit(parts: Parts) -> None:
    record = SiteRecord(planner=plans([FAR]))
    found = audited(record.bundle(parts), record, "blue", OTHER["blue"])
    assert (found.verdict, found.outcome, found.warned) == (Verdict.FOLLOWS, "NO_HIT", ())


@pytest.mark.parametrize("party", ["blue", "red"])
def test_who_opens_another_activity_or_list_than_it_committed_to_is_found(
    honest: SiteRecord, parts: Parts, party: str
) -> None:
    bundle = honest.bundle(parts)
    for other in (audited(bundle, honest, party, OTHER[party]),
                  audited(bundle, honest, party, seed="0" * 64)):  # fmt: skip
        assert (other.verdict, other.deviates) == (
            Verdict.DEVIATES,
            "its HELLO commits to something else than it opened",
        )


def test_a_site_left_out_of_the_list_that_was_shown_is_found(parts: Parts) -> None:
    # It committed to all of its list, and showed what is left without the hospital.
    lying = SiteRecord(protector=replace(protects(SITES[1:]), hello=protects().hello))
    assert lying.found_sites.outcome == "NO_HIT"
    bundle = lying.bundle(parts)
    found = audited(bundle, lying, "red")
    assert (found.verdict, found.deviates) == (
        Verdict.DEVIATES,
        "LIST is not what it opened gives",
    )
    assert audited(bundle, lying, "blue").verdict is Verdict.FOLLOWS  # nothing is wrong with it


def test_a_planner_that_asked_about_squares_of_another_activity_is_found(parts: Parts) -> None:
    probing = SiteRecord(planner=replace(plans(), cells=plans([FAR]).cells))
    found = audited(probing.bundle(parts), probing, "blue")
    assert found.deviates == "POINTS is not what it opened gives"


def test_a_step_of_the_peer_that_had_to_be_refused_is_named(parts: Parts) -> None:
    record = changing("red", "EVALUATED", flipped)
    record.end("blue", PrivateEndReason.BAD_PROOF)
    bundle = record.bundle(parts)
    blue = audited(bundle, record, "blue")
    assert (blue.verdict, blue.outcome) == (Verdict.FOLLOWS, "NOT_CHECKED")
    assert str(blue.peer_deviates).startswith("EVALUATED: ")
    assert blue.ended == (("blue", "BAD_PROOF"),)
    assert audited(bundle, record, "red").deviates == "EVALUATED is not what it opened gives"


@pytest.mark.parametrize(
    ("party", "kind"),
    [("red", "LIST"), ("blue", "POINTS"), ("red", "EVALUATED"), ("blue", "DONE"), ("red", "DONE")],
)
def test_who_stops_without_a_word_deviates_and_who_ends_it_does_not(
    parts: Parts, party: str, kind: str
) -> None:
    silent = changing(party, kind, nothing)
    found = audited(silent.bundle(parts), silent, party)
    assert (found.verdict, found.deviates) == (Verdict.DEVIATES, f"it stopped before {kind}")
    early = audited(silent.bundle(parts, exported_ms=EARLY_MS), silent, party)
    assert early.verdict is Verdict.NOT_AUDITED
    other = "blue" if party == "red" else "red"
    assert audited(silent.bundle(parts), silent, other).verdict is Verdict.FOLLOWS
    silent.end(party, PrivateEndReason.CANCELLED)
    assert audited(silent.bundle(parts), silent, party).verdict is Verdict.FOLLOWS


def test_who_answers_after_it_ended_the_run_is_found(parts: Parts) -> None:
    record = changing("red", "EVALUATED", nothing)
    record.end("red", PrivateEndReason.NO_CONSENT)
    record.say_step("red", SiteStep(SiteStepKind.DONE, bytes(32)))
    found = audited(record.bundle(parts), record, "red")
    assert found.deviates == "it went on with DONE after it had ended the run"


def test_a_list_of_another_length_is_found_without_its_bytes(parts: Parts) -> None:
    record = changing("red", "LIST", lambda step: (replace(step, data=step.data + bytes(62)),))
    bundle = record.bundle(parts)
    assert audited(bundle, record, "red").deviates == "LIST has another length than was agreed"
    blue = audited(bundle, record, "blue")
    assert blue.peer_deviates == "LIST has another length than was agreed"


def test_the_other_role_than_was_proposed_is_found(parts: Parts) -> None:
    hello = plans().hello.data.replace(b'"planner"', b'"protector"')
    record = changing("blue", "HELLO", lambda step: (replace(step, data=hello),))
    found = audited(record.bundle(parts), record, "blue")
    assert found.deviates == "its HELLO has the other role than was agreed"


def test_a_step_that_no_check_of_sites_has_is_found(parts: Parts) -> None:
    record = SiteRecord()
    record.step("blue", Step(StepKind.ROOT, 0, bytes(32)))
    found = audited(record.bundle(parts), record, "blue")
    assert found.deviates == "ROOT has another length than was agreed"


def test_without_its_parts_nobody_is_cleared(honest: SiteRecord, parts: Parts) -> None:
    bundle = honest.bundle(None)
    for party in ("blue", "red"):
        found = audited(bundle, honest, party)
        assert (found.verdict, found.because) == (
            Verdict.NOT_AUDITED,
            "the record lacks parts of steps",
        )
        assert len(found.missing) == 1  # of LIST: the rest stands in messages


def test_a_coin_in_a_check_that_has_none_says_nothing(parts: Parts) -> None:
    record = SiteRecord()
    record.coin("blue", bytes(32))
    found = audited(record.bundle(parts), record, "blue")
    assert (found.verdict, found.picked) == (Verdict.FOLLOWS, None)


# ---- the command -----------------------------------------------------------------------------


@pytest.fixture
def told(
    honest: SiteRecord, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Runs the command on files as parties would hand them in."""
    bundle = tmp_path / "record.deconflict"
    bundle.write_bytes(honest.bundle(parts))
    monkeypatch.setattr(private_audit, "read_keys", lambda _: KEYS)
    monkeypatch.setattr(private_audit, "read_roots", lambda _: {})

    def run(party: str, *words: str, held: bytes = b"") -> Result:
        (tmp_path / "plan").write_bytes(held or HELD[party])
        (tmp_path / "seed").write_text(json.dumps(honest.opened(party), indent=2))
        given = [f"--{name}={tmp_path / name}" for name in ("plan", "seed")]
        words = ("audit", str(bundle), *given, "--key", "x=y", *words)
        return CliRunner().invoke(main, ["private", *words])

    return run


def test_it_says_in_words_what_each_side_shows(told: Callable[..., Result]) -> None:
    planner = told("blue")
    assert planner.exit_code == 0, planner.output
    assert planner.output.startswith("FOLLOWS  blue in run 0 of private check ")
    assert "all of its 3 steps follow from its activity and seed" in planner.output
    assert "hospital: " in planner.output
    protector = told("red")
    assert protector.exit_code == 0
    assert "all of its 4 steps follow from its list of sites and seed" in protector.output
    assert "2 protected sites and 1 decoy" in protector.output
    assert "coin" not in planner.output + protector.output


def test_it_ends_with_1_for_a_list_that_was_not_committed_to_and_shows_none_of_it(
    told: Callable[..., Result],
) -> None:
    said = told("red", held=OTHER["red"])
    assert said.exit_code == 1
    assert said.output.startswith("DEVIATES  red")
    for secret in ("school", "150000000", drawn(2).seed.hex()):
        assert secret not in said.output
    assert told("red", held=b"nonsense").exit_code == 1


def test_programs_get_the_same_facts(told: Callable[..., Result]) -> None:
    facts = json.loads(told("blue", "--json").output)
    assert (facts["mode"], facts["protector"], facts["verdict"]) == ("SITES", "red", "FOLLOWS")
    assert [each["label"] for each in facts["warned"]] == ["hospital"]
    assert json.loads(told("red", "--json").output)["decoys"] == 1
