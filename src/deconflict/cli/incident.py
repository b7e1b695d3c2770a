"""``deconflict incident``: the table of its commands, the list, and one incident as a page."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click

from deconflict.cli.command import Entry, LazyGroup, command
from deconflict.cli.options import line_option, talks_to_node
from deconflict.cli.output import (
    clean,
    fields,
    metres,
    sentences,
    short,
    span,
    table,
    when,
    write_json,
)

__all__ = ["RISKS", "incident", "listed", "show", "show_incident"]

incident = LazyGroup(
    "incident",
    (
        Entry("list", "incident:listed", "List the incidents, the latest first."),
        Entry("show", "incident:show", "Show one incident: every account side by side."),
        Entry("open", "incident_say:opens", "Open an incident, or correct what you opened."),
        Entry("account", "incident_say:account", "Say what happened, as your side has it."),
        Entry("evidence", "incident_say:evidence", "Name a file as evidence, or check one."),
        Entry("risk", "incident_say:risk", "Say what class of risk your side gives it."),
        Entry("breach", "incident_say:breach", "Note that something agreed was not kept."),
        Entry("tally", "incident_tally:tally", "Count a period, entry by entry; say it; compare."),
    ),
    package="deconflict.cli",
    help="What happened, as each side tells it: accounts, evidence, risk, breaches, tallies.",
    example="deconflict incident list",
)

RISKS = {
    "a": "RISK_OF_COLLISION",
    "b": "SAFETY_NOT_ASSURED",
    "c": "NO_RISK_OF_COLLISION",
    "d": "UNDETERMINED",
    "e": "USUAL_MARGINS_HELD",
}
_LETTERS = {risk: letter.upper() for letter, risk in RISKS.items()}


@command("list", example="deconflict incident list")
@talks_to_node
def listed(node_dir: Path | None, account: str | None, as_json: bool) -> None:
    """List the incidents, the latest first.

    RISK is the class each side gives it now: A risk of collision, B safety not assured, C no risk,
    D undetermined, E usual margins held. A dash: that side gave none.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        found = node.get("incidents")
    if as_json:
        write_json(found)
        return
    if not found:
        click.echo("No incident is open. Open one: deconflict incident open")
        return
    from deconflict.messages.bodies import said_names

    table(
        ("AT", "ID", "WHAT", "OPENED BY", "WITH", "ACCOUNTS", "EVIDENCE", "RISK", "DIFFER IN"),
        [
            (
                when(row["at_utc"]),
                short(row["incident_id"]),
                ("DRILL " if row["drill"] else "") + row["words"],
                row["opened_by"],
                row["peer"],
                sum(row["accounts"].values()),
                row["evidence"],
                _letters(row["risk"]),
                ", ".join(said_names(row["differing"])) or None,
            )
            for row in found
        ],
        right=(5, 6),
    )


