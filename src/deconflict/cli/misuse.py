"""Wrong use of a command, said as every other error is: given, expected, to do."""

import re
from collections.abc import Sequence
from typing import Any

import click
from click import exceptions

from deconflict.errors import InvalidInputError

__all__ = ["misused"]

_QUOTED = re.compile(r"'([^']*)'")
_SHOWN = 8  # names listed where none is near


def misused(error: click.UsageError, ctx: click.Context) -> InvalidInputError:
    """Return what was wrong with the words of a command.

    Args:
        error: as click found it.
        ctx: of the command that was being read.
    """
    path = (error.ctx or ctx).command_path
    see = f"see `{path} --help`"
    match error:
        case exceptions.NoSuchCommand():
            command = (error.ctx or ctx).command
            known = command.list_commands(ctx) if isinstance(command, click.Group) else []
            near = error.possibilities or []
            return InvalidInputError(
                f"there is no command {error.command_name}",
                given=f"{path} {error.command_name}",
                expected=_one_of(near or known),
                remedy=f"see `{path} {near[0]} --help`" if near else see,
            )
        case exceptions.NoSuchOption():
            return InvalidInputError(
                f"there is no option {error.option_name}",
                given=f"{path} {error.option_name}",
                expected=_one_of(error.possibilities or _options(error.ctx or ctx)),
                remedy=see,
            )
        case exceptions.MissingParameter(param=click.Parameter() as wanted):
            return InvalidInputError(
                f"{_named(wanted, ctx)} is missing",
                given=path,
                expected=_described(wanted, ctx),
                remedy=see,
            )
        case exceptions.BadParameter(param=click.Parameter() as wanted):
            given = _QUOTED.search(error.message)
            return InvalidInputError(
                f"{_named(wanted, ctx)} cannot be this",
                given=given[1] if given else _lower(error.message),
                expected=_expected(wanted.type) or _lower(error.message),
                remedy=see,
            )
    return InvalidInputError(_lower(error.format_message()), given=path, remedy=see)


def _named(wanted: click.Parameter, ctx: click.Context) -> str:
    if isinstance(wanted, click.Option):
        return max(wanted.opts, key=len)
    return wanted.make_metavar(ctx).strip("[].")


def _described(wanted: click.Parameter, ctx: click.Context) -> str:
    """Return how it is written and what it is."""
    if isinstance(wanted, click.Option):
        described = f"{max(wanted.opts, key=len)} {wanted.make_metavar(ctx)}"
        return f"{described}: {wanted.help.rstrip('.')}" if wanted.help else described
    return _expected(wanted.type) or wanted.make_metavar(ctx)


def _expected(kind: "click.ParamType[Any]") -> str:
    """Return in words what a value of this type is; nothing where click says it as well."""
    match kind:
        case click.Choice():
            return _one_of([str(choice) for choice in kind.choices], most=len(kind.choices))
        case click.IntRange(min=int(least), max=int(most)):
            return f"a whole number from {least} to {most}"
        case click.IntRange(min=int(least)):
            return f"a whole number, {least} or more"
        case click.types.IntParamType():
            return "a whole number"
    return ""


def _options(ctx: click.Context) -> list[str]:
    parameters = ctx.command.get_params(ctx)
    return [max(one.opts, key=len) for one in parameters if isinstance(one, click.Option)]


def _one_of(names: Sequence[str], *, most: int = _SHOWN) -> str:
    if len(names) > most:
        return f"one of {', '.join(names[:most])}, …"
    return f"one of {', '.join(names)}" if len(names) > 1 else "".join(names)


def _lower(message: str) -> str:
    """Return a sentence of click's as ours are: without a capital and a full stop."""
    return (message[:1].lower() + message[1:]).rstrip(".")
