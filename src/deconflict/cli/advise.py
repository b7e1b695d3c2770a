"""``deconflict advise``: what change of one's own plan would end a conflict; nothing is sent."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from deconflict.cli.command import EXIT_FINDING, command
from deconflict.cli.options import as_written_option, existing_file, talks_to_node
from deconflict.cli.output import write_json
from deconflict.cli.table_options import minima_options, reading_options
from deconflict.cli.written import force_option, require_free, write_file
from deconflict.errors import InvalidInputError

if TYPE_CHECKING:
    from deconflict.advise import ChangeKind, SearchLimits

__all__ = ["advise"]

KINDS: Final = ("shift", "level", "offset")
GEOJSON: Final = (".geojson", ".json")


@command(
    "advise",
    example="deconflict advise\n"
    "deconflict advise --conflict 5c1e09af\n"
    "deconflict advise tomorrow.geojson --max-shift 15min --picture tomorrow.svg\n"
    "deconflict advise fleet.parquet --against theirs.csv --minima 5NM,1000ft \\\n"
    "    --together --out freed.geojson --certificate freed.json\n"
    "deconflict advise --check-certificate freed.json",
)
@click.argument("files", nargs=-1, type=existing_file, metavar="[FILE]...")
@click.option(
    "--against",
    multiple=True,
    type=existing_file,
    metavar="FILE",
    help="With --minima or --terms: plans that stay as they are; repeat it.",
)
@minima_options
@reading_options
@click.option(
    "--conflict",
    metavar="ID",
    help="Only your declaration in this conflict; the beginning of its id, or of its alert's.",
)
@click.option(
    "--together",
    is_flag=True,
    help="Change as many as needed so that all are free together; the first are changed last.",
)
@click.option(
    "--by",
    default="shift,level,offset",
    show_default=True,
    metavar="KINDS",
    help="Which changes to look for; with --together, in this order.",
)
@click.option("--max-shift", default="30min", show_default=True, metavar="TIME", help="Each way.")
@click.option("--shift-step", default="1s", show_default=True, metavar="TIME", help="In steps of.")
@click.option(
    "--max-level", default="4000ft", show_default=True, metavar="HEIGHT", help="Up and down."
)
@click.option(
    "--level-step", default="1000ft", show_default=True, metavar="HEIGHT", help="In steps of."
)
@click.option(
    "--max-offset", default="20NM", show_default=True, metavar="DISTANCE", help="To each side."
)
@click.option(
    "--offset-step", default="1NM", show_default=True, metavar="DISTANCE", help="In steps of."
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="GEOJSON",
    help="Write the changed declarations: the first option of each, or with --together the plan.",
)
@click.option(
    "--certificate",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --together and --out, of files alone: screen all files as they are then, and write "
    "what was screened, how, and what was found.",
)
@click.option(
    "--check-certificate",
    "checked",
    type=existing_file,
    metavar="FILE",
    help="Screen the files of a certificate again, and nothing else.",
)
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="SVG",
    help="Draw what is planned and the same changed (the first option of each, or the plan).",
)
@force_option
@as_written_option
@talks_to_node
@click.pass_context
def advise(
    ctx: click.Context,
    files: tuple[Path, ...],
    against: tuple[Path, ...],
    minima: tuple[str, ...],
    terms: Path | None,
    altitudes: tuple[str, ...],
    reference: str | None,
    within_parties: bool,
    ignore: tuple[str, ...],
    conflict: str | None,
    together: bool,
    by: str,
    max_shift: str,
    shift_step: str,
    max_level: str,
    level_step: str,
    max_offset: str,
    offset_step: str,
    out: Path | None,
    picture: Path | None,
    certificate: Path | None,
    checked: Path | None,
    force: bool,
    as_written: bool,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Look for changes of your own plans that end their conflicts; sends nothing.

    Without files: of everything of yours that is declared now. With files, of any format that
    `deconflict screen` reads: of the drafts in them, against what your node holds declared. With
    --conflict: of the one declaration of yours that stands in it, all others as they are. With
    --minima or --terms: of files alone, no node needed.

    Each change was made, and what came out was screened against everything, before it is shown.
    A shift moves the whole flight in time. A change of level moves all of it but an end from which
    it climbs or to which it descends; so does an offset. Two kinds together are shown only where no
    single one does.

    Exit code 0 says that nothing conflicts, or that there is a change for each; 1 that something
    conflicts and none is within the limits, or that a certificate does not hold.
    """
    from deconflict.cli.advising import Asked
    from deconflict.cli.situation import Reading, from_files, from_node
    from deconflict.separation.flights import reference_of

    if checked is not None:
        from deconflict.cli.advice_check import check_certificate

        if files or against or minima or terms:
            raise InvalidInputError(
                "what is to be checked?",
                given="--check-certificate with files or minima",
                expected="the certificate alone: it says which files and which minima",
            )
        if check_certificate(checked, as_json=as_json):
            ctx.exit(EXIT_FINDING)
        return
    read = [*files, *against, *([terms] if terms else [])]
    require_free(out, picture, certificate, force=force, read=read)
    if out is not None and out.suffix.lower() not in GEOJSON:
        raise InvalidInputError(
            "changed declarations are written as GeoJSON",
            given=f"--out {out.name}",
            expected=f"a name that ends with {' or '.join(GEOJSON)}",
            remedy="deconflict screen reads it beside files of any other format",
        )
    order = _kinds(by)
    steps = (max_shift, shift_step, max_level, level_step, max_offset, offset_step)
    limits = _limits(steps, order)
    alone = bool(minima or terms)
    _check_use(files, against, conflict, altitudes, alone=alone, within_parties=within_parties)
    if certificate is not None:
        _require_certifiable(alone=alone, together=together, out=out)
    reading = Reading(reference_of(reference), frozenset(ignore))
    if alone:
        from deconflict.cli.said_terms import said_terms

        said, conversions = said_terms(minima, terms, altitudes)
        situation = from_files(
            files, against, said, conversions, reading=reading, within_parties=within_parties
        )
        asked = Asked(situation, limits, order)
        told = asked.together() if together else asked.each_alone()
    else:
        from deconflict.cli.client import NodeClient

        with NodeClient.of(node_dir, account) as node:
            situation = from_node(node, files, conflict=conflict, reading=reading)
            asked = Asked(situation, limits, order, node=node, as_written=as_written)
            told = asked.together() if together else asked.each_alone()
    left = told.left
    if as_json:
        write_json(told.view)
    else:
        told.show()
    if out is not None:
        write_file(out, asked.as_geojson(told.changed))
    if picture is not None:
        from deconflict.cli.advice_picture import draw_changes

        write_file(picture, draw_changes(asked.situation, told.changed).encode())
    if not as_json:
        for file, what in ((out, "changed declarations are"), (picture, "picture is")):
            if file is not None:
                click.echo(f"\nThe {what} in {file}.")
    if certificate is not None and out is not None:
        from deconflict.cli.advice_certificate import certified
        from deconflict.cli.advice_check import show_certified

        named = situation.named()
        made = certified(
            files,
            against,
            out,
            [(named[e.key], c) for e, c in zip(told.changed, told.changes, strict=True)],
            said=said,
            conversions=conversions,
            reading=reading,
            within_parties=within_parties,
        )
        write_file(certificate, made.to_json())
        left = left or made.findings_left > 0
        if not as_json:
            show_certified(made, certificate)
    if left:
        ctx.exit(EXIT_FINDING)


