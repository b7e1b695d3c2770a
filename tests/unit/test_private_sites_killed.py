"""Either side of a check of sites, killed at each moment: same bytes, same counts, no calm."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deconflict.airspace.instant import format_utc
from deconflict.errors import InvalidDocumentError
from deconflict.line.moment import Now
from deconflict.messages.private_bodies import PrivateStep, StepWord
from deconflict.node.private.going import Going
from deconflict.node.private.site_files import SiteCaps, SiteFiles, SitesFile, given_until
from deconflict.node.saying import Say
from deconflict.sealed.session import Outcome
from node_pair import node_pair
from private_samples import CheckedPair
from private_talk import RunPair, sortie
from site_pair import ASKED, TERMS, hospital, propose_sites

_HOUR_MS = 3_600_000
_NEAR = (5.0, 5.0)
# Of 1,600 squares, 200: three queries of 64 and no fourth.
_CAPS = SiteCaps(points_a_query=64, queries_a_day=99, share_per_mille=125, share_all_per_mille=125)
_STEP_S = 0.25


class KilledError(Exception):
    """The process is gone."""


class KillingPair(RunPair):
    """Two nodes, each of which begins anew from its disk and its record when it was killed.

    Attributes:
        kills: how often one was.
    """

    kills = 0

    def kill_at(self, party: str, step: StepWord, *, after: bool) -> None:
        """Kill a party once: before it says a step, or when it is said and nothing else is done."""
        driven = self.driven[party]
        say = driven.say

        def dies(on_lines: Sequence[tuple[str, Sequence[Say]]], now: Now) -> Any:
            hit = any(
                isinstance(each.body, PrivateStep) and each.body.step is step
                for _, says in on_lines
                for each in says
            )
            if not hit:
                return say(on_lines, now)
            driven.say = say  # type: ignore[method-assign]
            if after:
                say(on_lines, now)
            raise KilledError

        driven.say = dies  # type: ignore[method-assign]

    async def _run(self, number: int) -> None:
        with ThreadPoolExecutor(1) as worker:
            goings: dict[str, Going] = {}
            tasks: dict[str, asyncio.Task[None]] = {}

            def start(party: str) -> None:
                goings[party] = self._going(party, number, worker)
                tasks[party] = asyncio.create_task(goings[party].go())

            for party in self.driven:
                start(party)
            while not all(task.done() for task in tasks.values()):
                await asyncio.sleep(0.002)
                self.checked.pair.run_for(_STEP_S)
                for party, task in tuple(tasks.items()):
                    if task.done() and isinstance(task.exception(), KilledError):
                        self.kills += 1
                        start(party)
                for going in goings.values():
                    going.move()
            for task in tasks.values():
                task.result()


@pytest.fixture
def checked() -> Iterator[CheckedPair]:
    with node_pair(private_check=TERMS) as pair:
        yield CheckedPair(pair)


def ready(checked: CheckedPair, folder: Path) -> KillingPair:
    """Blue plans where red holds a site; red has consented for an hour."""
    pair = KillingPair(checked, folder)
    pair.fly("blue", sortie("viper", *_NEAR))
    now_ms = checked.pair.world.now.utc_ms
    files = files_of(pair)
    files.set_sites(SitesFile(format_utc(now_ms), (hospital(*_NEAR),), 8, "07" * 32, _CAPS))
    files.set_consent(pair.line_id, given_until("blue", "anna", now_ms, now_ms + _HOUR_MS))
    return pair


def files_of(pair: RunPair) -> SiteFiles:
    return SiteFiles(pair.files["red"].folder)


def said(checked: CheckedPair, party: str) -> list[StepWord]:
    run = checked.pair.line(party).book.private_checks.run(checked.proposal, 0)
    return [step.step for step in run.own.steps]


_STEPS = {
    "red": (StepWord.HELLO, StepWord.LIST, StepWord.EVALUATED, StepWord.DONE),
    "blue": (StepWord.HELLO, StepWord.POINTS, StepWord.DONE),
}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("party", "step"), [(party, step) for party, steps in _STEPS.items() for step in steps]
)
def test_a_side_killed_at_any_step_goes_on_with_the_same_bytes(
    checked: CheckedPair, tmp_path: Path, party: str, step: StepWord, after: bool
) -> None:
    propose_sites(checked)
    pair = ready(checked, tmp_path)
    pair.kill_at(party, step, after=after)
    pair.run()
    assert pair.kills == 1
    found = pair.finding("blue")
    assert (found.outcome, found.whole, found.reason) == (Outcome.HIT, True, None)
    assert pair.finding("red").whole
    # Each step once: another one of the same kind would be told apart by its hash.
    assert {name: tuple(said(checked, name)) for name in _STEPS} == _STEPS
    assert files_of(pair).asked(pair.line_id).ever == ASKED.points


@pytest.mark.parametrize("written", [False, True], ids=["before", "after"])
def test_a_protector_killed_beside_its_count_counts_once(
    checked: CheckedPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    propose_sites(checked)
    pair = ready(checked, tmp_path)
    _die_counting(monkeypatch, written=written)
    pair.run()
    assert pair.kills == 1
    assert pair.finding("blue").whole
    assert files_of(pair).asked(pair.line_id).ever == ASKED.points


def test_consent_withdrawn_while_the_protector_is_down_is_heeded(
    checked: CheckedPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    propose_sites(checked)
    pair = ready(checked, tmp_path)
    files = files_of(pair)
    _die_counting(monkeypatch, written=True, then=lambda: files.erase(
        files.folder / f"consent-{pair.line_id}.json"))  # fmt: skip
    pair.run()
    found = pair.finding("blue")
    assert (found.outcome, found.reason) == (Outcome.NOT_CHECKED, "NO_CONSENT")
    assert StepWord.EVALUATED not in said(checked, "red")


def test_no_killing_answers_more_than_the_share_that_is_ever_allowed(
    checked: CheckedPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A planner asks again and again, and whoever it likes is killed where it likes."""
    pair: KillingPair | None = None
    answered = 0
    moments = [
        ("blue", StepWord.DONE, True),  # it has the answer, and forgets that it asked
        ("red", StepWord.EVALUATED, False),
        ("red", StepWord.EVALUATED, True),
        ("red", StepWord.LIST, True),
        ("blue", StepWord.HELLO, True),
    ]
    for party, step, after in moments:
        propose_sites(checked)
        pair = pair or ready(checked, tmp_path)
        pair.kill_at(party, step, after=after)
        pair.run()
        pair.driven[party].__dict__.pop("say", None)  # where the step was never said
        answered += StepWord.EVALUATED in said(checked, "red")
        if answered == 3 and StepWord.EVALUATED not in said(checked, "red"):
            found = pair.finding("blue")
            assert (found.outcome, found.reason) == (Outcome.NOT_CHECKED, "OVER_CAP")
    assert pair is not None
    assert answered == 3
    assert files_of(pair).asked(pair.line_id).ever == 3 * ASKED.points


