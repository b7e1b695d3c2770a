"""Which keys and certificates a node stands on, and for how long each is good."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from deconflict.airspace.instant import format_utc
from deconflict.errors import DeconflictError
from deconflict.node.doctor.keys import CERTIFICATE_WARNING_DAYS, KEY_DAYS
from deconflict.node.folder import DAY_MS, NodeFolder, key_since_utc_ms, read_validity
from deconflict.node.pki import validity_of_der

__all__ = ["CertificateView", "certificates_of"]


@dataclass(frozen=True, slots=True)
class CertificateView:
    """One key or certificate.

    ``what``: CERTIFICATE, with which this node is let in; SIGNING_KEY; PEER_ROOT, under which a
    peer's certificates are made; WITNESS, a key that has no end. ``days_left`` is negative once it
    is over; None where it has no end, or cannot be read, and then ``problem`` says why. ``soon``
    says that it is time to do something about it. A signing key signs on past its days.
    """

    what: str
    name: str  # of the party, or of the witness
    pin: str  # as it is pinned: a fingerprint or a key
    until_utc: str | None
    days_left: int | None
    soon: bool
    problem: str = ""


def certificates_of(folder: NodeFolder, now_utc_ms: int) -> tuple[CertificateView, ...]:
    """Return them all, own ones first. Reads files."""
    return tuple(_all(folder, now_utc_ms))


def _all(folder: NodeFolder, now_utc_ms: int) -> Iterator[CertificateView]:
    party, path = folder.settings.party, folder.path

    def looked_at(what: str, name: str, pin: str, end_ms: Callable[[], int]) -> CertificateView:
        try:
            until_ms = end_ms()
        except DeconflictError as error:
            return CertificateView(what, name, pin, None, None, soon=True, problem=error.problem)
        days = (until_ms - now_utc_ms) // DAY_MS
        soon = days <= CERTIFICATE_WARNING_DAYS
        return CertificateView(what, name, pin, format_utc(until_ms), days, soon)

    pin = folder.tls_spki_sha256
    yield looked_at("CERTIFICATE", party, pin, lambda: read_validity(path).end_ms)
    fingerprint = folder.verify_key.fingerprint()
    yield looked_at(
        "SIGNING_KEY", party, fingerprint, lambda: key_since_utc_ms(path) + KEY_DAYS * DAY_MS
    )
    for peer in folder.peers().list():
        root = peer.invitation.tls_root_der
        yield looked_at(
            "PEER_ROOT",
            peer.party,
            peer.spki_sha256,
            lambda root=root: validity_of_der(root).end_ms,  # type: ignore[misc]
        )
    for witness in folder.settings.witness:
        key = witness.key
        yield CertificateView("WITNESS", key.name, key.to_text(), None, None, soon=False)
