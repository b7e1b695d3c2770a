"""What a certificate of a plan says, told to people and to programs."""

from pathlib import Path

import click

from deconflict.cli.advice_certificate import Certificate, check_again, read_certificate
from deconflict.cli.output import count, write_json
from deconflict.cli.screen_words import show_found

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
    click.echo(f"Screened again: {', '.join(files)}.")
    click.echo()
    show_found(found, out=None, hint=False)
    return len(found) > 0


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
