"""What `deconflict verify` shows of incidents, and of files that are said to be evidence."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deconflict.cli.incident import show_incident
from deconflict.cli.incident_say import sha256_of
from deconflict.cli.output import clean, count, fields, short, when

if TYPE_CHECKING:
    from deconflict.node.bundle_incidents import NamedFile, RecordedIncidents, RecordedSummary
    from deconflict.node.incident_views import IncidentView

__all__ = ["CheckedFile", "check_files", "show_pages", "show_recorded"]


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file as it is now, and who named it in the record."""

    file: str
    sha256: str
    length_bytes: int
    named: tuple["NamedFile", ...]


def check_files(files: Iterable[Path], recorded: "RecordedIncidents") -> list[CheckedFile]:
    """Return each file with the messages of the record that name it as evidence."""
    checked = []
    for file in files:
        sha256, size = sha256_of(file)
        checked.append(CheckedFile(str(file), sha256, size, recorded.named(sha256, size)))
    return checked


def show_recorded(summary: "RecordedSummary", checked: list[CheckedFile]) -> None:
    """Print what a record holds of incidents; nothing where it holds nothing."""
    told = [
        f"{count(summary.incidents, 'incident')}, {count(summary.accounts, 'account')}",
        f"{count(summary.files, 'file')} named as evidence",
        f"{count(summary.breach_notes, 'breach note')}",
    ]
    same = summary.tallies_compared - len(summary.tallies_differing)
    differ = ", ".join(short(each) for each in summary.tallies_differing)
    fields(
        (
            ("what happened", "; ".join(told) if _any(summary) else None),
            ("tallies", _tallies(summary, same, differ) if summary.tallies else None),
        )
    )
    for each in checked:
        if not each.named:
            click.echo(
                click.style("NOT NAMED", fg="red", bold=True)
                + f"  {each.file}: no message of this record names it, SHA-256 {each.sha256}"
            )
        for named in each.named:
            click.echo(
                click.style("NAMED", fg="green", bold=True)
                + f"  {each.file} is the file that {clean(named.by)} named as evidence of incident "
                f"{short(named.incident_id, 8)}, {when(named.created_utc)}, in "
                f"{short(named.message)}"
            )


def show_pages(pages: Iterable["IncidentView"]) -> None:
    """Print each incident of a record as a node prints it."""
    from msgspec import to_builtins

    for page in pages:
        click.echo()
        show_incident(to_builtins(page))


def _any(summary: "RecordedSummary") -> bool:
    return bool(summary.incidents or summary.accounts or summary.breach_notes)


def _tallies(summary: "RecordedSummary", same: int, differ: str) -> str:
    told = f"{summary.tallies}, of which {same} as the record gives"
    return f"{told}; it gives another count than {differ}" if differ else told
