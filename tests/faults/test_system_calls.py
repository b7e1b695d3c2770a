"""A system call on the record fails: the node stops receipting, says why, and loses nothing.

A share of the failures; all of them: ``make io-faults``.
"""

from collections import Counter
from pathlib import Path

import pytest
from tests.faults.system_calls import Injection, Traced, Violation, planned, why_not

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

POINTS = (
    Injection("fdatasync", "EIO", 4),
    Injection("pwrite64", "EIO", 60),
    Injection("pwrite64", "ENOSPC", 90),
    Injection("pread64", "EIO", 3),
    Injection("openat", "EIO", 1),
)


@pytest.fixture(scope="module")
def _strace() -> None:
    reason = why_not()
    if reason is not None:
        pytest.skip(f"NO SYSTEM CALL WAS MADE TO FAIL: {reason}")


@pytest.mark.usefixtures("_strace")
def test_a_failed_call_stops_the_node_in_words_and_nothing_is_lost(tmp_path: Path) -> None:
    traced = Traced(tmp_path)
    try:
        for injection in POINTS:
            traced.play(injection)
    finally:
        traced.close()
    assert traced.report.not_reached == 0
    assert sum(traced.report.stopped.values()) == len(POINTS)


@pytest.mark.usefixtures("_strace")
def test_a_message_that_is_not_there_would_be_missed(tmp_path: Path) -> None:
    traced = Traced(tmp_path)
    try:
        traced._durable[10**6] = "0" * 64  # as if the API had called it durable
        with pytest.raises(Violation, match="lost 1 "):
            traced.play(Injection("unlink", "EIO", 1))
    finally:
        traced.close()


def test_every_call_that_a_start_and_some_messages_make_is_planned() -> None:
    points = planned(Counter({"pwrite64": 3, "close": 1}))
    assert points == [
        *(Injection("pwrite64", "EIO", when) for when in (1, 2, 3)),
        *(Injection("pwrite64", "ENOSPC", when) for when in (1, 2, 3)),
        Injection("close", "EIO", 1),
    ]
