"""``deconflict replay``: incidents played through real node cores, and records told as they stood.

Which of the two follows from what the files are.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.command import EXIT_FINDING, command
from deconflict.cli.options import as_json_option
from deconflict.cli.output import count, progress, table, when, write_json
from deconflict.cli.replay_record import Wanted, is_record, replay_records, typed_instant
from deconflict.cli.trusted import optional_key_option
from deconflict.cli.written import force_option, require_free
from deconflict.errors import InvalidInputError
from deconflict.messages.words import LANGUAGES

if TYPE_CHECKING:
    from deconflict.replay.judge import Judged

__all__ = ["replay"]


@command(
    "replay",
    example="deconflict replay scenarios/DEZ-2016-09-17.json\n"
    "deconflict replay scenarios --runs 3\n"
    "deconflict replay blue.deconflict red.deconflict --at 2015-10-03T00:04Z \\\n"
    "    --key blue=blue.invitation --key red=red.invitation --picture knew.svg\n"
    "deconflict replay blue.deconflict --timeline --from 2015-10-03T00:00Z \\\n"
    "    --key blue=blue.invitation --key red=red.invitation",
)
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="BUNDLE...|SCENARIO...",
)
@click.option("--at", metavar="TIME", help="UTC: what did each side know at this instant?")
@click.option("--timeline", is_flag=True, help="Every message: when said, by when provably held.")
@click.option("--from", "start", metavar="TIME", help="With --timeline: not what was said before.")
@click.option("--to", "end", metavar="TIME", help="With --timeline: not what was said after.")
@optional_key_option
@click.option(
    "--last",
    type=click.IntRange(1, 10_000),
    metavar="N",
    help="How many messages are told one by one, or drawn: the latest. 20, or 200 of a timeline.",
)
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw the two sides as two lanes into this .svg file, each message a line between them.",
)
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    help="Of what is printed of a bundle. [default: en]",
)
@click.option(
    "--runs",
    type=click.IntRange(1, 100),
    metavar="N",
    help="How often to play each case; after the first, arrivals within a second are shuffled. "
    "[default: 2]",
)
@force_option
@as_json_option
@click.pass_context
def replay(
    ctx: click.Context,
    files: tuple[Path, ...],
    at: str | None,
    timeline: bool,
    start: str | None,
    end: str | None,
    keys: tuple[str, ...],
    last: int | None,
    picture: Path | None,
    language: str | None,
    runs: int | None,
    force: bool,
    as_json: bool,
) -> None:
    """Play incidents through real node cores; tell from a record what each side knew, and when.

    Which of the two it does follows from what the files are.

    A BUNDLE is a record that `deconflict export` wrote: one side's, or that of each. It is verified
    first, and nothing is told of one that does not verify. Then --at says what each side provably
    knew at an instant, and what was in force, open and overdue as far as it knew; --timeline lists
    every message: when its author's stamp says it was said, by when and by what it is proven that
    the other side held it, when it was seen and answered. "Not provably" is what it says: the
    message may have come. Exit code 1 says that a record does not verify, that two of them differ
    in what was said, or that a side signed to hold what its own record has not. An instant behind
    the end of a record is answered from what it holds, and that is said.

    A SCENARIO is a case, or a folder of cases; common.json stands beside it. No network and no
    running node are needed: each party gets a core of its own, and all share a virtual clock.
    What is raised is compared with what should be: met, MISSED (not raised, or too late), FORBIDDEN
    (raised and must not be), needs watch (begins with a live track; listed, never skipped). Exit
    code 1 says MISSED or FORBIDDEN.
    """
    asked = {
        "--at": at,
        "--timeline": timeline,
        "--from": start,
        "--to": end,
        "--key": keys,
        "--last": last,
        "--picture": picture,
        "--language": language,
    }
    records = [is_record(file) for file in files]
    if any(records):
        require_free(picture, force=force)
        _require(all(records), "a record and a scenario are not replayed together", files)
        _refuse({"--runs": runs}, "a record is told, not played")
        _replay_records(ctx, files, asked, as_json=as_json)
        return
    _refuse(asked, "these options are for the record of a line, and no file given is one")
    _play(ctx, files, 2 if runs is None else runs, as_json=as_json)


def _replay_records(
    ctx: click.Context, files: tuple[Path, ...], asked: Mapping[str, Any], *, as_json: bool
) -> None:
    at, timeline, picture = asked["--at"], asked["--timeline"], asked["--picture"]
    _require(len(files) <= 2, "a line has two sides: one record of each at most", files)
    _require(
        (at is None) is bool(timeline),
        "what is asked of this record?",
        files,
        "--at TIME for an instant, or --timeline for every message; one of the two",
    )
    if not timeline:
        _refuse({"--from": asked["--from"], "--to": asked["--to"]}, "--at names one instant")
    _require(
        bool(asked["--key"]),
        "a record is verified before it is told, and cannot vouch for its own keys",
        files,
        "--key PARTY=FILE for each party: its invitation, obtained from that party itself",
    )
    if picture is not None:
        _require(picture.suffix.lower() == ".svg", "pictures of a replay are .svg", [picture])
    start, end = (
        None if text is None else typed_instant(text) for text in (asked["--from"], asked["--to"])
    )
    if start is not None and end is not None and start > end:
        raise InvalidInputError(
            "no time lies between these",
            given=f"--from {asked['--from']} --to {asked['--to']}",
            expected="--from before --to",
        )
    wanted = Wanted(
        at_ms=None if at is None else typed_instant(at),
        span_ms=(start, end),
        last=asked["--last"] or (200 if timeline else 20),
        picture=picture,
        language=asked["--language"] or LANGUAGES[0],
        as_json=as_json,
    )
    replay_records(ctx, files, asked["--key"], wanted)


def _require(holds: bool, problem: str, given: Sequence[Path], expected: str = "") -> None:
    if not holds:
        names = ", ".join(map(str, given))
        raise InvalidInputError(problem, given=names, expected=expected)


def _refuse(options: Mapping[str, object], why: str) -> None:
    given = [name for name, value in options.items() if value not in (None, False, ())]
    if given:
        raise InvalidInputError(why, given=" ".join(given), expected="no such option")


def _play(ctx: click.Context, scenarios: tuple[Path, ...], runs: int, *, as_json: bool) -> None:
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
