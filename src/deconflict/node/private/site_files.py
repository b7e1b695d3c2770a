"""Protected sites that this party holds, whom it answers about them, and how much was asked.

In the same folder as the other secrets of private checks, for the owner's eyes only::

    private/sites.json              the list, its decoys, and what may be asked
    private/consent-<line>.json     whether the peer of a line is answered, and until when
    private/asked.json              how much was asked, by each line and by all together

What was asked is on the disk before an answer leaves: after a crash it counts still. It lives as
long as the list: to change the list keeps it, to clear the list forgets it. A list without it is
answered to nobody: a lost count is not one of nothing.
"""

from pathlib import Path
from typing import Final

import msgspec

from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.airspace.position import Position
from deconflict.errors import CheckRefusedError, InvalidDocumentError, InvalidGeometryError
from deconflict.node.private.files import SecretFolder, line_name
from deconflict.sealed.grid import Grid
from deconflict.sealed.plane import Plane
from deconflict.sealed.probing import (
    NOTHING_ASKED,
    Asked,
    Consent,
    ProbeCaps,
    admitted,
    require_consent,
)
from deconflict.sealed.sites import Site, decoys
from deconflict.sealed.tubes import Area

__all__ = ["ConsentGiven", "HeldSite", "SiteCaps", "SiteFiles", "SitesFile", "given_until"]

_ALL: Final = "*"
_COUNTED: Final = 256  # runs whose count is known by name: many more than can be under way
_MOST_A_DAY: Final = 1_000_000


class HeldSite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One protected site: a place, and how far from it others must stay."""

    label: str
    lat_e7: int
    lon_e7: int
    radius_mm: int

    def __repr__(self) -> str:
        """Say that it is one, and nothing of it."""
        return "HeldSite(...)"


class SiteCaps(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be asked of the list.

    Attributes:
        points_a_query: squares at once.
        queries_a_day: by one party, from midnight to midnight UTC.
        share_per_mille: of the grid, by one party, for as long as the list lives.
        share_all_per_mille: by all together, who may tell one another.
    """

    points_a_query: int
    queries_a_day: int
    share_per_mille: int
    share_all_per_mille: int

    def of_one(self, domain: int) -> ProbeCaps:
        """Return what one party may ask of a grid of so many squares.

        Raises:
            InvalidInputError: a number is out of range.
        """
        return ProbeCaps(self.points_a_query, self.queries_a_day, domain, self.share_per_mille)

    def of_all(self, domain: int) -> ProbeCaps:
        """Return what all together may."""
        return ProbeCaps(self.points_a_query, _MOST_A_DAY, domain, self.share_all_per_mille)


class SitesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The list of this party. Never shown to another, not even in errors.

    Attributes:
        set_utc: since when it is this.
        sites: the most important first.
        decoys: how many sites that are none stand among them in a check.
        secret: from which the decoys follow, 64 hex digits; as old as the list.
        caps: what may be asked.
    """

    set_utc: str
    sites: tuple[HeldSite, ...]
    decoys: int
    secret: str
    caps: SiteCaps

    def on(self, grid: Grid) -> tuple[Site, ...]:
        """Return the list as sites on the plane of a grid, decoys behind the real ones.

        The plane shortens distances and never lengthens them: who is within a radius on the Earth
        is within it here.

        Raises:
            InvalidGeometryError: a site lies on the other half of the Earth.
        """
        plane = Plane(grid.origin)
        real = tuple(_site(each, plane, grid) for each in self.sites)
        labels = tuple(each.label for each in self.sites) or ("",)
        radius_mm = max((each.radius_mm for each in self.sites), default=0)
        false = decoys(
            bytes.fromhex(self.secret), self.decoys, grid, radius_mm=radius_mm, labels=labels
        )
        return (*real, *false)

    def __repr__(self) -> str:
        """Say since when it is, and nothing of it."""
        return f"SitesFile({self.set_utc!r}, ...)"


class ConsentGiven(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That the peer of a line is answered about sites.

    Attributes:
        peer: whom.
        from_utc, until_utc: from when, and until when; the end is not included.
        by: the account that gave it.
        withdrawn_utc: since when not any more; None while it stands.
        withdrawn_by: the account that withdrew it.
    """

    peer: str
    from_utc: str
    until_utc: str
    by: str
    withdrawn_utc: str | None = None
    withdrawn_by: str | None = None

    def withdrawn(self, at_utc: str, by: str) -> "ConsentGiven":
        """Return that it does not stand any more."""
        return msgspec.structs.replace(self, withdrawn_utc=at_utc, withdrawn_by=by)

    @property
    def consent(self) -> Consent:
        """The same as it is judged."""
        withdrawn = self.withdrawn_utc
        return Consent(
            self.peer,
            parse_utc(self.from_utc),
            parse_utc(self.until_utc),
            None if withdrawn is None else parse_utc(withdrawn),
        )


class _AskedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    by_line: dict[str, Asked]
    counted: tuple[str, ...]


