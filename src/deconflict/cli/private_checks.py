"""``deconflict private propose|accept|decline|cancel|status``: agree on checks, and see them."""

from pathlib import Path
from typing import Any

import click

from deconflict.cli.command import command
from deconflict.cli.options import drill_option, line_option, need_terminal, talks_to_node
from deconflict.cli.output import clean, count, sentences, short, span, table, when, write_json
from deconflict.cli.private_mediate import warn_of_mediator
from deconflict.cli.private_words import STATES, outcome_of
from deconflict.cli.sending import show_posted
from deconflict.errors import InvalidInputError

__all__ = ["accept", "cancel", "decline", "propose", "status"]


@command(
    "propose",
    example="deconflict private propose --line red\n"
    "deconflict private propose --line red --start 2015-09-30T06:00:00Z --runs 7\n"
    "deconflict private propose --refine 7c1e09af --run 0\n"
    "deconflict private propose --sites --line red\n"
    "deconflict private propose --mediator white --answer yes-no --line red\n"
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
    "--slots",
    metavar="A-B",
    help="With --refine: these slots alone, numbered from 0; the hits of the others stand.",
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
    "--mediator",
    metavar="PARTY",
    help="Have a third party, with whom both have a line, say whether plans come near.",
)
@click.option(
    "--answer",
    type=click.Choice(("yes-no", "count")),
    help="With --mediator: what both are told.",
)
@click.option(
    "--lists",
    type=click.IntRange(4, 256),
    default=16,
    show_default=True,
    help="With --mediator: lists that each sends; all but two are of dummies, to test it.",
)
@click.option(
    "--tags",
    type=click.IntRange(16, 1 << 20),
    metavar="N",
    help="With --mediator: tags of each list; else as many as the terms say without one.",
)
@click.option("--yes", is_flag=True, help="With --mediator: do not ask for a last look.")
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
    slots: str | None,
    sites: bool,
    protect: bool,
    points: int,
    bucket: int,
    mediator: str | None,
    answer: str | None,
    lists: int,
    tags: int | None,
    yes: bool,
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

    With --mediator both learn yes or no, or a count, and no cell. The mediator together with either
    party can learn everything that the other flies.
    """
    from deconflict.cli.client import NodeClient
    from deconflict.cli.typed import time_wire

    if sites and (start is not None or runs != 1 or refine is not None):
        raise InvalidInputError(
            "a check of sites is one run that begins when it is accepted",
            expected="--sites without --start, --runs and --refine",
        )
    if slots is not None and refine is None:
        raise InvalidInputError("--slots are those of a closer look", expected="--refine too")
    if (mediator is None) is not (answer is None):
        raise InvalidInputError(
            "a mediator is named with what it is asked",
            expected="--mediator PARTY --answer yes-no, or count",
        )
    if mediator is not None and (sites or runs != 1 or refine is not None):
        raise InvalidInputError(
            "a check through a mediator is one run",
            expected="--mediator without --sites, --runs and --refine",
        )
    if mediator is not None:
        warn_of_mediator(mediator)
        if not yes:
            need_terminal("a last look", "--yes")
            click.confirm(f"Propose to ask {clean(mediator)}?", abort=True, err=True)
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
        elif mediator is not None:
            body = {
                "line": node.line(line)["line_id"],
                "mediator": mediator,
                "answer": {"yes-no": "YES_NO", "count": "COUNT"}[answer or ""],
                "lists": lists,
                "bucket": tags,
                "start_utc": None if start is None else time_wire(start),
                "drill": drill,
            }
        elif refine is not None:
            found = node.get("private", refine, str(run))
            body["line"] = found["check"]["line_id"]
            body["refines"] = _closer(found, parts, None if slots is None else _stretch(slots))
        else:
            body["line"] = node.line(line)["line_id"]
            body["start_utc"] = None if start is None else time_wire(start)
        kind = ("sites",) if sites else ("mediated",) if mediator is not None else ()
        where = ("private", *kind, "propose")
        posted = node.post(*where, body=body)
        show_posted(node, posted, as_json=as_json)
        if not as_json and posted["hash"]:
            click.echo(f"  How it goes on: deconflict private status {short(posted['hash'])}")
            _say_plan(node.get("private", posted["hash"]))
            if protect:
                _say_consent(node.get("private", "sites"), body["line"])


@command("accept", example="deconflict private accept 7c1e09af")
@click.argument("check")
@click.option("--yes", is_flag=True, help="Do not ask for a last look, where a mediator is named.")
@talks_to_node
def accept(
    check: str, yes: bool, node_dir: Path | None, account: str | None, as_json: bool
) -> None:
    """Take part in a check that the peer proposed; its runs begin by themselves when due.

    Where a mediator is named, it can learn everything that you fly together with the peer.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        mediator = node.get("private", check)["mediator"]
        if mediator is not None:
            warn_of_mediator(mediator)
            if not yes:
                need_terminal("a last look", "--yes")
                click.confirm(f"Take part through {clean(mediator)}?", abort=True, err=True)
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


def _stretch(slots: str) -> range:
    """Return the slots from a first to a last, as 0-29; or one."""
    first, _, last = slots.partition("-")
    ends = (first, last or first)
    if not all(each.isascii() and each.isdigit() for each in ends):
        raise InvalidInputError("these are no slots", given=slots, expected="as 0-29, or 12")
    return range(int(ends[0]), int(ends[1]) + 1)


def _closer(found: dict[str, Any], parts: int | None, slots: range | None) -> dict[str, Any]:
    looks = found["refinements"]
    fitting = [each for each in looks if parts in (None, each["parts"])]
    if not fitting:
        raise InvalidInputError(
            "no closer look can be proposed at this run",
            given="no hit that stands and that no look is on its way to"
            if not looks
            else f"cells cut into {parts}",
            expected="a run with a hit, and one of the agreed refinements: "
            + (", ".join(str(each["parts"]) for each in looks) or "none"),
            remedy="see what stands: deconflict private show",
        )
    look = dict(fitting[0])
    if slots is None:
        return look
    kept = [each for each in look["slots"] if each in slots]
    if not kept:
        raise InvalidInputError(
            "no hit that stands is in these slots",
            given=f"{slots.start}-{slots.stop - 1}",
            expected=f"some of {look['slots'][0]} to {look['slots'][-1]}",
        )
    return look | {"slots": kept}


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
    return f"{run['run']}: {outcome_of(run) if run['outcome'] else 'runs'}"


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
    if check["mediator"] is not None:
        told = {"YES_NO": "yes or no", "COUNT": "a count"}[check["answer"]]
        click.echo(f"  Through {clean(check['mediator'])}, who tells both {told}.")
        click.echo(f"  {clean(check['warning'])}")
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