@command("show", example="deconflict incident show 1c2d3e4f")
@click.argument("incident_id", metavar="ID")
@line_option
@talks_to_node
def show(
    incident_id: str,
    line: str | None,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Show one incident: every account side by side.

    Fields that differ are marked with !=. Nothing is repaired and none of the accounts is chosen:
    figures that cannot be are kept and said to be so.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        view = node.incident(incident_id, line=line)
        language = "en" if as_json else node.get("node")["language"]
    if as_json:
        write_json(view)
        return
    show_incident(view, language)


def show_incident(view: dict[str, Any], language: str = "en") -> None:
    """Print one incident as a page, its headings in the language of its sentences."""
    from deconflict.messages.phrases import set_apart, wording

    words = wording(language)["terms"]["page"]
    apart = partial(set_apart, language=language)
    drill = f"{words['DRILL']} " if view["drill"] else ""
    what = clean(f"{drill}{view['words']}")
    by = clean(f"{apart(when(view['at_utc']))}, {words['OPENED_BY']} {apart(view['opened_by'])}")
    click.echo(f"{click.style(what, bold=True)}  {by}\n")
    click.echo(sentences(view["text"], indent=2) + "\n")
    opened = f"{words['MESSAGE']} {apart(short(view['opened_message']))}"
    fields(
        (
            (words["INCIDENT"], view["incident_id"]),
            (words["LINE"], f"{words['WITH']} {apart(view['peer'])}"),
            (words["NEAR"], view["place"]["from_landmark"]),
            (words["OPENED"], f"{apart(when(view['opened_utc']))}, {opened}"),
            (words["CORRECTED"], _corrected(view, words, apart)),
            *(
                (f"{words['RISK']}, {apart(party)}", _risk(view, party, language))
                for party in view["risk"]
            ),
        )
    )
    _show_accounts(view, words)
    _show_apart(view, words)
    _show_evidence(view, words)
    _show_breaches(view, words)


def _letters(risk: dict[str, str | None]) -> str:
    return " ".join(
        f"{party} {_LETTERS.get(given, given) if given else '-'}" for party, given in risk.items()
    )


def _corrected(
    view: dict[str, Any], words: Mapping[str, str], apart: Callable[[str], str]
) -> str | None:
    same = view["stated_message"] == view["opened_message"]
    return None if same else f"{words['BY_MESSAGE']} {apart(short(view['stated_message']))}"


def _risk(view: dict[str, Any], party: str, language: str) -> str:
    from deconflict.messages.phrases import set_apart, word_for, wording
    from deconflict.messages.values import ValueType

    words: Mapping[str, str] = wording(language)["terms"]["page"]
    given = [each for each in view["risks"] if each["by"] == party]
    if given:
        before = f", {words['BEFORE']} {given[-2]['words']}" if len(given) > 1 else ""
        said = set_apart(when(given[-1]["said_utc"]), language)
        return f"{given[-1]['words']} ({said}){before}"
    stated = view["risk"][party]
    if stated is None:
        return words["NONE_GIVEN"]
    return f"{word_for(ValueType.RISK, stated, language)} ({words['AS_PROPOSED']})"


def _show_accounts(view: dict[str, Any], words: Mapping[str, str]) -> None:
    accounts = view["accounts"]
    click.echo()
    if not accounts:
        click.echo(clean(words["NO_ACCOUNT"]))
        return
    said = sum(view["accounts_said"].values())
    shown = sum(1 for each in accounts if each["message"])
    more = f"; {words['MORE']}: {said - shown}" if said > shown else ""
    head = clean(f"{words['ACCOUNTS']}: {len(accounts)}{more}")
    click.echo(click.style(head + "\n", bold=True))
    told = [_written(each["fields"], words) for each in accounts]
    rows: list[tuple[object, ...]] = [
        (
            "!=" if _differs(name, view["differing"]) else "",
            name,
            *(each.get(name) for each in told),
        )
        for name in sorted({name for each in told for name in each})
    ]
    for label, key in ((words["AS_PUBLISHED"], "as_published"), (words["OBJECT"], "object_kind")):
        if any(each[key] for each in accounts):
            rows.append(("", label, *(each[key] for each in accounts)))
    rows.append(("", words["MESSAGE"], *(short(each["message"]) for each in accounts)))
    table(("", words["FIELD"].upper(), *(_head(each, words) for each in accounts)), rows)


def _head(told: dict[str, Any], words: Mapping[str, str]) -> str:
    how = "" if told["message"] else f", {words['NO_LINE']}"
    late = f", {words['LATE']}" if told["late"] else ""
    return clean(told["by"]).upper() + how + late


def _written(fields: dict[str, Any], words: Mapping[str, str]) -> dict[str, object]:
    """Return the fields of an account as a person reads them: a place is one, in degrees."""
    from deconflict.airspace.notation import echo
    from deconflict.messages.bodies import places_of

    written: dict[str, object] = {
        name: words["YES" if value else "NO"] if isinstance(value, bool) else value
        for name, value in fields.items()
    }
    for name, position in places_of(fields).items():
        del written[f"{name}_lat_e7"], written[f"{name}_lon_e7"]
        written[name] = echo(position).decimal
    return written


def _differs(name: str, differing: list[str]) -> bool:
    return not {name, f"{name}_lat_e7", f"{name}_lon_e7"}.isdisjoint(differing)


def _show_apart(view: dict[str, Any], words: Mapping[str, str]) -> None:
    apart = [
        *(
            f"{name}: {span(ms / 1000)} {words['APART']}"
            for name, ms in view["times_apart_ms"].items()
            if ms
        ),
        *(
            f"{name}: {metres(m)} {words['APART']}"
            for name, m in view["places_apart_m"].items()
            if m
        ),
        *(
            f"{odd['by']}, {odd['fields'][0]} / {odd['fields'][1]}: {odd['speed_mps']:g} m/s, "
            f"{words['OUTSIDE']} {odd['plausible_mps'][0]:g}-{odd['plausible_mps'][1]:g}; "
            f"{words['KEPT']}"
            for odd in view["implausible"]
        ),
    ]
    for each in apart:
        click.echo(click.style("  ! ", fg="yellow") + clean(each))


def _show_evidence(view: dict[str, Any], words: Mapping[str, str]) -> None:
    if not view["evidence"]:
        return
    head = clean(f"{words['EVIDENCE']}: {len(view['evidence'])}")
    click.echo(click.style(f"\n{head}\n", bold=True))
    table(
        (*(words[head].upper() for head in ("BY", "SAID", "TYPE", "BYTES")), "SHA-256"),
        [
            (
                each["by"],
                when(each["said_utc"]),
                each["media_type"],
                each["length_bytes"],
                each["sha256"],
            )
            for each in view["evidence"]
        ],
        right=(3,),
    )


def _show_breaches(view: dict[str, Any], words: Mapping[str, str]) -> None:
    if not view["breaches"]:
        return
    head = clean(f"{words['BREACHES']}:")
    click.echo(click.style(f"\n{head}\n", bold=True))
    table(
        tuple(words[head].upper() for head in ("BY", "AT", "MESSAGE", "WHAT")),
        [
            (
                each["by"],
                when(each["at_utc"]),
                short(each["message"]),
                each["words"] + (f", {words['TAKEN_BACK']}" if each["taken_back"] else ""),
            )
            for each in view["breaches"]
        ],
    )
