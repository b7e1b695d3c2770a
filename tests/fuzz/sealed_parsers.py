"""The parsers of private checks: what reads bytes of a peer, a planner, a mediator, an arbiter."""

import io
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests import sealed_talk

from deconflict.line.keys import VerifyKey
from deconflict.node.bundle_proof import verify_bundle
from deconflict.node.private.from_bundle import audited_in
from deconflict.node.private.recorded import CHECK_KINDS, RecordedRun, Verdict, read_opened
from deconflict.sealed.hello import read_hello
from deconflict.sealed.mediated import mediated_side
from deconflict.sealed.mediation import (
    MediatedMode,
    MediatedTerms,
    Mediation,
    Submission,
    read_mediated_hello,
    read_mediation,
    read_submission,
)
from deconflict.sealed.own import plan_bytes, plan_salt, read_plan
from deconflict.sealed.site_audit import read_sites
from deconflict.sealed.site_hello import SiteHello, SiteRole, SiteShape, read_site_hello
from deconflict.sealed.sites import Site, sites_bytes
from deconflict.sealed.tubes import Area

__all__ = ["SEALED"]

RING = ((0, 0), (9_000, 0), (0, 9_000))
AREA = Area(((RING[0], RING[1]),), RING, 5, 0, 900, 900_000, 905_000)


def _said(read: Callable[[bytes], Any]) -> Callable[[bytes], None]:
    """Whatever is read is written as the same bytes again."""

    def parse(data: bytes) -> None:
        assert read(data).data == data

    return parse


def _plan(data: bytes) -> None:
    assert plan_bytes(read_plan(data)) == data


def _sites(data: bytes) -> None:
    assert sites_bytes(read_sites(data)) == data


@cache
def _published() -> dict[str, Any]:
    path = Path(__file__).resolve().parents[2] / "vectors" / "bundle-parts.json"
    published: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return published


def _trusted() -> dict[str, VerifyKey]:
    return {
        party: VerifyKey.from_base64(key) for party, key in _published()["trusted_keys"].items()
    }


def _record() -> bytes:
    return "".join(line + "\n" for line in _published()["bundle"]).encode()


def _parts(data: bytes) -> None:
    """A record with a part of a private check."""
    verify_bundle([data], _trusted())


def _opened(data: bytes) -> None:
    """What a side opens: its seed file, a newline, and the canonical bytes of what it held.

    The published record stands; whatever is opened of it, an arbiter comes to a verdict.
    """
    seed, _, held = data.partition(b"\n")
    recorded = RecordedRun(read_opened(seed), held)
    record = _record()
    proven = verify_bundle([record], _trusted(), recorded.look, kinds=CHECK_KINDS)
    found = audited_in(io.BytesIO(record), proven, recorded)
    if found.verdict is Verdict.FOLLOWS and held not in _all_held():
        raise AssertionError("another list or activity follows from the same record")


def _all_held() -> tuple[bytes, ...]:
    return tuple(each["held"].encode() for each in _published()["opened"].values())


def _openings() -> Iterator[bytes]:
    for each in _published()["opened"].values():
        yield json.dumps(each["seed"]).encode() + b"\n" + each["held"].encode()


def _part_lines() -> Iterator[bytes]:
    yield from (_record(), _record().replace(b'"type":"part"', b'"type":"seal"'))


def _hellos() -> Iterator[bytes]:
    hello = sealed_talk.side("blue", [sealed_talk.stay(0, 0)]).hello.data
    yield from (hello, hello[:-1], hello.replace(b'"parts":1', b'"parts":2'))


def _plans() -> Iterator[bytes]:
    yield from (plan_bytes((sealed_talk.stay(0, 0), AREA)), plan_bytes(()), b"[{}]")


def _site_lists() -> Iterator[bytes]:
    yield from (sites_bytes([Site("hospital", (AREA,), 900)]), sites_bytes([]), b"[{}]")


def _site_hellos() -> Iterator[bytes]:
    salt = plan_salt(bytes(32)).hex()
    hello = SiteHello(
        1, SiteRole.PLANNER, "blue", SiteShape("ab" * 32, 64, 256, 24), salt, salt, salt, salt,
        sealed_talk.EXPIRES,
    )  # fmt: skip
    yield from (hello.data, hello.data[:-1], hello.data.replace(b"planner", b"nobody"))


def _mediated_hellos() -> Iterator[bytes]:
    terms = MediatedTerms("white", "ab" * 32, 1, MediatedMode.COUNT, runs=8, bucket=64)
    grid, drawn = sealed_talk.GRID, sealed_talk.drawn(1)
    side = mediated_side("blue", [], grid, terms, drawn, expires_utc=sealed_talk.EXPIRES)
    yield from (side.hello.data, side.hello.data.replace(b"count", b"list"))


def _submissions() -> Iterator[bytes]:
    made = Submission(1, "ab" * 32, "blue", "red", "white", MediatedMode.YES_NO, 8, 64, "cd" * 32)
    yield from (made.data, made.data.replace(b'"runs":8', b'"runs":1'))


def _mediations() -> Iterator[bytes]:
    hashes = {"blue": "ab" * 32, "red": "cd" * 32}
    made = Mediation(1, "ef" * 32, "white", MediatedMode.COUNT, hashes, (0, 1, 5, 0))
    yield from (made.data, made.data.replace(b"[0,", b"[-1,"))


SEALED: dict[str, tuple[Callable[[bytes], None], Callable[[], Iterator[bytes]]]] = {
    "sealed-hello": (_said(read_hello), _hellos),
    "sealed-plan": (_plan, _plans),
    "sealed-sites": (_sites, _site_lists),
    "sealed-site-hello": (_said(read_site_hello), _site_hellos),
    "sealed-mediated-hello": (_said(read_mediated_hello), _mediated_hellos),
    "sealed-submission": (_said(read_submission), _submissions),
    "bundle-parts": (_parts, _part_lines),
    "private-opened": (_opened, _openings),
    "sealed-mediation": (_said(read_mediation), _mediations),
}
