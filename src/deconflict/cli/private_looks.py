"""How a run goes on that hit something: the closer looks at it, the next one, and talking of it."""

from typing import Any

import click

from deconflict.cli.output import clean, count, short
from deconflict.cli.private_words import OUTCOMES, STATES

__all__ = ["show_looks"]


def show_looks(found: dict[str, Any]) -> None:
    """Say which closer looks there are at a run, and exactly what to type for what comes next."""
    check, run = found["check"], found["run"]
    peer = clean(check["peer"])
    for look in found["looks"]:
        if look["proposal"] != check["proposal"]:
            click.echo(f"  {_look(look, peer)}")
    for look in found["refinements"][:1]:
        click.echo(
            f"  A closer look at {count(len(look['slots']), 'slot')} (the peer then knows in which "
            f"something was hit):\n    deconflict private propose --refine {short(look['of'])} "
            f"--run {look['run']} --parts {look['parts']}"
        )
        if not found["runs_left"]:
            click.echo("  These slots were asked about as often as agreed: it would not run.")
    if run["stands"] == "HIT":
        click.echo(
            f"  To talk of it with {peer}, who is told of the hit and not where:\n"
            f"    deconflict line concern --private {short(check['proposal'])} --run {run['run']}"
        )


def _look(look: dict[str, Any], peer: str) -> str:
    what = (
        f"Closer look {short(look['proposal'])}, {count(look['slots'], 'slot')}, "
        f"cells cut into {look['parts']}"
    )
    if look["outcome"] is not None:
        return f"{what}: {OUTCOMES[look['outcome']]}."
    if look["state"] == "PROPOSED" and not look["own"]:
        return (
            f"{what}: {peer} proposes it. To take part:\n"
            f"    deconflict private accept {short(look['proposal'])}"
        )
    return f"{what}: {STATES[look['state']]}."
