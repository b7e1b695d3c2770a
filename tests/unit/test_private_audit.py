"""An arbiter with a bundle, a plan and a seed: who said something else than it had to, where."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deconflict.cli import main, private_audit
from deconflict.errors import InvalidDocumentError, NotFoundError
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
from deconflict.sealed.cells import SlotCells
from deconflict.sealed.own import OwnSide, plan_bytes
from deconflict.sealed.session import Outcome
from deconflict.sealed.steps import Step, StepKind
from deconflict.store.parts import Parts
from private_record import BLUE, EARLY_MS, FAR, NEAR, PLANS, Record, side
from record_samples import KEYS
from sealed_talk import drawn


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(tmp_path / "parts" / "line")


@pytest.fixture(scope="module")
def honest() -> Record:
    return Record()


def audited(
    bundle: bytes, record: Record, party: str, plan: bytes | None = None, **other: object
) -> AuditedRun:
    opened = read_opened(canonical_bytes(record.opened(party) | other))
    recorded = RecordedRun(opened, PLANS[party] if plan is None else plan)
    proven = verify_bundle([bundle], KEYS, recorded.look, kinds=CHECK_KINDS)
    return audited_in(io.BytesIO(bundle), proven, recorded)


def altering(who: str, kind: StepKind, change: Callable[[Step], list[Step]]) -> Record:
    return Record(
        alter=lambda party, step: change(step) if (party, step.kind) == (who, kind) else [step]
    )


def falling_silent(who: str, kind: StepKind) -> Record:
    """A check in which a side says nothing more from a step on."""
    return Record(alter=lambda party, step: [] if party == who and step.kind >= kind else [step])


def flipped(step: Step) -> list[Step]:
    return [replace(step, data=step.data[:-1] + bytes([step.data[-1] ^ 1]))]


@pytest.mark.parametrize("party", ["blue", "red"])
def test_an_honest_side_follows_its_plan(honest: Record, parts: Parts, party: str) -> None:
    found = audited(honest.bundle(parts), honest, party)
    assert (found.verdict, found.deviates, found.peer_deviates) == (Verdict.FOLLOWS, None, None)
    assert found.steps == 4 + 64 + 1
    assert found.outcome == honest.found[party].outcome == Outcome.HIT
    assert found.hits == len(honest.found[party].hits)
    assert (found.ended, found.missing, found.picked) == ((), (), None)


def test_another_plan_or_seed_than_was_committed_to_is_found(honest: Record, parts: Parts) -> None:
    bundle = honest.bundle(parts)
    other = audited(bundle, honest, "red", plan_bytes((FAR,)))
    assert (other.verdict, other.deviates) == (
        Verdict.DEVIATES,
        "its HELLO commits to another plan, cells",
    )
    other = audited(bundle, honest, "red", seed="0" * 64)
    assert other.verdict is Verdict.DEVIATES
    assert "seed" in str(other.deviates)


def test_who_left_cells_out_of_what_it_showed_is_found(parts: Parts) -> None:
    red = side("red", [NEAR], 2)
    none = {slot: [OwnSide.canary(slot)] for slot in red.cells.slots}
    lying = Record(
        {"blue": side("blue", [BLUE], 1), "red": replace(red, widened=SlotCells.of(none))}
    )
    bundle = lying.bundle(parts)
    assert lying.found["blue"].outcome is Outcome.NO_HIT
    found = audited(bundle, lying, "red")
    assert (found.verdict, found.deviates) == (
        Verdict.DEVIATES,
        "ROOT is not what its plan and seed give",
    )
    assert audited(bundle, lying, "blue").verdict is Verdict.FOLLOWS  # nothing is wrong with it


def test_who_asked_about_cells_that_it_does_not_fly_is_found(parts: Parts) -> None:
    red = side("red", [NEAR], 2)
    probing = Record(
        {
            "blue": side("blue", [BLUE], 1),
            "red": replace(red, cells=side("red", [FAR], 2).cells),
        }
    )
    found = audited(probing.bundle(parts), probing, "red")
    assert found.deviates == "POINTS is not what its plan and seed give"


def test_a_peers_step_that_had_to_be_refused_is_named(parts: Parts) -> None:
    record = altering("red", StepKind.EVALUATED, flipped)
    record.end("blue", PrivateEndReason.BAD_PROOF)
    bundle = record.bundle(parts)
    blue = audited(bundle, record, "blue")
    assert (blue.verdict, blue.outcome) == (Verdict.FOLLOWS, "NOT_CHECKED")
    assert str(blue.peer_deviates).startswith("EVALUATED: ")
    assert blue.ended == (("blue", "BAD_PROOF"),)
    red = audited(bundle, record, "red")
    assert red.deviates == "EVALUATED is not what its plan and seed give"


def test_who_stops_without_a_word_deviates_and_who_ends_the_run_does_not(parts: Parts) -> None:
    silent = falling_silent("red", StepKind.ROOT)
    found = audited(silent.bundle(parts), silent, "red")
    assert (found.verdict, found.deviates) == (Verdict.DEVIATES, "it stopped before ROOT")
    early = audited(silent.bundle(parts, exported_ms=EARLY_MS), silent, "red")
    assert early.verdict is Verdict.NOT_AUDITED
    assert early.because == "the run was not over when the record was exported"
    silent.end("red", PrivateEndReason.CANCELLED)
    ended = audited(silent.bundle(parts), silent, "red")
    assert (ended.verdict, ended.deviates) == (Verdict.FOLLOWS, None)


def test_who_goes_on_after_it_ended_the_run_is_found(parts: Parts) -> None:
    record = falling_silent("red", StepKind.ROOT)
    record.end("red", PrivateEndReason.CANCELLED)
    record.step("red", Step(StepKind.ROOT, 0, bytes(32)))
    found = audited(record.bundle(parts), record, "red")
    assert found.deviates == "it went on with ROOT after it had ended the run"


def test_a_step_of_another_length_is_found_without_its_bytes(parts: Parts) -> None:
    record = altering(
        "red", StepKind.POINTS, lambda step: [replace(step, data=step.data + bytes(8 << 20))]
    )
    bundle = record.bundle(parts)
    found = audited(bundle, record, "red")
    assert found.deviates == "POINTS has another length than was agreed"
    blue = audited(bundle, record, "blue")
    assert blue.peer_deviates == "POINTS has another length than was agreed"


def test_without_its_parts_nobody_is_cleared(honest: Record, parts: Parts) -> None:
    bundle = honest.bundle(None)
    found = audited(bundle, honest, "blue")
    assert (found.verdict, found.because) == (
        Verdict.NOT_AUDITED,
        "the record lacks parts of steps",
    )
    assert len(found.missing) == 2  # POINTS of each: behind them nothing is looked at
    # What its HELLO commits to needs no part.
    assert audited(bundle, honest, "blue", plan_bytes((FAR,))).verdict is Verdict.DEVIATES


def test_both_coins_tell_whether_a_run_is_opened_and_a_false_one_is_found(parts: Parts) -> None:
    record = Record()
    record.coin("blue", drawn(1).coin)
    record.coin("red", drawn(2).coin)
    assert audited(record.bundle(parts), record, "blue").picked is True
    record = Record()
    record.coin("blue", drawn(1).coin)
    record.coin("red", bytes(32))
    bundle = record.bundle(parts)
    red, blue = (audited(bundle, record, party) for party in ("red", "blue"))
    assert red.deviates == "its coin is not the one that its HELLO commits to"
    assert (blue.verdict, blue.picked) == (Verdict.FOLLOWS, None)
    assert blue.peer_deviates == red.deviates


def test_steps_said_again_behind_a_fresh_epoch_are_one(parts: Parts) -> None:
    record = Record()
    again = next(s for s in record.table.logs["blue"] if s.party == "red")
    record.step("red", again.step)
    assert audited(record.bundle(parts), record, "red").verdict is Verdict.FOLLOWS


def test_a_run_that_is_not_there_is_not_audited(honest: Record, parts: Parts) -> None:
    bundle = honest.bundle(parts)
    for other in ({"run": 1}, {"run": -1}, {"proposal": "0" * 64}):
        with pytest.raises(NotFoundError, match="no such run"):
            audited(bundle, honest, "red", **other)
    with pytest.raises(NotFoundError, match="not on the line"):
        audited(bundle, honest, "green", PLANS["red"])


def test_a_check_that_nobody_accepted_is_no_run(parts: Parts) -> None:
    record = Record()
    del record.entries[1]
    record.chains["red"].seq = 0
    lone = Record.__new__(Record)
    lone.__dict__.update(record.__dict__)
    lone.entries = [entry for entry in record.entries if entry.party == "blue"]
    with pytest.raises(NotFoundError, match="both agreed to"):
        audited(lone.bundle(parts), lone, "blue")


def test_what_is_no_seed_is_refused_and_not_shown() -> None:
    for data in (b"{", b'{"seed":"5ecre7"}', b"5ecre7", b'{"seed":"5ecre7\xff"}'):
        with pytest.raises(InvalidDocumentError) as caught:
            read_opened(data)
        assert "5ecre7" not in str(caught.value)
        assert caught.value.__cause__ is None
    opened = read_opened(canonical_bytes({**Record.opened(_Named(), "red")}))
    assert drawn(2).seed.hex() not in repr(opened)


class _Named(Record):
    """A record with a name and nothing else."""

    def __init__(self) -> None:
        self.check = "c" * 64


# ---- the command -----------------------------------------------------------------------------


@pytest.fixture
def told(
    honest: Record, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Runs the command on files as parties would hand them in."""
    bundle = tmp_path / "record.deconflict"
    bundle.write_bytes(honest.bundle(parts))
    monkeypatch.setattr(private_audit, "read_keys", lambda _: KEYS)
    monkeypatch.setattr(private_audit, "read_roots", lambda _: {})

    def run(party: str, *words: str, plan: bytes = b"", seed: object = None) -> Result:
        (tmp_path / "plan").write_bytes(plan or PLANS[party] + b"\n")
        (tmp_path / "seed").write_text(json.dumps(seed or honest.opened(party), indent=2))
        given = [f"--{name}={tmp_path / name}" for name in ("plan", "seed")]
        words = ("audit", str(bundle), *given, "--key", "x=y", *words)
        return CliRunner().invoke(main, ["private", *words])

    return run


