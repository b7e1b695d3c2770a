"""What the commands say of themselves."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from deconflict.cli import COMMANDS, main
from deconflict.cli.command import Command, LazyGroup
from deconflict.cli.reference import commands, reference

ROOT = Path(__file__).resolve().parents[2]
ALL = list(commands())
LEAVES = [(name, command) for name, command in ALL if not isinstance(command, click.Group)]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "howto").glob("*.md"))]
HEAVY = ("httpx", "nacl", "numpy", "cryptography", "msgspec", "deconflict.node", "fastapi")


@pytest.mark.parametrize(("name", "command"), LEAVES, ids=[name for name, _ in LEAVES])
def test_every_command_has_help_an_example_and_json(name: str, command: click.Command) -> None:
    assert isinstance(command, Command)
    assert command.help
    assert name in command.example
    assert "--json" in {option for p in command.params for option in p.opts}


@pytest.mark.parametrize(("name", "command"), LEAVES, ids=[name for name, _ in LEAVES])
def test_every_option_says_what_it_is_for(name: str, command: click.Command) -> None:
    silent = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    assert silent in ([], ["out"])  # `--out FILE` says it all


@pytest.mark.parametrize(("name", "command"), LEAVES, ids=[name for name, _ in LEAVES])
def test_examples_name_commands_and_options_that_exist(name: str, command: Command) -> None:
    by_name = dict(ALL)
    for line in command.example.replace("\\\n", " ").splitlines():
        words = shlex.split(line)
        path = next(
            " ".join(words[:n]) for n in range(len(words), 0, -1) if " ".join(words[:n]) in by_name
        )
        known = {o for p in by_name[path].params for o in (*p.opts, *p.secondary_opts)}
        used = {word for word in words if word.startswith("--")}
        assert used <= known, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_commands_and_options_that_exist(page: Path) -> None:
    by_name = dict(ALL)
    text = page.read_text("utf-8").replace("\\\n", " ")
    shown = re.findall(r"^ {4}(deconflict [^\n]+)$", text, re.MULTILINE)
    shown += re.findall(r"`(deconflict [^`\n]+)`", text)
    for line in shown:
        words = shlex.split(line, comments=True)
        path = next(
            " ".join(words[:n]) for n in range(len(words), 0, -1) if " ".join(words[:n]) in by_name
        )
        assert not (isinstance(by_name[path], click.Group) and len(words) > 2), line
        known = {o for p in by_name[path].params for o in (*p.opts, *p.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= known, line


def test_lists_of_commands_agree_with_the_commands() -> None:
    for _, group in ALL:
        if isinstance(group, LazyGroup):
            context = click.Context(group)
            for entry in group.entries.values():
                command = group.get_command(context, entry.name)
                assert command is not None
                first = (command.help or "").split("\n\n")[0].replace("\n", " ")
                assert first == entry.help, entry.name


@pytest.mark.parametrize(
    ("name", "group"), [each for each in [("", main), *ALL] if isinstance(each[1], click.Group)]
)
@pytest.mark.parametrize("width", [60, 80, 200])
def test_lists_of_commands_say_what_each_is_for_in_full(
    name: str, group: click.Group, width: int
) -> None:
    context = group.make_context(name, [], resilient_parsing=True, terminal_width=width)
    shown = " ".join(group.get_help(context).split())
    for command in group.list_commands(context):
        found = group.get_command(context, command)
        assert found is not None
        first = " ".join((found.help or "").split("\n\n")[0].split())
        assert f"{command} {first}" in shown


def test_help_of_the_whole_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from deconflict.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr.strip() == "[]"
    assert all(entry.name in done.stdout for entry in COMMANDS)


def test_mistyped_command_is_answered_with_the_nearest_one() -> None:
    result = CliRunner().invoke(main, ["docter"])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[1:] == [
        "  given:    deconflict docter",
        "  expected: doctor",
        "  to do:    see `deconflict doctor --help`",
    ]


def test_reference_page_is_what_the_commands_say() -> None:
    page = (ROOT / "docs" / "reference" / "cli.md").read_text("utf-8")
    assert page == reference(), "python -m deconflict.cli.reference > docs/reference/cli.md"


def test_no_option_takes_a_secret() -> None:
    for name, command in LEAVES:
        for parameter in command.params:
            words = " ".join(parameter.opts)
            if any(secret in words for secret in ("password", "passphrase", "token", "key-")):
                is_file = isinstance(parameter.type, click.Path)
                assert is_file or getattr(parameter, "is_flag", False), (name, words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("chekc", "--json"), "chekc"),
        (("declare", "--bogus", "--json"), "--bogus"),
        (("line", "sendd", "--json"), "sendd"),
        (("log", "--last", "x", "--json"), "--last"),
        (("--bogus", "--json"), "--bogus"),
    ],
)
def test_wrong_use_is_told_to_a_program_as_json_on_standard_error(
    words: tuple[str, ...], said: str
) -> None:
    result = CliRunner().invoke(main, list(words))
    assert result.exit_code == 2
    assert result.stdout == ""
    error = json.loads(result.stderr)["error"]
    assert set(error) == {"type", "problem", "given", "expected", "remedy"}
    assert said in error["problem"]
    assert "--help" in error["remedy"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "log --last x",
            ("--last cannot be this", "x", "a whole number from 1 to 10000", "deconflict log"),
        ),
        (
            "line cease --release foo",
            (
                "--release cannot be this",
                "foo",
                "one of own-forces, coalition, none",
                "deconflict line cease",
            ),
        ),
        (
            "line query --level FL210",
            (
                "--place is missing",
                "deconflict line query",
                "--place PLACE: Coordinates in any notation: decimal, degrees and minutes, MGRS",
                "deconflict line query",
            ),
        ),
        ("line ack", ("ID is missing", "deconflict line ack", "ID", "deconflict line ack")),
        (
            "line statsu",
            (
                "there is no command statsu",
                "deconflict line statsu",
                "status",
                "deconflict line status",
            ),
        ),
        (
            "terms shwo",
            ("there is no command shwo", "deconflict terms shwo", "show", "deconflict terms show"),
        ),
        (
            "export --outt x",
            ("there is no option --outt", "deconflict export --outt", "--out", "deconflict export"),
        ),
    ],
)
def test_wrong_use_says_what_was_given_what_is_expected_and_what_to_do(
    words: str, said: tuple[str, str, str, str]
) -> None:
    result = CliRunner().invoke(main, shlex.split(words), prog_name="deconflict")
    problem, given, expected, see = said
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f"error: {problem}",
        f"  given:    {given}",
        f"  expected: {expected}",
        f"  to do:    see `{see} --help`",
    ]


def test_wrong_use_in_click_s_own_words_is_told_in_the_same_shape() -> None:
    result = CliRunner().invoke(main, ["log", "too", "much"])
    assert result.exit_code == 2
    assert result.stderr.startswith("error: got unexpected extra arguments (too much)\n  given: ")


def test_a_group_alone_shows_its_help() -> None:
    result = CliRunner().invoke(main, ["line"])
    assert result.output.startswith("Usage: ")


@pytest.mark.parametrize(
    ("language", "words"), [("ru", "Наше воздушное"), ("en", "Our aircraft"), ("ar", "طائرتنا في")]
)
def test_phrases_are_listed_in_the_language_of_the_desk(
    tmp_path: Path, language: str, words: str
) -> None:
    (tmp_path / "node.toml").write_text(f'party = "blue"\nlanguages = ["{language}"]\n')
    for more in ((), ("--json",)):
        result = CliRunner().invoke(
            main, ["line", "send", "--list", "--node", str(tmp_path), *more]
        )
        assert result.exit_code == 0, result.output
        assert words in result.output
