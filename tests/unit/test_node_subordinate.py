"""A process beside the node takes little: the node's alerts go before it on one machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deconflict.node import subordinate

LOOK = (
    "import os; from deconflict.node.subordinate import be_subordinate, take_what_is_left; {}; "
    "print(os.getsid(0), os.getpgid(0) == os.getpid(), os.nice(0), os.sched_getscheduler(0))"
)


def seen_of(does: str) -> list[str]:
    """Return session, whether it leads its group, niceness and policy of a process that does it."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK.format(does)], check=True, capture_output=True, text=True
    )
    return done.stdout.split()


def test_it_is_nice_within_the_session_of_the_node() -> None:
    """In a session of its own Linux would give it as much as the node (autogroups, sched(7))."""
    session, leads, nice, policy = seen_of("be_subordinate()")
    assert int(session) == os.getsid(0)
    assert leads == "True", "what is typed at the node would reach it"
    assert int(nice) == min(19, os.nice(0) + 10)
    assert int(policy) == os.SCHED_OTHER


def test_what_nobody_waits_for_runs_while_nothing_else_wants_to() -> None:
    *_, policy = seen_of("be_subordinate(); take_what_is_left()")
    assert int(policy) == os.SCHED_IDLE


def test_where_a_machine_forbids_it_low_priority_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refused)
    subordinate.take_what_is_left()


def test_its_priority_is_low_before_it_imports(tmp_path: Path) -> None:
    """What an audit imports takes half a second of processor time, and alerts waited for it."""
    (tmp_path / "seen_early.py").write_text(
        "import os\nAT_IMPORT = os.nice(0)\n\n\ndef main():\n    print(AT_IMPORT, os.nice(0))\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-m", subordinate.__name__, "seen_early"],
        check=True,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        },
    )
    low = str(min(19, os.nice(0) + 10))
    assert done.stdout.split() == [low, low]
