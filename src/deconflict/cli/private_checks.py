"""``deconflict private propose|accept|decline|cancel|status``: agree on checks, and see them."""

from pathlib import Path
from typing import Any

import click

from deconflict.cli.command import command
from deconflict.cli.options import drill_option, line_option, talks_to_node
from deconflict.cli.output import clean, count, sentences, short, span, table, when, write_json
from deconflict.cli.private_words import OUTCOMES, STATES
from deconflict.cli.sending import show_posted
from deconflict.errors import InvalidInputError

__all__ = ["accept", "cancel", "decline", "propose", "status"]


@command(
    "propose",
    example="deconflict private propose --line red\n"
    "deconflict private propose --line red --start 2015-09-30T06:00:00Z --runs 7\n"
    "deconflict private propose --refine 7c1e09af --run 0\n"
    "deconflict private propose --sites --line red\n"
    "deconflict private propose --sites --protect --line red",
)
@click.option("--start", metavar="TIME", help="When the first period begins; else the next one.")
@click.option(
    "--runs", type=click.IntRange(1, 366), default=1, show_default=True, help="Periods in a row."
)
@click.option("--refine", metavar="CHECK", help="A closer look at what a run of CHECK hit.")
@click.option(
    "--run", "run", type=click.IntRange(0), default=0, help="With --refine: which run; the first."
)
@click.option(
    "--parts",
    type=click.IntRange(2, 64),
    metavar="N",
    help="With --refine: into how many the sides of a cell are cut; else the next finer grid.",
)
@click.option(
    "--sites",
    is_flag=True,
    help="Check what `private plan` holds against protected sites of the peer.",
)
@click.option("--protect", is_flag=True, help="With --sites: the sites are yours, the peer plans.")
@click.option(
    "--points",
    type=click.IntRange(17, 65_535),
    default=1_024,
    show_default=True,
    help="With --sites: squares asked about, pads included.",
)
@click.option(
    "--bucket",
    type=click.IntRange(64, 1 << 20),
    default=65_536,
    show_default=True,
    help="With --sites: squares that the list is padded to.",
)
@click.option(
    "--label",
    type=click.IntRange(0, 1_024),
    default=64,
    show_default=True,
    metavar="BYTES",
    help="With --sites: how long what is said of a site may be; 0 for nothing.",
)
@line_option
@drill_option
@talks_to_node
def propose(
    start: str | None,
    runs: int,
    refine: str | None,
    run: int,
    parts: int | None,
    sites: bool,
    protect: bool,
    points: int,
    bucket: int,
    label: int,
    line: str | None,
    drill: bool | None,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Propose a private check of a period, of several in a row, or a closer look at one.

    Both sides learn which of their own cells and times come too close to the other's plan, and
    nothing else. A closer look tells the peer in which slots something was hit. With --sites a
    planner alone learns where its plan comes near protected sites; NO HIT is no permission.
    """
    from deconflict.cli.client import NodeClient
    from deconflict.cli.typed import time_wire

    if sites and (start is not None or runs != 1 or refine is not None):
        raise InvalidInputError(
            "a check of sites is one run that begins when it is accepted",
            expected="--sites without --start, --runs and --refine",
        )
    if protect and not sites:
        raise InvalidInputError("--protect says whose sites are meant", expected="--sites too")
    with NodeClient.of(node_dir, account) as node:
        body: dict[str, Any] = {"runs": runs, "drill": drill}
        if sites:
            found = node.line(line)
            body = {
                "line": found["line_id"],
                "drill": drill,
                "points": points,
                "bucket": bucket,
                "label": label,
                "protector": node.get("node")["party"] if protect else None,
            }
        elif refine is not None:
            found = node.get("private", refine, str(run))
            body["line"] = found["check"]["line_id"]
            body["refines"] = _closer(found, parts)
        else:
            body["line"] = node.line(line)["line_id"]
            body["start_utc"] = None if start is None else time_wire(start)
        where = ("private", "sites", "propose") if sites else ("private", "propose")
        posted = node.post(*where, body=body)
        show_posted(node, posted, as_json=as_json)
        if not as_json and posted["hash"]:
            click.echo(f"  How it goes on: deconflict private status {short(posted['hash'])}")
            _say_plan(node.get("private", posted["hash"]))
            if protect:
                _say_consent(node.get("private", "sites"), body["line"])


@command("accept", example="deconflict private accept 7c1e09af")
@click.argument("check")
@talks_to_node
def accept(check: str, node_dir: Path | None, account: str | None, as_json: bool) -> None:
    """Take part in a check that the peer proposed; its runs begin by themselves when due."""
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        posted = node.post("private", check, "accept")
        show_posted(node, posted, as_json=as_json)
        if not as_json:
            _say_plan(node.get("private", check))


@command("decline", example="deconflict private decline 7c1e09af")
@click.argument("check")
@click.option("--reason", metavar="WORD", help="Why, as plan-withdrawn.")
@talks_to_node
def decline(
    check: str, reason: str | None, node_dir: Path | None, account: str | None, as_json: bool
) -> None:
    """Do not take part in a check that the peer proposed."""
    from deconflict.cli.client import NodeClient
    from deconflict.cli.typed import reason_number

    number = None if reason is None else reason_number(reason)
    with NodeClient.of(node_dir, account) as node:
        posted = node.post("private", check, "decline", body={"reason_number": number})
        show_posted(node, posted, as_json=as_json)


@command(
    "cancel",
    example="deconflict private cancel 7c1e09af\ndeconflict private cancel 7c1e09af --run 2",
)
@click.argument("check")
@click.option("--run", "run", type=click.IntRange(0), help="This run alone; else all to come.")
@talks_to_node
def cancel(
    check: str, run: int | None, node_dir: Path | None, account: str | None, as_json: bool
) -> None:
    """End a run of a check, or all that is to come; the peer is told.

    What was not found by then is NOT CHECKED, which is not clear. Hits stay hits.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        found = node.post("private", check, "cancel", body={"run": run})
    if as_json:
        write_json(found)
        return
    what = "All that was to come" if run is None else f"Run {run}"
    click.echo(f"{what} of private check {short(found['proposal'])} is ended on both sides.")
    click.echo("  What was not found by then is NOT CHECKED.")


@command(
    "status",
    example="deconflict private status\ndeconflict private status 7c1e09af",
)
@click.argument("check", required=False)
@talks_to_node
def status(check: str | None, node_dir: Path | None, account: str | None, as_json: bool) -> None:
    """List the private checks, or show the runs of one."""
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        found = node.get("private") if check is None else [node.get("private", check)]
    if as_json:
        write_json(found if check is None else found[0])
    elif not found:
        click.echo("No private check was proposed. To propose one: deconflict private propose")
    elif check is None:
        _list(found)
    else:
        _show(found[0])


def _closer(found: dict[str, Any], parts: int | None) -> dict[str, Any]:
    looks = found["refinements"]
    fitting = [each for each in looks if parts in (None, each["parts"])]
    if not fitting:
        raise InvalidInputError(
            "no closer look can be proposed at this run",
            given="no hit" if not looks else f"cells cut into {parts}",
            expected="a run with a hit, and one of the agreed refinements: "
            + (", ".join(str(each["parts"]) for each in looks) or "none"),
        )
    return dict(fitting[0])


def _say_plan(check: dict[str, Any]) -> None:
    if check["protector"] is not None and check["protector"] != check["peer"]:
        return  # the peer plans: what we fly does not matter
    if not check["plan_set"]:
        click.echo(
            click.style("warning: ", fg="yellow")
            + f"no plan is set for private checks with {clean(check['peer'])}: without one every "
            "run is NOT CHECKED. To set it: deconflict private plan FILE"
        )


def _say_consent(sites: dict[str, Any], line_id: str) -> None:
    """Warn who has protected sites asked about of which nothing would be answered."""
    (line,) = (each for each in sites["consents"] if each["line_id"] == line_id)
    if sites["set_utc"] is None:
        lacks, remedy = "no protected sites are held here", "sites set FILE"
    elif line["state"] != "STANDS":
        lacks, remedy = f"no consent stands for {clean(line['peer'])}", "sites consent --until TIME"
    else:
        return
    click.echo(
        click.style("warning: ", fg="yellow")
        + f"{lacks}: the check is NOT CHECKED. To change that: deconflict private {remedy}"
    )


def _list(found: list[dict[str, Any]]) -> None:
    table(
        ("CHECK", "PEER", "BY", "FIRST PERIOD", "RUNS", "STATE", "LAST RUN"),
        [
            (
                short(each["proposal"]),
                each["peer"],
                "us" if each["own"] else each["by"],
                when(each["start_utc"]),
                each["runs"],
                STATES[each["state"]],
                _last(each),
            )
            for each in found
        ],
        right=(4,),
    )


def _last(check: dict[str, Any]) -> str:
    known = [run for run in check["shown"] if run["outcome"] or run["state"] == "RUNNING"]
    if not known:
        return "-"
    run = known[-1]
    return f"{run['run']}: {OUTCOMES[run['outcome']] if run['outcome'] else 'runs'}"


def _show(check: dict[str, Any]) -> None:
    drill = "DRILL. " if check["drill"] else ""
    whose = "us" if check["own"] else clean(check["by"])
    runs = count(check["runs"], "run")
    every = (
        ""
        if check["cadence_ms"] is None or check["runs"] == 1
        else f", one every {span(check['cadence_ms'] / 1000)}"
    )
    click.echo(
        f"{drill}Private check {short(check['proposal'])} with {clean(check['peer'])}, by {whose}: "
        f"{runs}{every}, from {when(check['start_utc'])}. {STATES[check['state']]}."
    )
    if check["refines"] is not None:
        look = check["refines"]
        click.echo(
            f"  A closer look at run {look['run']} of {short(look['of'])}: "
            f"{count(len(look['slots']), 'slot')}, cells cut into {look['parts']}."
        )
    if check["protector"] is not None:
        click.echo(f"  An activity against protected sites of {clean(check['protector'])}.")
    if check["fault"] is not None:
        click.echo(f"  Nothing of it can be run: {clean(check['fault'])}.")
    _say_plan(check)
    if not check["shown"]:
        return
    click.echo()
    table(
        ("RUN", "PERIOD", "TO", "STATE"),
        [
            (run["run"], when(run["start_utc"]), when(run["end_utc"]), run["text"])
            for run in check["shown"]
        ],
        right=(0,),
    )
    click.echo("\n" + sentences(_MEANING, indent=0))


_MEANING = (
    "NO HIT holds for this grid and period, between what both sides committed to. NOT CHECKED is "
    "not clear."
)
