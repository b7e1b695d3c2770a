"""A screening ends soon when somebody presses Ctrl-C, and a command whose reader has gone."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from bench.workloads import WORKLOADS, flights

import deconflict
from deconflict.cli import screen as command
from deconflict.separation.screening import ScreenProgress
from pair_samples import MINIMA
from screen_samples import write_csv

SLABS_S = 0.01  # how often the thread beside looks whether the first slab is done


class RungError(Exception):
    """Raised by a handler of a signal, as Python raises KeyboardInterrupt."""


def long_set() -> dict[str, Any]:
    """Return flights that, at 200 NM, take seconds of a processor in several slabs."""
    made = flights(WORKLOADS["r1k"])
    return {
        "offsets": made.offsets,
        "lat_deg": made.lat_deg,
        "lon_deg": made.lon_deg,
        "time_s": made.time_s,
        "altitude_ft": made.altitude_ft.round(),
    }


def test_what_a_signal_raises_ends_a_screening_between() -> None:
    def ring(number: int, frame: FrameType | None) -> None:
        raise RungError

    before = signal.signal(signal.SIGUSR1, ring)
    progress = ScreenProgress()

    def press() -> None:
        while progress.parts()[0] == 0:
            time.sleep(SLABS_S)
        os.kill(os.getpid(), signal.SIGUSR1)

    presser = threading.Thread(target=press)
    try:
        presser.start()
        with pytest.raises(RungError):
            deconflict.screen(
                long_set(),
                minima="200NM,40000ft",
                reference="FL",
                threads=1,
                progress=progress,
            )
        done, of = progress.parts()
        assert 0 < done < of
    finally:
        presser.join()
        signal.signal(signal.SIGUSR1, before)


def test_a_signal_that_is_handled_otherwise_changes_nothing() -> None:
    rung = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    timer = signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    columns = long_set()
    try:
        found = deconflict.screen(columns, minima="50NM,20000ft", reference="FL", threads=2)
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, before)
    again = deconflict.screen(columns, minima="50NM,20000ft", reference="FL", threads=1)
    assert rung
    assert found.first.tobytes() == again.first.tobytes()
    assert found.cpa_distance_m.tobytes() == again.cpa_distance_m.tobytes()


def test_the_work_stays_in_the_thread_that_ctrl_c_reaches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    worked = []

    def work(counter: ScreenProgress | None) -> Any:
        assert counter is not None
        worked.append(threading.current_thread())

    command._watched("screening", work)
    assert worked == [threading.main_thread()]


def test_a_closed_pipe_is_no_finding(tmp_path: Path) -> None:
    reader, pipe = os.pipe()
    os.close(reader)
    words = [sys.executable, "-m", "deconflict", "screen", str(write_csv(tmp_path)[0]), *MINIMA]
    done = subprocess.run(words, stdout=pipe, stderr=subprocess.PIPE, check=False)
    os.close(pipe)
    assert (done.returncode, done.stderr) == (141, b"")