def test_a_lost_count_is_not_one_of_nothing(checked: CheckedPair, tmp_path: Path) -> None:
    propose_sites(checked)
    pair = ready(checked, tmp_path)
    files = files_of(pair)
    (files.folder / "asked.json").unlink()
    with pytest.raises(InvalidDocumentError, match="not known any more"):
        files.asked(pair.line_id)
    pair.run()
    found = pair.finding("blue")
    assert (found.outcome, found.reason) == (Outcome.NOT_CHECKED, "NO_SITES")
    held = files.sites()
    assert held is not None
    files.set_sites(msgspec.structs.replace(held, decoys=2))  # another list is the same one
    with pytest.raises(InvalidDocumentError):
        files.asked(pair.line_id)
    assert files.clear()
    files.set_sites(held)
    assert files.asked(pair.line_id).ever == 0


def _die_counting(
    monkeypatch: pytest.MonkeyPatch, *, written: bool, then: Callable[[], object] = lambda: None
) -> None:
    """Kill the protector once, before or behind what it writes of a query."""
    count = SiteFiles.count

    def dies(self: SiteFiles, *asked: Any) -> None:
        monkeypatch.setattr(SiteFiles, "count", count)
        if written:
            count(self, *asked)
        then()
        raise KilledError

    monkeypatch.setattr(SiteFiles, "count", dies)
