"""``deconflict demo``: two nodes on this machine and everything they do for each other."""

import shlex
import shutil
import signal
import tempfile
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deconflict.cli.command import EXIT_FINDING, command, show_error
from deconflict.cli.options import as_json_option
from deconflict.cli.output import sentences, write_json
from deconflict.errors import ConfigurationError, PromiseBrokenError

if TYPE_CHECKING:
    from deconflict.demo.run import Demo

__all__ = ["demo"]

LOOK_EVERY_S = 0.5
WIDEST = 110
COLOURS = ("cyan", "yellow")  # of the parties' desks


@command("demo", example="deconflict demo\ndeconflict demo --dir demo-run --keep")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where to make everything; it must not exist yet.  [default: a new temporary folder]",
)
@click.option("--keep", is_flag=True, help="Stay up at the end, with both consoles to look at.")
@as_json_option
@click.pass_context
def demo(ctx: click.Context, folder: Path | None, keep: bool, as_json: bool) -> None:
    """Show two nodes, one line, a conflict found, answered and proven.

    Two real nodes run on this machine, each a process with keys, certificate, record and ports of
    its own, and are worked by the commands that anybody would type; each is shown. Nothing leaves
    the machine. Exit code 1 says that a step did not come out as promised. With --json the story
    goes to standard error and its figures, at the end, to standard output.
    """
    from deconflict.demo.run import Demo

    root = _new_folder(folder)
    teller = Storyteller(to_stderr=as_json)
    teller.line(f"Everything is made in {root}, and commands run there.")
    # Whoever ends the demo ends the two nodes with it, by Ctrl-C or as a service manager does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    played = Demo(root, teller)
    try:
        facts = played.play()
        teller.line("")
        teller.line(f"All {teller.number} steps came out as promised, in {facts['took_s']:.0f} s.")
        teller.line(f"The picture is {facts['picture']}")
        if as_json:
            write_json({"folder": str(root), "steps": teller.number, **facts})
        if keep:
            _stay(played, teller)
        played.end()
    except PromiseBrokenError as error:
        teller.line("")
        teller.line(f"Step {teller.number} did not come out as promised. What was made stays.")
        show_error(error, as_json=as_json)
        ctx.exit(EXIT_FINDING)
    finally:
        played.close()


class Storyteller:
    """Tells the story on a terminal: steps, what is typed, what desks read, what came out.

    Args:
        to_stderr: leave standard output to the figures.
    """

    def __init__(self, *, to_stderr: bool) -> None:
        self._to_stderr = to_stderr
        self._width = min(shutil.get_terminal_size((100, 24)).columns, WIDEST)
        self.number = 0
        self._colours: dict[str, str] = {}

    def step(self, number: int, title: str) -> None:
        """Begin a step."""
        self.number = number
        self.line("")
        self.line(click.style(f"{number:>2}  {title}", bold=True))

    def says(self, words: str) -> None:
        """Say why or what."""
        for line in textwrap.wrap(words, self._width - 4):
            self.line(f"    {line}")

    def typed(self, party: str, words: Sequence[str]) -> None:
        """Show a command so that it can be typed again, in the demo's folder."""
        lines, room = ["deconflict"], self._width - 14
        for part in _parts(words):
            if len(lines[-1]) + 1 + len(part) > room:
                lines.append(f"    {part}")
            else:
                lines[-1] += f" {part}"
        shown = " \\\n            ".join(lines)
        self.line(click.style(f"{party:>9} $ {shown}", dim=True))

    def desk(self, party: str, text: str) -> None:
        """Show what a desk reads."""
        colour = self._colours.setdefault(party, COLOURS[len(self._colours) % len(COLOURS)])
        lines = sentences(text, indent=0, width=self._width - 12).splitlines()
        for number, line in enumerate(lines):
            mark = f"{party if number == 0 else '':>9} |"
            words = click.style(line, bold=number == 0)
            self.line(f"{click.style(mark, fg=colour)} {words}")

    def proven(self, words: str) -> None:
        """Say that something came out as promised."""
        lines = textwrap.wrap(words, self._width - 12)
        mark = click.style(f"{'ok':>11}", fg="green", bold=True)
        for line in lines:
            self.line(f"{mark} {line}")
            mark = " " * 11

    def line(self, text: str) -> None:
        """Write a line."""
        click.echo(text, err=self._to_stderr)


def _new_folder(wanted: Path | None) -> Path:
    if wanted is None:
        return Path(tempfile.mkdtemp(prefix="deconflict-demo-"))
    try:
        wanted.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise ConfigurationError(
            "the folder of the demo exists already",
            given=str(wanted),
            expected="a new folder: nothing is overwritten",
            remedy="remove it, or name another with --dir",
        ) from None
    return wanted.resolve()


def _stay(played: "Demo", teller: Storyteller) -> None:
    """Stay up until Ctrl-C, or until a node has ended by itself."""
    from deconflict.demo.party import PLANNER, WATCH

    teller.line("")
    teller.line("Both nodes stay up. Their consoles, with passwords made for this demo only:")
    for party in played.parties:
        teller.line("")
        teller.line(f"  {party.name}  {party.console}")
        teller.line(f"         accounts {WATCH} and {PLANNER}, password {party.password}")
    teller.line("")
    teller.line("Ctrl-C ends both.")
    try:
        while all(party.running for party in played.parties):
            time.sleep(LOOK_EVERY_S)
    except KeyboardInterrupt:
        teller.line("")
        return
    raise PromiseBrokenError("a node ended by itself", expected="that both stay up")


def _quoted(word: str) -> str:
    """Return a word as a shell takes it, with double quotes where that is enough."""
    plain = shlex.quote(word)
    return f'"{word}"' if plain != word and not set('"$`\\!') & set(word) else plain


def _parts(words: Sequence[str]) -> Iterator[str]:
    """Yield words as a shell takes them, an option together with its value."""
    held = ""
    for word in map(_quoted, words):
        if held and word.startswith("--"):
            yield held
            held = ""
        if held or not word.startswith("--"):
            yield f"{held} {word}".strip()
            held = ""
        else:
            held = word
    if held:
        yield held
