"""The keys that a person trusts, from the invitation files that the parties gave themselves."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from deconflict.cli.output import Bar
from deconflict.errors import InvalidInputError

if TYPE_CHECKING:
    from deconflict.line.keys import VerifyKey
    from deconflict.line.root import Root
    from deconflict.node.invitation import Invitation

__all__ = [
    "key_option",
    "optional_key_option",
    "pieces_of",
    "read_keys",
    "read_roots",
    "require_each_key",
]

PIECE_BYTES = 1 << 16
_METAVAR = "PARTY=FILE"
_HELP = "party's invitation file, obtained from that party itself. Repeat for each party."
key_option = click.option(
    "--key", "keys", multiple=True, required=True, metavar=_METAVAR, help=f"A {_HELP}"
)
optional_key_option = click.option(
    "--key", "keys", multiple=True, metavar=_METAVAR, help=f"Of a bundle: a {_HELP}"
)


def read_keys(given: tuple[str, ...]) -> dict[str, "VerifyKey"]:
    """Return the parties' first keys from their invitation files."""
    return {party: invitation.verify_key for party, invitation in _invitations(given).items()}


def read_roots(given: tuple[str, ...]) -> dict[str, "Root"]:
    """Return the roots that vouch for later keys, of those invitations that bring one."""
    return {
        party: invitation.root
        for party, invitation in _invitations(given).items()
        if invitation.root is not None
    }


def _invitations(given: tuple[str, ...]) -> dict[str, "Invitation"]:
    from deconflict.node.invitation import MAX_INVITATION_BYTES, Invitation

    found = {}
    for written in given:
        party, _, name = written.partition("=")
        file = Path(name)
        if not name or party in found or not file.is_file():
            raise InvalidInputError(
                "a party's key cannot be read",
                given=written,
                expected="PARTY=FILE with that party's invitation file, each party once",
            )
        with file.open("rb") as stream:
            invitation = Invitation.parse(stream.read(MAX_INVITATION_BYTES + 2))
        if invitation.party != party:
            raise InvalidInputError(
                "this invitation is another party's",
                given=f"{file}: {invitation.party}",
                expected=party,
            )
        found[party] = invitation
    return found


def require_each_key(file: Path, trusted: Mapping[str, "VerifyKey"]) -> None:
    """Refuse to look at a file for one of whose parties no key was given, and say which.

    Whether it proves anything at all, and the keys are right, is for the proof to say.
    """
    from deconflict.cli.proof import parties_named

    named = parties_named(file)
    missing = sorted(named - trusted.keys())
    if missing and (len(named) == 1 or trusted.keys() <= named):
        raise InvalidInputError(
            f"the key of {' and '.join(missing)} is needed as well",
            given=f"only the key of {', '.join(sorted(trusted))}",
            expected="the invitation of " + " and ".join(sorted(named)),
            remedy=f"obtain it from {missing[0]}, and give it too: --key {missing[0]}=FILE",
        )


def pieces_of(file: IO[bytes], bar: Bar) -> Iterator[bytes]:
    """Yield the bytes of a file, and move the bar along."""
    while piece := file.read(PIECE_BYTES):
        yield piece
        bar.advance(len(piece))
