"""What a certificate of a plan says, told to people and to programs."""

from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from deconflict.cli.advice_certificate import Certificate, check_again, read_certificate
from deconflict.cli.output import clean, count, feet, metres, write_json
from deconflict.cli.screen_words import show_found
from deconflict.units import TMM_PER_METRE

__all__ = ["check_certificate", "show_certified"]


def check_certificate(file: Path, *, as_json: bool) -> bool:
    """Screen the files of a certificate again and tell; True exactly when conflicts are left.

    Raises:
        InvalidDocumentError: it is no certificate.
        NotFoundError, VerificationError: it does not hold.
    """
    certificate = read_certificate(file)
    found = check_again(certificate, file.parent)
    if as_json:
        write_json(
            {
                "holds": True,
                "flights": len(found.flights),
                "volumes": len(found.volumes),
                "findings_left": len(found),
                # By what it is free: whoever trusts the line above has to see it.
                "minima": msgspec.to_builtins(certificate.minima),
                "altitudes": msgspec.to_builtins(certificate.altitudes),
                "altitude_reference": certificate.altitude_reference,
                "within_parties": certificate.within_parties,
            }
        )
        return len(found) > 0
    files = [one.file for one in certificate.files]
    if certificate.changed is not None:
        files.append(certificate.changed.file)
    click.echo(
        click.style("The certificate holds: ", bold=True)
        + "its files are those that were screened, and a screen finds what it says."
    )
    click.echo(f"Screened again: {clean(', '.join(files))}.")
    for said in _by_what(certificate):
        click.echo(said)
    click.echo()
    show_found(found, out=None, hint=False)
    return len(found) > 0


def _by_what(certificate: Certificate) -> Iterator[str]:
    """Yield by which minima and conversions, and between whom, it was screened: as it says."""
    for one in certificate.minima:
        between = " and ".join(clean(name) for name in one.between)
        who = f"Minima between {between}" if one.between[1:] else f"Minima within {between}"
        yield (
            f"{who if between else 'Minima'}: {metres(one.lateral_m)} and "
            f"{feet(one.vertical_tmm / TMM_PER_METRE)}."
        )
    for known in certificate.altitudes:
        least, most = (_signed(tmm) for tmm in (known.least_tmm, known.most_tmm))
        yield f"Altitudes, {known.source} to {known.to}: {least} to {most} are added."
    if not certificate.altitudes:
        yield "Altitudes of different references: not compared."
    if certificate.altitude_reference is not None:
        yield f"Altitudes of which no reference is said: taken as {certificate.altitude_reference}."
    yield (
        "Flights of one party: held against each other."
        if certificate.within_parties
        else "Flights of one party: not held against each other."
    )
    if not all(file.may_change for file in certificate.files):
        yield "Two that both stay as they were: not counted."


def _signed(tmm: int) -> str:
    return f"{'−' if tmm < 0 else '+'}{feet(tmm / TMM_PER_METRE)}"


def show_certified(made: Certificate, file: Path) -> None:
    """Tell what a certificate that was just written says."""
    what = count(made.flights, "flight")
    if made.volumes:
        what += f" and {count(made.volumes, 'volume')}"
    click.echo(
        f"\nThe certificate is in {file}: a screen of the files as they are then, {what}, finds "
        + click.style(count(made.findings_left, "conflict"), bold=bool(made.findings_left))
        + f".\nScreen them again: deconflict advise --check-certificate {file}"
    )