def test_it_says_in_words_that_a_side_follows(told: Callable[..., Result]) -> None:
    said = told("red", "--run", "0")
    assert said.exit_code == 0, said.output
    assert said.output.startswith("FOLLOWS  red in run 0 of private check ")
    assert "all of its 69 steps follow from its plan and seed" in said.output
    assert "HIT: " in said.output


def test_it_says_at_which_step_a_side_deviates(told: Callable[..., Result]) -> None:
    said = told("red", plan=plan_bytes((FAR,)))
    assert said.exit_code == 1
    assert said.output.startswith("DEVIATES  red")
    assert "its HELLO commits to another plan, cells" in said.output


def test_programs_get_the_same_facts(told: Callable[..., Result]) -> None:
    facts = json.loads(told("blue", "--json").output)
    assert (facts["party"], facts["peer"], facts["verdict"]) == ("blue", "red", "FOLLOWS")
    assert (facts["deviates"], facts["steps"], facts["outcome"]) == (None, 69, "HIT")


def test_a_seed_of_another_run_is_refused(told: Callable[..., Result]) -> None:
    said = told("red", "--run", "3")
    assert said.exit_code == 2
    assert "this seed is of another run" in said.output


def test_neither_plan_nor_seed_is_shown(told: Callable[..., Result]) -> None:
    for plan in (b"", b'[{"kind":"tube"}]', b"nonsense", plan_bytes((BLUE,))):
        said = told("red", plan=plan)
        assert drawn(2).seed.hex() not in said.output
        assert "150000000" not in said.output
        assert said.exit_code in (0, 1)


def test_a_changed_record_is_not_audited(told: Callable[..., Result], tmp_path: Path) -> None:
    bundle = tmp_path / "record.deconflict"
    data = bytearray(bundle.read_bytes())
    at = data.index(b'"type":"part"') - 40
    data[at] ^= 1
    bundle.write_bytes(data)
    said = told("red")
    assert said.exit_code == 1
    assert said.output.startswith("NOT VERIFIED")
