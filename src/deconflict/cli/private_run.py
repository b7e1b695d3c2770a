"""``deconflict private run|show|open``: follow a run, see what it found, give it to an arbiter."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.command import EXIT_FINDING, EXIT_INTERRUPTED, command
from deconflict.cli.options import talks_to_node, write_private
from deconflict.cli.output import clean, progress, sentences, short, when, write_json
from deconflict.cli.private_looks import show_looks
from deconflict.cli.private_words import outcome_of
from deconflict.cli.written import force_option, require_free
from deconflict.errors import LineStateError, NodeUnreachableError

if TYPE_CHECKING:
    from deconflict.cli.client import NodeClient

__all__ = ["open_run", "run", "show"]

_LOOK_S = 0.2
_PATIENCE_S = 60.0
_OVER = ("WHOLE", "ENDED")
_NOT_YET = {
    "WAITING": "WAITS",
    "RUNNING": "RUNS",
    "WHOLE": "ANSWERED",
    "ENDED": "NOT ANSWERED",
}


@command(
    "run",
    example="deconflict private run 7c1e09af\ndeconflict private run 7c1e09af --run 2 --no-wait",
)
@click.argument("check")
@click.option("--run", "number", type=click.IntRange(0), help="Which; else the next one.")
@click.option("--no-wait", is_flag=True, help="Begin it and do not follow it.")
@talks_to_node
@click.pass_context
def run(
    ctx: click.Context,
    check: str,
    number: int | None,
    no_wait: bool,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Begin a run of an accepted check now, and follow it to its end.

    One that is under way is followed. Ctrl-C ends it for both sides: it is NOT CHECKED then, and
    hits stay hits. Closing the terminal does not end it.

    Ends with 1 as long as a hit stands, and when it is NOT CHECKED.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        found = _begun(node, check, number)
        if not no_wait:
            found = _followed(ctx, node, found)
    _shown(found, as_json=as_json)
    if found["run"]["stands"] in ("HIT", "NOT_CHECKED"):
        ctx.exit(EXIT_FINDING)


@command(
    "show", example="deconflict private show 7c1e09af\ndeconflict private show 7c1e09af --run 2"
)
@click.argument("check")
@click.option("--run", "number", type=click.IntRange(0), help="Which; else the last that began.")
@talks_to_node
@click.pass_context
def show(
    ctx: click.Context,
    check: str,
    number: int | None,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Show what a run found: your own sorties, times and places.

    Where the peer is, your node does not know: within the minima and one cell of each place shown.
    Of each hit it says whether it stands after closer looks at the run, or has fallen.

    Ends with 1 as long as a hit stands, and when it is NOT CHECKED.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        if number is None:
            shown = node.get("private", check)["shown"]
            begun = [each["run"] for each in shown if each["state"] != "WAITING"]
            number = (begun or [each["run"] for each in shown] or [0])[-1]
        found = node.get("private", check, str(number))
    _shown(found, as_json=as_json)
    if found["run"]["stands"] in ("HIT", "NOT_CHECKED"):
        ctx.exit(EXIT_FINDING)


@command(
    "open",
    example="deconflict private open 7c1e09af --run 0 --plan plan.json --seed seed.json\n"
    "deconflict private open 7c1e09af --run 0 --plan sites.json --seed seed.json",
)
@click.argument("check")
@click.option("--run", "number", type=click.IntRange(0), required=True, help="Which run.")
@click.option(
    "--plan",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="Where the plan is written; of who protects sites, the list that was checked.",
)
@click.option(
    "--seed",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="Where the seed is written.",
)
@force_option
@talks_to_node
def open_run(
    check: str,
    number: int,
    plan: Path,
    seed: Path,
    force: bool,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Write plan or sites and the seed of a run for the arbiter: they show what was in it.

    With the exported record the arbiter runs `deconflict private audit`. The terms say from when a
    run may be opened; that it was, your node writes down. Of a check of your own sites the whole
    list is written, decoys among it.
    """
    from deconflict.cli.client import NodeClient

    require_free(plan, seed, force=force)
    with NodeClient.of(node_dir, account) as node:
        opened = node.post("private", check, "open", body={"run": number})
        protector = node.get("private", opened["proposal"])["protector"]
    write_private(plan, opened["plan"])
    kept = {name: opened[name] for name in ("party", "proposal", "run", "seed", "coin")}
    write_private(seed, json.dumps(kept, indent=2) + "\n")
    if as_json:
        write_json({"plan": str(plan), "seed": str(seed), "run": number})
        return
    what = "Sites" if protector == opened["party"] else "Plan"
    click.echo(
        f"{what} and seed of run {number} of private check {short(opened['proposal'])} are written "
        "for their reader alone.\n"
        f"  For the arbiter: deconflict private audit RECORD --plan {plan} --seed {seed} "
        "--key PARTY=INVITATION of both"
    )


