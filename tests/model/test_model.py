"""The protocol's model holds what it promises, and each planted fault is found by its name.

TLC looks at every state that a module can reach in its size (docs/reference/model.md).
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from tests.model.checks import CHECKS, PLANTED, RIGHT
from tests.model.tlc import MODEL, Check, Found, check, without_tlc

pytestmark = pytest.mark.timeout(900)
Ask = Callable[[Check], Found]


@pytest.fixture(scope="module")
def found() -> Iterator[Ask]:
    """All runs, begun at once and two at a time; each test waits for its own."""
    if reason := without_tlc():
        pytest.skip(f"THE MODEL IS NOT CHECKED: {reason}")
    pool = ThreadPoolExecutor(2)
    running: dict[str, Future[Found]] = {one.fact: pool.submit(check, one) for one in CHECKS}
    yield lambda asked: running[asked.fact].result()
    pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("asked", RIGHT, ids=lambda asked: asked.fact)
def test_in_every_state(asked: Check, found: Ask) -> None:
    result = found(asked)
    assert result.violated is None, result.output
    assert result.completed, result.output
    assert result.states == asked.states


@pytest.mark.parametrize("asked", PLANTED, ids=lambda asked: asked.fact)
def test_planted_fault_is_found(asked: Check, found: Ask) -> None:
    result = found(asked)
    assert result.violated == asked.violates, result.output
    assert not result.completed
    assert result.steps > 1
    assert asked.steps in (0, result.steps)


def test_every_switch_of_every_module_is_planted_once() -> None:
    switches = {
        (path.stem, line.split()[0])
        for path in MODEL.glob("*.cfg")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.endswith("= TRUE") and line.split()[0] != "Theft"
    }
    planted = {
        (one.module, name)
        for one in PLANTED
        for name, value in one.settings.items()
        if value == "FALSE" and name not in ("Theft", "LyingB")
    }
    assert switches == planted


def test_every_invariant_and_property_finds_a_fault() -> None:
    """One that nothing violates may be one that nothing can violate."""
    claimed = {(one.module, one.liveness) for one in RIGHT if one.liveness}
    for path in MODEL.glob("*.cfg"):
        text = path.read_text(encoding="utf-8")
        claimed |= {(path.stem, name) for name in text.partition("INVARIANTS\n")[2].split()}
    assert claimed == {(one.module, one.violates) for one in PLANTED}


def test_every_check_stands_in_the_documents() -> None:
    page = (MODEL.parent / "docs" / "reference" / "model.md").read_text(encoding="utf-8")
    for one in RIGHT:
        assert f"| {one.fact} | `{one.module}` | {one.states:,} |" in page
    for one in PLANTED:
        assert f"| {one.fact} | `{one.module}` | `{one.violates}` | {one.steps or 'any'} |" in page


@pytest.mark.parametrize("unknown", ["NoSuchSwitch", "Fsyncfirst"])
def test_a_switch_that_is_not_there_is_refused(unknown: str) -> None:
    with pytest.raises(ValueError, match=unknown):
        Check("mistyped", "Chain", {unknown: "FALSE"}).configuration()
