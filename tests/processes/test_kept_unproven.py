"""A real node goes on, says so and tries again where its audit cannot be made."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.processes.auditing import QUICK, audited_as
from tests.processes.kept_nodes import (
    AUDIT_S,
    audit_children,
    blue,
    blue_at_rest,
    line_of,
)
from tests.processes.nodes import REPOSITORY, SAFETY, Api, Member, Process, wait_until

from deconflict.cli.client import token_path
from deconflict.node.files import write_new

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]
__all__ = ["blue", "blue_at_rest"]  # fixtures

SOON_S = 60.0


def program(folder: Path, script: str) -> Path:
    """What a node begins instead of Python: it is handed Python's arguments."""
    path = folder / "instead-of-python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return path


def audit(api: Api) -> dict[str, Any]:
    return dict(api.get("/node")["audit"])


def alert(api: Api, rule: str) -> dict[str, Any] | None:
    return next((one for one in api.alerts() if one["rule"] == rule), None)


def failed(api: Api, hindrance: str) -> Callable[[], bool]:
    return lambda: audit(api)["hindrance"] == hindrance


def status(member: Member) -> str:
    write_new(token_path(member.path, "watch"), member.token.encode(), mode=0o600)
    told = subprocess.run(
        [sys.executable, "-m", "deconflict", "line", "status", "--node", str(member.path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return told.stdout


@pytest.mark.parametrize("copied", [False, True])
def test_a_node_whose_audit_is_killed_goes_on_amid_what_is_open_and_proves_it_after_all(
    copied: bool, blue: Member, tmp_path: Path
) -> None:
    record, copy = blue.folder.record_path, blue.folder.audited_path
    once, enough = tmp_path / "once", tmp_path / "enough"
    copying = f"[ -e {once} ] || (umask 077; cp {record} {copy}; touch {once})"
    killed = f"{copying}; echo '{{\"copied\":true}}'; kill -9 $$" if copied else "kill -9 $$"
    script = program(
        tmp_path, f'if [ ! -e {enough} ]; then {killed}; fi; exec {sys.executable} "$@"'
    )
    with Process(blue, audited_as(QUICK, script)) as node:
        assert node.ready()["entries_kept"] == 5
        with blue.api() as api:
            said = api.send(line_of(blue), "SAFETY", SAFETY)
            wait_until(failed(api, "ENDED"), SOON_S, "to be told that it failed")
            standing = audit(api)
            assert standing["phase"] in {"NOT_DONE", "RUNNING"}
            assert (standing["behind"], standing["unproven_entries"]) == (True, 5)
            assert standing["unproven_since_utc"] < standing["tried_utc"]
            told = alert(api, "RECORD_UNPROVEN")
            assert told is not None
            assert (told["urgency"], told["facts"]["problem"]) == (
                "PRIORITY",
                "the process was ended by SIGKILL",
            )
            # Nothing of it is in the way of what is urgent.
            assert api.send(line_of(blue), "SAFETY", SAFETY)["seq"] == said["seq"] + 1
            assert not blue.folder.kept_path.exists()
            enough.touch()
            wait_until(lambda: audit(api)["phase"] == "DONE", AUDIT_S, "a later attempt")
            assert not audit(api)["behind"]
            assert alert(api, "RECORD_UNPROVEN") is None
        assert blue.folder.kept_path.exists()
        assert node.stop() == 0
    with Process(blue) as node:
        # What was said since may have been left behind by a fresh epoch: no peer was there.
        assert node.ready()["entries_verified"] >= 7
        assert node.stop() == 0


def test_what_no_audit_proved_no_start_goes_on_from(blue: Member, tmp_path: Path) -> None:
    times = replace(QUICK, overdue_s=2.0)
    with Process(blue, audited_as(times, program(tmp_path, "exit 3"))) as node:
        node.ready()
        with blue.api() as api:
            wait_until(
                lambda: (alert(api, "RECORD_UNPROVEN") or {}).get("urgency") == "IMMEDIATE",
                SOON_S,
                "to be told that it lasts",
            )
            told = alert(api, "RECORD_UNPROVEN")
            assert told is not None
            assert "compare by voice" in told["text"]
            assert audit(api)["overdue"]
        words = status(blue)
        assert "NOT VERIFIED AGAIN: the first 5 entries of the record" in words
        assert "failed: the process ended, with exit code 3." in words
        assert "RECORD NOT VERIFIED FOR LONG" in words
        node.kill()
    assert not blue.folder.kept_path.exists()
    with Process(blue, audited_as()) as node:
        said = node.ready()
        assert (said["entries_kept"], said["entries_verified"]) == (0, 5)
        with blue.api() as api:
            wait_until(lambda: alert(api, "RECORD_UNPROVEN") is None, SOON_S, "it to be over")
            wait_until(lambda: audit(api)["phase"] == "DONE", AUDIT_S, "an audit")
        assert node.stop() == 0
    assert not blue.folder.kept_path.with_name("kept.unproven").exists()


def test_a_process_that_hangs_is_killed_and_the_log_is_moved_again(blue: Member) -> None:
    times = replace(QUICK, copying_silent_s=10.0, silent_s=2.0, again_s=30.0)
    with Process(blue, audited_as(times)) as node:
        node.ready()
        with blue.api() as api:
            (child,) = wait_until(lambda: audit_children(node.pid), SOON_S, "an audit")
            os.kill(child, signal.SIGSTOP)
            wait_until(failed(api, "STOOD_STILL"), 90.0, "to be told that it hung")
            wait_until(lambda: not audit_children(node.pid), SOON_S, "it to be gone")
            assert not blue.folder.audited_path.exists()
            api.send(line_of(blue), "SAFETY", SAFETY)
        assert node.stop() == 0


def test_a_process_that_hangs_before_it_has_copied_is_killed_sooner(
    blue: Member, tmp_path: Path
) -> None:
    times = replace(QUICK, copying_silent_s=2.0, again_s=30.0)
    with Process(blue, audited_as(times, program(tmp_path, "exec sleep 600"))) as node:
        node.ready()
        with blue.api() as api:
            wait_until(failed(api, "STOOD_STILL"), SOON_S, "to be told that it hung")
            assert "copy the record" in audit(api)["problem"]
        assert node.stop() == 0


@pytest.mark.parametrize(
    ("script", "hindrance"),
    [
        ("echo no JSON", "UNREADABLE"),
        ("head -c 100000 /dev/zero | tr '\\0' x", "UNREADABLE"),
        # As a full disk would refuse it: no file may grow beyond 512 bytes.
        (f'ulimit -f 1; exec {sys.executable} "$@"', "FILES"),
        # And as a machine without memory: 64 MiB are not enough to import it.
        (f'ulimit -v 65536; exec {sys.executable} "$@"', "ENDED"),
    ],
)
def test_whatever_the_process_does_the_node_goes_on(
    script: str, hindrance: str, blue: Member, tmp_path: Path
) -> None:
    with Process(blue, audited_as(QUICK, program(tmp_path, script))) as node:
        node.ready()
        with blue.api() as api:
            wait_until(failed(api, hindrance), SOON_S, hindrance)
            assert audit(api)["behind"]
            api.send(line_of(blue), "SAFETY", SAFETY)
        assert node.running
        assert node.stop() == 0


def test_a_program_that_is_not_there_is_no_end_of_the_node(blue: Member, tmp_path: Path) -> None:
    with Process(blue, audited_as(QUICK, tmp_path / "gone")) as node:
        node.ready()
        with blue.api() as api:
            wait_until(failed(api, "NOT_BEGUN"), SOON_S, "to be told that none was begun")
        assert node.stop() == 0


def test_what_was_kept_and_is_gone_is_not_compared_but_the_record_is_proven(
    blue: Member, tmp_path: Path
) -> None:
    script = program(tmp_path, f'rm -f {blue.folder.kept_path}; exec {sys.executable} "$@"')
    with Process(blue, audited_as(QUICK, script)) as node:
        node.ready()
        with blue.api() as api:
            wait_until(failed(api, "NOT_COMPARABLE"), AUDIT_S, "to be told why")
            assert audit(api)["behind"]
            assert audit(api)["done_utc"] is not None
        assert node.stop() == 0
    assert not blue.folder.kept_path.exists()
    assert json.loads(node.said)["entries_kept"] == 5