def _begun(node: "NodeClient", check: str, number: int | None) -> dict[str, Any]:
    """Return a run that was begun now, that goes on already, or that is over."""
    try:
        return dict(node.post("private", check, "run", body={"run": number}))
    except LineStateError:
        # It has begun by itself, or is over: its end is what was asked for.
        shown = node.get("private", check)["shown"]
        mine = [each for each in shown if number in (None, each["run"])]
        going = [each["run"] for each in mine if each["state"] == "RUNNING"]
        over = [each["run"] for each in mine if each["state"] in _OVER]
        if not (going or over):
            raise
        return dict(node.get("private", check, str((going or over[::-1])[0])))


def _followed(ctx: click.Context, node: "NodeClient", found: dict[str, Any]) -> dict[str, Any]:
    name, number = found["check"]["proposal"], found["run"]["run"]
    done = 0
    try:
        steps = found["run"]["steps"]
        with progress(f"Private check with {clean(found['check']['peer'])}", steps) as bar:
            unheard_s = 0.0
            while found["run"]["state"] not in _OVER:
                time.sleep(_LOOK_S)
                try:
                    found = dict(node.get("private", name, str(number)))
                except NodeUnreachableError:
                    # The run goes on without us, and after a restart too: look again for a while.
                    unheard_s += 1.0
                    if unheard_s > _PATIENCE_S:
                        raise
                    time.sleep(1.0)
                    continue
                unheard_s = 0.0
                now = found["run"]["done"] or done
                bar.advance(now - done)
                done = now
            bar.finish()
    except KeyboardInterrupt:
        node.post("private", name, "cancel", body={"run": number})
        click.echo("\nended by hand, on both sides: what was not found is NOT CHECKED", err=True)
        ctx.exit(EXIT_INTERRUPTED)
    return found


def _shown(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        write_json(found)
        return
    check, run_ = found["check"], found["run"]
    drill = "DRILL. " if check["drill"] else ""
    outcome = outcome_of(run_) if run_["outcome"] else _NOT_YET[run_["state"]]
    colour = {"HIT": "red", "NOT_CHECKED": "yellow"}.get(run_["stands"] or "")
    click.echo(
        drill
        + click.style(outcome, fg=colour, bold=True)
        + f"  private check {short(check['proposal'])} with {clean(check['peer'])}, run "
        f"{run_['run']}, {when(run_['start_utc'])} to {when(run_['end_utc'])}"
    )
    mediated = check["mediator"] is not None
    if run_["outcome"] == "NOT_CHECKED" or (run_["outcome"] == "HIT" and mediated):
        click.echo(sentences(run_["text"].partition(". ")[2], indent=2))
    elif run_["outcome"] != "HIT" or run_["reason"] or run_["fallen"]:
        click.echo(sentences(run_["text"], indent=2))
    if run_["sorties"] is not None:
        click.echo(f"  Own sorties checked: {run_['sorties']}")
    for hit in (*found["hits"], *found["at_sites"]):
        click.echo(f"\n{sentences(hit['text'], indent=2)}")
    if found["hits"]:
        click.echo(
            "\n  Where theirs is, your node does not know: within the minima and one cell of each "
            "of these."
        )
    show_looks(found)
    if run_["picked"]:
        click.echo("  Both coins picked this run to be opened to the arbiter.")
    if run_["coin_kept"]:
        click.echo("  The peer did not open its coin: that counts as a failed audit.")