class SiteFiles(SecretFolder):
    """The list, the consents, and what was asked."""

    # ---- the list --------------------------------------------------------------------------

    def sites(self) -> SitesFile | None:
        """Return the list; None where this party holds none.

        Raises:
            ConfigurationError: others than the owner may read the file.
            InvalidDocumentError: it is damaged.
        """
        return self.read(self._list_path, SitesFile)

    def set_sites(self, sites: SitesFile) -> None:
        """Keep the list in the place of the one before it."""
        asked = self.folder / "asked.json"
        if not self._list_path.exists() and not asked.exists():
            self.write(asked, _AskedFile({}, ()))  # first: no list is ever without it
        self.write(self._list_path, sites)

    def clear(self) -> bool:
        """Forget the list, every consent, and what was asked; True when there was a list."""
        if not self.folder.is_dir():
            return False
        # In this order: whenever it crashes, no consent is left without a list, no list uncounted.
        for path in sorted(self.folder.glob("consent-*.json")):
            self.erase(path)
        found = self.erase(self._list_path)
        self.erase(self.folder / "asked.json")
        return found

    # ---- consent ---------------------------------------------------------------------------

    def consent(self, line_id: str) -> ConsentGiven | None:
        """Return the last consent for a line, withdrawn or over as it may be."""
        return self.read(self._consent_path(line_id), ConsentGiven)

    def set_consent(self, line_id: str, given: ConsentGiven) -> None:
        """Keep a consent, or that it was withdrawn."""
        self.write(self._consent_path(line_id), given)

    def require_consent(self, line_id: str, peer: str, now_ms: int) -> None:
        """Return when the peer of a line is answered now.

        Raises:
            CheckRefusedError: it is not. ``NO_CONSENT``.
        """
        given = self.consent(line_id)
        require_consent(() if given is None else (given.consent,), peer, now_ms=now_ms)

    def has_consent(self, line_id: str, peer: str, now_ms: int) -> bool:
        """True exactly when the peer of a line is answered now."""
        try:
            self.require_consent(line_id, peer, now_ms)
        except CheckRefusedError:
            return False
        return True

    # ---- what was asked --------------------------------------------------------------------

    def asked(self, line_id: str) -> Asked:
        """Return what was asked on a line."""
        return self._asked().by_line.get(line_id, NOTHING_ASKED)

    def asked_by_all(self) -> Asked:
        """Return what was asked on all lines."""
        return self._asked().by_line.get(_ALL, NOTHING_ASKED)

    def require_admitted(
        self, caps: SiteCaps, line_id: str, grid: Grid, points: int, now_ms: int
    ) -> dict[str, Asked]:
        """Return what was asked once this query counts too; nothing is counted yet.

        Raises:
            CheckRefusedError: it is more than may be asked. ``OVER_CAP``.
        """
        domain, asked = grid.columns * grid.rows, self._asked().by_line
        return {
            name: admitted(allowed, asked.get(name, NOTHING_ASKED), points=points, now_ms=now_ms)
            for name, allowed in ((line_id, caps.of_one(domain)), (_ALL, caps.of_all(domain)))
        }

    def count(
        self, run: str, peer: str, line_id: str, grid: Grid, points: int, now_ms: int
    ) -> None:
        """Count what a run asks, once; on the disk when this returns.

        Raises:
            CheckRefusedError: there is no consent, no list, or it is more than may be asked.
        """
        self.require_consent(line_id, peer, now_ms)
        sites = self.sites()
        if sites is None:
            raise CheckRefusedError("no list of sites is held any more", reason="NO_SITES")
        held = self._asked()
        if run in held.counted:
            return  # before a crash, which came before the answer
        now = self.require_admitted(sites.caps, line_id, grid, points, now_ms)
        counted = (*held.counted, run)[-_COUNTED:]
        self.write(self.folder / "asked.json", _AskedFile(held.by_line | now, counted))

    # ---- inside ----------------------------------------------------------------------------

    @property
    def _list_path(self) -> Path:
        return self.folder / "sites.json"

    def _asked(self) -> _AskedFile:
        found = self.read(self.folder / "asked.json", _AskedFile)
        if found is None and self._list_path.exists():
            raise InvalidDocumentError(
                "how much was asked about the protected sites is not known any more",
                given=f"no {self.folder / 'asked.json'}",
                expected="what this node wrote when the list was set",
                remedy="put the file back, or clear the list and set it anew: it is NOT CHECKED",
            )
        return found or _AskedFile({}, ())

    def _consent_path(self, line_id: str) -> Path:
        return self.folder / f"consent-{line_name(line_id)}.json"


def given_until(peer: str, by: str, now_ms: int, until_ms: int) -> ConsentGiven:
    """Return a consent from now on."""
    return ConsentGiven(peer, format_utc(now_ms), format_utc(until_ms), by)


def _site(held: HeldSite, plane: Plane, grid: Grid) -> Site:
    place = Position(held.lat_e7, held.lon_e7)
    middle = plane.place_mm(place.lat_deg, place.lon_deg)
    if middle is None:
        raise InvalidGeometryError("a protected site lies on the other half of the Earth")
    floor, start = grid.floor_tmm, grid.start_ms
    return Site(
        held.label, (Area(((middle, middle),), (), 0, floor, floor, start, start),), held.radius_mm
    )
