"""Pages typed into a shell as they stand; each shown line has to come out."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.processes.nodes import free_port

pytestmark = pytest.mark.processes

DOCS = Path(__file__).resolve().parents[2] / "docs"
PORTS = ("8443", "8444", "8080", "8081")
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
END = "--- end of block ---"


def blocks(page: str) -> Iterator[tuple[str, list[str]]]:
    """Commands, and the lines shown for them; ``…`` in a line stands for anything."""
    found = BLOCK.findall((DOCS / page).read_text("utf-8"))
    for number, (kind, text) in enumerate(found):
        if kind == "sh":
            following = found[number + 1] if number + 1 < len(found) else ("", "")
            yield text, following[1].splitlines() if following[0] == "text" else []


def pattern(line: str) -> str:
    """Spaces of any number: columns are as wide as what stands in them."""
    parts = [r"\s+".join(map(re.escape, part.split())) for part in line.split("…")]
    return ".*".join(parts)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "deconflict"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m deconflict "$@"\n')
    program.chmod(0o755)
    folder = tmp_path / "work"
    folder.mkdir()
    clean = {k: v for k, v in os.environ.items() if not k.startswith("DECONFLICT_")}
    path = f"{program.parent}{os.pathsep}{clean['PATH']}"
    bash = subprocess.Popen(
        ["bash", "--norc"],
        cwd=folder,
        env=clean | {"PATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield bash
    finally:
        os.killpg(bash.pid, signal.SIGKILL)  # with whatever the page started and did not end
        bash.communicate()


@pytest.mark.timeout(900)  # commands by the dozen, each a process of its own, and a busy machine
@pytest.mark.parametrize("page", ["tutorial.md", "howto/private-check.md"])
def test_the_page_works_as_it_stands(page: str, shell: subprocess.Popen[str]) -> None:
    assert shell.stdin is not None
    assert shell.stdout is not None
    ports = {port: str(free_port()) for port in PORTS}
    typed = list(blocks(page))
    assert len(typed) > 5
    for commands, shown in typed:
        for port, free in ports.items():
            commands = commands.replace(port, free)
        shell.stdin.write(f"{commands}echo '{END}'\n")
        shell.stdin.flush()
        output = []
        while (line := shell.stdout.readline()) and line.strip() != END:
            output.append(line)
        said = "".join(output)
        assert line, said
        refused = any(each.startswith("NOT VERIFIED") for each in shown)
        assert ("error:" in said) is refused, said
        missing = [each for each in shown if not re.search(pattern(each), said)]
        assert missing == [], f"{commands}\n{said}"