def _check_use(
    files: Sequence[Path],
    against: Sequence[Path],
    conflict: str | None,
    altitudes: Sequence[str],
    *,
    alone: bool,
    within_parties: bool,
) -> None:
    """Refuse options that say nothing together, before anything is read."""
    if conflict is not None and (files or alone):
        raise InvalidInputError(
            "what may change?",
            given="--conflict with " + ("FILE" if files else "--minima"),
            expected="--conflict alone, for what is declared; or files",
        )
    for option, there in (
        ("--against", against),
        ("--altitudes", altitudes),
        ("--within-parties", within_parties),
    ):
        if there and not alone:
            raise InvalidInputError(
                "which minima?",
                given=f"{option} without --minima or --terms",
                expected="--minima LATERAL,VERTICAL, such as 5NM,1000ft",
            )
    if alone and not files:
        raise InvalidInputError("which files?", expected="FILE, whose declarations may change")


def _require_certifiable(*, alone: bool, together: bool, out: Path | None) -> None:
    """Refuse a certificate of what nobody could screen again from files."""
    wanted = (("--minima or --terms", alone), ("--together", together), ("--out", out is not None))
    missing = [option for option, there in wanted if not there]
    if missing:
        raise InvalidInputError(
            "of what is the certificate?",
            given="--certificate" + "".join(f" without {option}" for option in missing),
            expected="--together --out FILE --certificate FILE with --minima or --terms",
        )


def _kinds(text: str) -> tuple["ChangeKind", ...]:
    from deconflict.advise import ChangeKind

    names = [name.strip().lower() for name in text.split(",")]
    if not set(names) <= set(KINDS) or len(set(names)) < len(names):
        raise InvalidInputError(
            "the kinds of change cannot be read",
            given=text,
            expected=f"some of {', '.join(KINDS)}, each once, with commas between",
        )
    return tuple(ChangeKind(name.upper()) for name in names)


def _limits(steps: Sequence[str], order: Sequence["ChangeKind"]) -> "SearchLimits":
    """Return the limits as typed; kinds that are not looked for get none."""
    from deconflict.advise import ChangeKind, SearchLimits
    from deconflict.airspace.quantity import parse_distance, parse_duration, parse_height

    shift, shift_step, level, level_step, offset, offset_step = steps
    shift_ms = parse_duration(shift) if ChangeKind.SHIFT in order else 0
    level_tmm = parse_height(level) if ChangeKind.LEVEL in order else 0
    offset_mm = parse_distance(offset) if ChangeKind.OFFSET in order else 0
    return SearchLimits(
        earlier_ms=shift_ms,
        later_ms=shift_ms,
        shift_step_ms=parse_duration(shift_step),
        down_tmm=level_tmm,
        up_tmm=level_tmm,
        level_step_tmm=parse_height(level_step),
        left_mm=offset_mm,
        right_mm=offset_mm,
        offset_step_mm=parse_distance(offset_step),
    )
