"""What tests of checks of sites between two nodes in memory share: blue plans, red protects."""

from deconflict.airspace.instant import format_utc
from deconflict.messages.private_bodies import PrivateMode, PrivatePropose, SitesAsked
from deconflict.node.private.site_files import HeldSite
from private_samples import FIRST_MS, CheckedPair, document
from private_talk import sortie

TERMS = document(bucket=2_048)
ASKED = SitesAsked(protector="red", points=64, bucket=1_024, label=32)


def propose_sites(checked: CheckedPair, asked: SitesAsked = ASKED) -> None:
    """Have blue ask, and red take part."""
    checked.propose(
        PrivatePropose(
            mode=PrivateMode.SITES,
            grid=TERMS.document_hash,
            start_utc=format_utc(FIRST_MS),
            runs=1,
            sites=asked,
        )
    )
    checked.accept()


def hospital(x_km: float, y_km: float) -> HeldSite:
    """A site at a place of the samples' grid."""
    (volume,) = sortie("site", x_km, y_km).geometry  # type: ignore[misc]
    place = volume.outline.center
    return HeldSite("hospital, stay away", place.lat_e7, place.lon_e7, 3_000_000)
