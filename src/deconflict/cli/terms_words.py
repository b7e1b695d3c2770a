"""Terms on a terminal: whole, and before them what a proposal changes."""

from itertools import groupby

import click

from deconflict.cli.output import clean, fields
from deconflict.messages.terms import Terms
from deconflict.messages.terms_rows import changed_rows, terms_rows

__all__ = ["show_terms"]


def show_terms(terms: Terms, in_force: Terms | None = None) -> None:
    """Print terms whole; before them, what they change against those in force."""
    changed: dict[tuple[str, str], str] = {}
    if in_force is not None:
        changed = {
            (each.section, each.name): f"was {each.was}, proposed {each.proposed}"
            for each in changed_rows(terms, in_force, "en")
        }
        click.echo(click.style(f"CHANGES version {in_force.version}, in force:", bold=True))
        fields(
            [
                (f"{section.upper()}: {clean(name)}", value)
                for (section, name), value in changed.items()
            ],
            indent=2,
        )
        if not changed:
            click.echo("  nothing but the order in which things are listed")
        click.echo()
    for section, rows in groupby(terms_rows(terms, "en"), key=lambda row: row.section):
        click.echo(click.style(section.upper(), bold=True))
        fields(
            [(clean(row.name), changed.get((section, row.name), row.value)) for row in rows],
            indent=2,
        )
