"""``deconflict private audit``: did a side of a private check say what it opened gives?"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from deconflict.cli.command import EXIT_FINDING, command, show_error
from deconflict.cli.options import as_json_option, existing_file
from deconflict.cli.output import clean, count, fields, progress, short, write_json
from deconflict.cli.trusted import key_option, pieces_of, read_keys, read_roots, require_each_key
from deconflict.errors import InvalidDocumentError, InvalidInputError, VerificationError

if TYPE_CHECKING:
    from deconflict.node.private.recorded import AuditedRun, OpenedRun
    from deconflict.node.private.recorded_modes import Warned

__all__ = ["audit"]

_MOST_SEED_BYTES = 4_096
_MOST_PLAN_BYTES = 64 * 1024 * 1024
_SHOWN = 20
_COLOURS = {"FOLLOWS": "green", "DEVIATES": "red", "NOT_AUDITED": "yellow"}


@command(
    "audit",
    example="deconflict private audit record.deconflict --plan plan.json --seed seed.json \\\n"
    "    --key blue=blue.invitation --key red=red.invitation\n"
    "deconflict private audit record.deconflict --plan sites.json --seed seed.json --json \\\n"
    "    --key blue=blue.invitation --key red=red.invitation",
)
@click.argument("bundle", type=existing_file)
@click.option(
    "--plan",
    type=existing_file,
    required=True,
    metavar="FILE",
    help="The plan it opened; of who protects sites, its list.",
)
@click.option(
    "--seed",
    type=existing_file,
    required=True,
    metavar="FILE",
    help="The seed it opened, which says of which party, check and run.",
)
@click.option(
    "--run",
    "number",
    type=click.IntRange(0),
    metavar="N",
    help="The run that you mean to audit; a seed of another one is refused.",
)
@key_option
@as_json_option
@click.pass_context
def audit(
    ctx: click.Context,
    bundle: Path,
    plan: Path,
    seed: Path,
    number: int | None,
    keys: tuple[str, ...],
    as_json: bool,
) -> None:
    """Look offline whether what a side said in a run follows from what it opened.

    For the arbiter. The record is verified as `deconflict verify` does, then the side that opened
    the run is computed again from its plan and seed (`deconflict private open` wrote them), and
    each of its steps is compared with the signed one, byte for byte. Of a check of sites, a planner
    shows so what it asked about and was warned of, a protector that it showed its list whole.

    FOLLOWS (exit code 0): nothing that it said is another than its plan and seed give. DEVIATES
    (exit code 1): the step is named. NOT AUDITED (exit code 1): the record does not hold what it
    takes, and nobody is cleared. Exit code 1 under FOLLOWS means that the other side said something
    that had to be refused.

    That the plan is the one that was flown, or that the list lacks nothing that is protected, no
    computation shows: it is the one that was committed to before the run.
    """
    from deconflict.node.bundle_proof import verify_bundle
    from deconflict.node.private.from_bundle import audited_in
    from deconflict.node.private.recorded import CHECK_KINDS, RecordedRun

    opened = _opened(seed, number)
    recorded = RecordedRun(opened, _read(plan, _MOST_PLAN_BYTES, "a plan").removesuffix(b"\n"))
    trusted, roots = read_keys(keys), read_roots(keys)
    require_each_key(bundle, trusted)
    try:
        with bundle.open("rb") as file, progress("Verifying", bundle.stat().st_size) as bar:
            pieces = pieces_of(file, bar)
            proven = verify_bundle(pieces, trusted, recorded.look, roots, kinds=CHECK_KINDS)
    except (VerificationError, InvalidDocumentError) as error:
        if not as_json:
            click.echo(click.style("NOT VERIFIED", fg="red", bold=True) + f"  {bundle}")
        show_error(error, as_json=as_json)
        ctx.exit(EXIT_FINDING)
    with bundle.open("rb") as file:
        found = audited_in(file, proven, recorded)
    if as_json:
        from msgspec import to_builtins

        write_json(to_builtins(found))
    else:
        _show(found)
    if found.verdict != "FOLLOWS" or found.peer_deviates:
        ctx.exit(EXIT_FINDING)


def _opened(seed: Path, number: int | None) -> "OpenedRun":
    from deconflict.node.private.recorded import read_opened

    opened = read_opened(_read(seed, _MOST_SEED_BYTES, "a seed"))
    if number not in (None, opened.run):
        raise InvalidInputError(
            "this seed is of another run",
            given=f"{seed}: run {opened.run}",
            expected=f"run {number}",
            remedy="ask the party for the seed of that run",
        )
    return opened


def _read(path: Path, most: int, what: str) -> bytes:
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise InvalidDocumentError(
            f"{what} of a private check is never as long as this file",
            given=str(path),
            expected=f"at most {most:,} bytes",
        )
    return data


def _show(found: "AuditedRun") -> None:
    """Print what was found."""
    verdict = found.verdict.replace("_", " ")
    more = len(found.warned) - _SHOWN
    click.echo(
        click.style(verdict, fg=_COLOURS[found.verdict], bold=True)
        + f"  {clean(found.party)} in run {found.run} of private check {short(found.proposal)}\n"
    )
    fields(
        (
            (clean(found.party), _said_of(found)),
            (clean(found.peer), _said_of_peer(found)),
            ("its list", _list(found)),
            ("the run showed it", _outcome(found)),
            *(("it was warned of", _warning(each)) for each in found.warned[:_SHOWN]),
            ("more warnings", f"{more:,}: --json shows them" if more > 0 else None),
            ("ended early", "; ".join(f"{clean(who)}: {why}" for who, why in found.ended) or None),
            ("missing parts", f"{len(found.missing):,}" if found.missing else None),
            ("both coins", None if found.protector else _picked(found)),
        )
    )


def _said_of(found: "AuditedRun") -> str:
    if found.deviates:
        return found.deviates
    if found.because:
        return f"nothing can be said of it: {found.because}"
    steps = count(found.steps, "step")
    return f"all of its {steps} follow from its {_held(found)} and seed, byte for byte"


def _said_of_peer(found: "AuditedRun") -> str:
    if found.peer_deviates:
        return f"it said what had to be refused: {found.peer_deviates}"
    if found.protector == found.peer:
        return "nothing that it said had to be refused; what it protects, only its own list shows"
    return "nothing that it said had to be refused; what it flew, only its own plan and seed show"


def _held(found: "AuditedRun") -> str:
    if found.protector is None:
        return "plan"
    return "list of sites" if found.protector == found.party else "activity"


def _list(found: "AuditedRun") -> str | None:
    if found.sites is None or found.decoys is None:
        return None
    return f"{count(found.sites, 'protected site')} and {count(found.decoys, 'decoy')}"


def _warning(warned: "Warned") -> str:
    label = "a site whose label does not open" if warned.label is None else clean(warned.label)
    return f"{label or 'a site without a label'}: {count(warned.squares, 'square')} of its activity"


def _outcome(found: "AuditedRun") -> str | None:
    if found.outcome == "HIT":
        what = "cell" if found.protector is None else "square"
        return f"HIT: {count(found.hits, what)} of its own"
    return found.outcome and found.outcome.replace("_", " ")


def _picked(found: "AuditedRun") -> str:
    if found.picked is None:
        return "do not tell whether this run is to be opened"
    return "pick this run to be opened" if found.picked else "do not pick this run"
