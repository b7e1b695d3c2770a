"""What every command shares: late import, an example in its help, errors in plain words."""

import errno
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import IO, Any

import click

from deconflict.errors import DeconflictError, VerificationError
from deconflict.messages.direction import without_isolates

__all__ = [
    "EXIT_FINDING",
    "EXIT_INTERRUPTED",
    "EXIT_WRONG",
    "Command",
    "Entry",
    "Group",
    "LazyGroup",
    "command",
    "show_error",
]

EXIT_FINDING = 1  # a conflict, a failed verification, something wrong with the node
EXIT_WRONG = 2  # wrong use or bad input; click's own number for usage errors
EXIT_INTERRUPTED = 130  # as shells do: 128 + SIGINT
EXIT_UNREAD = 141  # as shells do: 128 + SIGPIPE; click's own number, 1, would say a finding

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Command(click.Command):
    """A command with an example, whose errors never show as tracebacks.

    Args:
        example: one or more lines that work as they stand, shown at the end of ``--help``.
    """

    def __init__(self, *args: Any, example: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("context_settings", _CONTEXT)
        super().__init__(*args, **kwargs)
        self.example = example

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (click decides the arguments)
        """Write the example under the options."""
        _write_example(self.example, formatter)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; a wrong use is told like every other error.

        What is copied from a right-to-left text may bring the isolates along that stood around it.
        """
        with _usage_as(ctx, as_json="--json" in args):
            return super().parse_args(ctx, [without_isolates(each) for each in args])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error on purpose ends it with words and an exit code."""
        try:
            return super().invoke(ctx)
        except DeconflictError as error:
            show_error(error, as_json=bool(ctx.params.get("as_json")))
            ctx.exit(EXIT_FINDING if isinstance(error, VerificationError) else EXIT_WRONG)
        except (KeyboardInterrupt, click.Abort):
            click.echo("\nstopped by hand", err=True)
            ctx.exit(EXIT_INTERRUPTED)
        except OSError as error:
            if error.errno == errno.EPIPE:  # `deconflict log | head`: nobody reads any more
                _write_no_more()
                ctx.exit(EXIT_UNREAD)
            show_error(
                DeconflictError(
                    "a file could not be read or written",
                    given=f"{error.filename or 'unnamed file'}: {error.strerror or error}",
                    remedy="check that it exists, who owns it and that the disk has room",
                ),
                as_json=bool(ctx.params.get("as_json")),
            )
            ctx.exit(EXIT_WRONG)


def _write_no_more() -> None:
    """Let what is left in the buffers be lost quietly as the interpreter ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # replaced by a test, or closed
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class Group(click.Group):
    """A group of commands, listed in the order they are written."""

    command_class = Command

    def __init__(self, *args: Any, example: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("context_settings", _CONTEXT)
        super().__init__(*args, **kwargs)
        self.example = example

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click decides the arguments)
        """Return the names in the order a user needs them, not sorted."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List each command with the whole first sentence of its help, wrapped, never cut."""
        rows = [
            (name, " ".join((found.help or "").split("\n\n")[0].split()))
            for name in self.list_commands(ctx)
            if (found := self.get_command(ctx, name)) is not None and not found.hidden
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the group's own arguments, as `Command` does."""
        with _usage_as(ctx, as_json="--json" in args):
            return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names."""
        with _usage_as(ctx, as_json="--json" in args):
            return super().resolve_command(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (click decides the arguments)
        """Write the example under the commands."""
        _write_example(self.example, formatter)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the table of commands.

    Args:
        name: what the user types.
        place: ``module:attribute``; the module is inside the group's package, or anywhere when
            its name has a dot.
        help: the line shown in the list; the command's own help begins with the same line.
    """

    name: str
    place: str
    help: str


class LazyGroup(Group):
    """A group that imports a command when it is used, not when it is listed."""

    def __init__(self, name: str, entries: Sequence[Entry], *, package: str, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.entries = {entry.name: entry for entry in entries}
        self.package = package

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click decides the arguments)
        """Return the names in the order of the table."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click decides the arguments)
        """Import the command's module and return the command, or None when there is none."""
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        module, attribute = entry.place.split(":")
        path = module if "." in module else f"{self.package}.{module}"
        found = getattr(import_module(path), attribute)
        if not isinstance(found, click.Command):
            raise TypeError(f"{entry.place} is no command")
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (click decides the arguments)
        """List the commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.help) for entry in self.entries.values()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a mistyped one is answered with the nearest names."""
        if args and args[0] not in self.entries and not args[0].startswith("-"):
            with _usage_as(ctx, as_json="--json" in args):
                raise click.exceptions.NoSuchCommand(args[0], possibilities=self.entries, ctx=ctx)
        return super().resolve_command(ctx, args)


def command(
    name: str, *, example: str, group: click.Group | None = None
) -> Callable[[Callable[..., Any]], Command]:
    """Make a `Command` of a function, as a part of ``group`` where one is given."""

    def decorate(function: Callable[..., Any]) -> Command:
        made = click.command(name, cls=Command, example=example)(function)
        if group is not None:
            group.add_command(made)
        return made

    return decorate


class _Misuse(click.UsageError):
    """Wrong use of a command, shown in the shape of every other error."""

    def __init__(self, error: click.UsageError, ctx: click.Context, *, as_json: bool) -> None:
        super().__init__(error.format_message(), ctx=error.ctx or ctx)
        self._found = error
        self._reading = ctx
        self._as_json = as_json

    def show(self, file: IO[Any] | None = None) -> None:  # noqa: ARG002 (click decides the arguments)
        """Write it to standard error."""
        from deconflict.cli.misuse import misused

        show_error(misused(self._found, self._reading), as_json=self._as_json)


@contextmanager
def _usage_as(ctx: click.Context, *, as_json: bool) -> Iterator[None]:
    try:
        yield
    except (_Misuse, click.exceptions.NoArgsIsHelpError):
        raise  # said already; and without any argument a group shows its help, which is no error
    except click.UsageError as error:
        raise _Misuse(error, ctx, as_json=as_json) from error


def _write_example(example: str, formatter: click.HelpFormatter) -> None:
    if not example:
        return
    with formatter.section("Example"):
        for line in example.strip().splitlines():
            formatter.write(f"{'':>{formatter.current_indent}}{line.rstrip()}\n")


def show_error(error: DeconflictError, *, as_json: bool) -> None:
    """Print an error as problem, given, expected, to do; as JSON for programs."""
    from deconflict.cli.output import clean, write_json

    if as_json:
        facts = {
            "type": type(error).__name__,
            "problem": error.problem,
            "given": error.given,
            "expected": error.expected,
            "remedy": error.remedy,
        }
        write_json({"error": facts}, to=sys.stderr)
        return
    click.echo(click.style("error: ", fg="red", bold=True) + clean(error.problem), err=True)
    for label, value in (
        ("given", error.given),
        ("expected", error.expected),
        ("to do", error.remedy),
    ):
        if value:
            click.echo(f"  {label + ':':<10}{clean(value)}", err=True)
