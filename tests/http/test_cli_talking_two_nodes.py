"""What two watches say to one another and prove of it, from two running nodes' command lines."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from two_terminals import Party, blue, parties, red

from deconflict.cli import main

pytestmark = pytest.mark.processes

__all__ = ["blue", "parties", "red"]  # the fixtures: two nodes that run, with terms

PERSONNEL = (
    *("--template", "208", "--value", "where=35.4012 N 35.9487 E", "--value", "reach=2km"),
    *("--value", "since=2015-09-30T06:12:00Z"),
)


def test_what_is_asked_is_answered(blue: Party, red: Party) -> None:
    where = ("--place", "36SYE6779321530")
    sent = blue.ok("line", "cease", *where, "--reach", "2km", "--reason", "personnel-there")
    assert "Our personnel are there." in sent
    assert "red has signed that it holds this. That is no answer." in sent
    blue.ok(
        *("line", "query", *where, "--level", "FL210", "--course", "090", "--speed", "450 kt"),
        account="olga",
    )
    blue.ok("line", "send", *PERSONNEL, "--drill")
    red.ok("line", "answer", red.last("CEASE")["hash"][:10], "ceased", account="olga")
    red.ok("line", "answer", red.last("QUERY")["hash"][:10], "not-ours", account="olga")
    assert red.last("SAFETY")["drill"]
    acknowledged = red.ok("line", "ack", red.last("SAFETY")["hash"][:10], account="olga")
    assert "Acknowledged is not permission." in acknowledged
    shown = blue.ok("log", "--message", blue.last("ANSWER")["hash"][:12])
    assert "not ours" in shown
    # An answer ends the alert that asked for it, so it stands by itself until it is seen.
    assert "not ours" in blue.ok("line", "status", account="olga")
    answers = blue.json("line", "status", account="olga")["answers"]
    assert {answer["kind"] for answer in answers} == {"CEASED", "ANSWER"}
    for answer in answers:
        blue.ok("line", "seen", answer["hash"][:12], account="olga")
    assert "not marked as seen" not in blue.ok("line", "status", account="olga")


def test_an_exercise_marks_what_is_written_and_a_real_cease_ends_it(
    blue: Party, red: Party
) -> None:
    where = ("--place", "36SYE6779321530", "--reach", "2km")
    assert "red is told" in blue.ok("line", "drill", "begin", "--for", "1h")
    assert "THEIRS UNTIL" in red.ok("line", "drill", "list")
    status = blue.ok("line", "status")
    assert status.startswith("DRILL with red until ")  # before anything else
    assert "UP, DRILL" in status
    drilled = blue.ok("line", "cease", *where)
    assert "DRILL DRILL DRILL." in drilled
    assert "say it again as real" in drilled
    answered = red.ok("line", "ack", red.last("CEASE")["hash"][:10], account="olga")
    assert "DRILL DRILL DRILL." in answered
    report = blue.json("line", "drill", "report")
    (cease,) = (each for each in report["messages"] if each["kind"] == "CEASE")
    assert cease["answered_by"] == "ACK"
    assert "DRILL CEASE" in blue.ok("line", "drill", "report")
    real = blue.ok("line", "cease", *where, "--real")
    assert "EXERCISE OVER" in real
    assert "DRILL DRILL DRILL." not in real
    assert "REAL FLASH" in red.ok("line", "status")
    assert "No exercise lasts." in blue.ok("line", "drill", "list")
    assert "a real CEASE is open" in blue.ok("line", "drill", "begin", "--for", "1h", code=2)
    assert blue.run("line", "drill", "end").exit_code == 2
    theirs = red.json("line", "drill", "report")
    assert (theirs["by"], theirs["cut_by"]) == ("blue", red.last("CEASE")["hash"])
    red.ok("line", "answer", red.last("CEASE")["hash"][:10], "ceased", account="olga")


def test_a_page_and_an_email_of_an_exercise_say_so(blue: Party, tmp_path: Path) -> None:
    blue.ok("line", "send", *PERSONNEL, "--drill")
    drilled = [m for m in blue.json("log") if m["outgoing"] and m["drill"]][-1]
    said = blue.ok("line", "carry", "red", "--voice", drilled["hash"][:12])
    assert said.count("DRILL DRILL DRILL.") >= 1
    text, page = tmp_path / "mail.txt", tmp_path / "page.svg"
    only = ("--since", drilled["position"])
    assert "DRILL" in blue.ok("line", "carry", "red", *only, "--email", text)
    assert text.read_text().splitlines()[0].startswith("DRILL")
    blue.ok("line", "carry", "red", *only, "--qr", page)
    pages = list(tmp_path.glob("page*.svg"))  # of one page or several, by how long it is
    assert pages
    assert all("DRILL DRILL DRILL" in one.read_text() for one in pages)


def test_a_line_check_retyped_wrongly_alarms(blue: Party, red: Party) -> None:
    blue.ok("line", "check", account="olga")
    check = red.last("LINE_CHECK")
    red.ok("line", "check", "--reply", check["hash"][:10], "1111 2222 3333", account="olga")
    assert "LINE CHECK WRONG" in blue.wait_for("LINE CHECK WRONG")


def test_watching_shows_what_happens_and_misses_nothing(blue: Party, red: Party) -> None:
    after = red.json("line", "status")["node"]["last_event_id"]
    words = ["line", "watch", "--node", str(red.folder), "--as", "olga", "--after", str(after)]
    blue.ok("line", "send", *PERSONNEL)
    red.last("SAFETY")
    watching = subprocess.Popen(
        [sys.executable, "-m", "deconflict", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Tests that run in a shell's background ignore Ctrl-C, and so would what they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert watching.stdout is not None
    try:
        line = watching.stdout.readline()
        assert "<- blue  SAFETY" in line
    finally:
        watching.send_signal(signal.SIGINT)
        _, said = watching.communicate(timeout=20)
    assert watching.returncode == 130
    assert "Traceback" not in said


def test_doctor_sees_a_running_node_and_the_peers_key(blue: Party) -> None:
    shown = blue.ok("doctor")
    assert re.search(r"ok +peer red +answers .* with the pinned key", shown)
    assert "in use by the running node" in shown


def test_an_exported_record_verifies_and_an_altered_one_does_not(
    blue: Party, red: Party, tmp_path: Path
) -> None:
    record, altered = tmp_path / "blue.deconflict", tmp_path / "altered.deconflict"
    blue.ok("export", "--out", record)
    keys = [
        word
        for party in (blue, red)
        for word in ("--key", f"{party.name}={party.folder / f'{party.name}.invitation'}")
    ]
    proven = CliRunner().invoke(main, ["verify", str(record), *keys])
    assert proven.exit_code == 0, proven.output
    assert "VERIFIED" in proven.output
    facts = json.loads(CliRunner().invoke(main, ["verify", str(record), *keys, "--json"]).output)
    assert [chain["party"] for chain in facts["chains"]] == ["blue", "red"]
    assert all(len(chain["head"]["hash"]) == 64 for chain in facts["chains"])
    data = bytearray(record.read_bytes())
    data[len(data) // 2] ^= 1
    altered.write_bytes(data)
    refused = CliRunner().invoke(main, ["verify", str(altered), *keys])
    assert refused.exit_code == 1
    assert "NOT VERIFIED" in refused.output
    alone = CliRunner().invoke(main, ["verify", str(record), *keys[:2]])
    assert alone.exit_code == 2  # wrong use: nothing was found out about the record
    assert "the key of red is needed as well" in alone.output
    assert "NOT VERIFIED" not in alone.output
    assert blue.run("export", "--out", record).exit_code == 2  # a record is never overwritten


def test_one_message_is_exported_alone_and_proves_itself(
    blue: Party, red: Party, tmp_path: Path
) -> None:
    said = json.loads(blue.ok("log", "--json"))[0]
    file = tmp_path / "message.deconflict"
    deadline = time.monotonic() + 40
    # Ten seconds after its receipt both sides have fixed it.
    while (shown := blue.run("export", "--only", said["hash"], "--out", file)).exit_code != 0:
        assert "not fixed" in shown.output
        assert time.monotonic() < deadline
        time.sleep(1)
    assert "nothing of the others" in shown.output
    keys = [
        word
        for party in (blue, red)
        for word in ("--key", f"{party.name}={party.folder / f'{party.name}.invitation'}")
    ]
    proven = CliRunner().invoke(main, ["verify", str(file), *keys])
    assert proven.exit_code == 0, proven.output
    assert said["hash"] in proven.output
    assert said["text"].split()[0] in proven.output
    none = blue.run("export", "--fork", "--out", tmp_path / "fork")
    assert none.exit_code != 0
    assert "nothing kept here proves" in none.output
    both = blue.run("export", "--fork", "--only", said["hash"], "--out", tmp_path / "x")
    assert both.exit_code == 2
