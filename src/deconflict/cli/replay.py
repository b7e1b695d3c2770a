"""``deconflict replay``: incidents played through real node cores, expected against raised."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deconflict.cli.command import EXIT_FINDING, command
from deconflict.cli.options import as_json_option
from deconflict.cli.output import count, progress, table, when, write_json
from deconflict.errors import InvalidInputError

if TYPE_CHECKING:
    from deconflict.replay.judge import Judged

__all__ = ["replay"]


@command(
    "replay",
    example="deconflict replay scenarios/DEZ-2016-09-17.json\ndeconflict replay scenarios --runs 3",
)
@click.argument(
    "scenarios",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="SCENARIO...",
)
@click.option(
    "--runs",
    type=click.IntRange(1, 100),
    default=2,
    show_default=True,
    metavar="N",
    help="How often to play each case; after the first, arrivals within a second are shuffled.",
)
@as_json_option
@click.pass_context
def replay(ctx: click.Context, scenarios: tuple[Path, ...], runs: int, as_json: bool) -> None:
    """Play incidents through real node cores; compare what is raised with what should be.

    A SCENARIO is a case, or a folder of cases; common.json stands beside it. No network and no
    running node are needed: each party gets a core of its own, and all share a virtual clock.

    Verdicts: met, MISSED (not raised, or too late), FORBIDDEN (raised and must not be), needs watch
    (begins with a live track; listed, never skipped). Exit code 1 says MISSED or FORBIDDEN.
    """
    from deconflict.replay.case import read_case, read_common
    from deconflict.replay.judge import replay as play_and_judge

    cases = [
        (case, common)
        for file, common in ((file, read_common(file)) for file in _files(scenarios))
        for case in read_case(file, common)
    ]
    rows: list[Judged] = []
    with progress("playing", len(cases)) as bar:
        for case, common in cases:
            rows += play_and_judge(case, common, runs=runs)
            bar.advance(1)
    if as_json:
        write_json({"runs": runs, "rows": rows, "counts": _counts(rows)})
    else:
        _show(rows, len(cases), runs)
    if any(row.verdict in ("MISSED", "FORBIDDEN") for row in rows):
        ctx.exit(EXIT_FINDING)


def _files(scenarios: Sequence[Path]) -> Iterator[Path]:
    for scenario in scenarios:
        if not scenario.is_dir():
            yield scenario
            continue
        cases = sorted(f for f in scenario.glob("*.json") if f.name != "common.json")
        if not cases:
            raise InvalidInputError(
                "the folder holds no case", given=str(scenario), expected="files named <id>.json"
            )
        yield from cases


def _show(rows: Sequence["Judged"], cases: int, runs: int) -> None:
    table(
        ("CASE", "RULE", "ABOUT", "LATEST", "RAISED", "AT", "VERDICT", "NOTE"),
        [
            (
                row.case,
                row.rule,
                row.subject if row.rule != "not expected" else "",
                when(row.by_utc) if row.by_utc else "",
                when(row.raised_utc) if row.raised_utc else "",
                row.raised_by or "",
                row.verdict.value,
                row.note if row.rule != "not expected" else f"{row.subject}: {row.note}",
            )
            for row in rows
        ],
    )
    counts = ", ".join(f"{number} {verdict}" for verdict, number in _counts(rows).items())
    click.echo(f"\n{count(cases, 'case')}, each played {count(runs, 'time')}: {counts}.")


def _counts(rows: Sequence["Judged"]) -> dict[str, int]:
    from deconflict.replay.judge import Verdict

    return {verdict.value: sum(row.verdict is verdict for row in rows) for verdict in Verdict}
