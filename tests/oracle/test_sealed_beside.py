"""Lists of sites and lists for a mediator, made a second time from the words of the specification.

``specs/private-check.md`` §10 and §11; nothing of the code under test makes the bytes here.
"""

from hashlib import blake2b, sha256, sha512, shake_256

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from nacl.bindings import crypto_scalarmult, crypto_scalarmult_base
from tests.oracle import sealed_twin as twin

from deconflict.airspace import AltitudeReference, Position
from deconflict.sealed.cover import cover
from deconflict.sealed.grid import Grid, Reach, cell_id
from deconflict.sealed.mediated import Mediated, MediatedSide, mediated_side
from deconflict.sealed.mediation import MediatedMode, MediatedTerms
from deconflict.sealed.site_check import Protector
from deconflict.sealed.site_hello import SiteShape
from deconflict.sealed.site_sides import SiteStep, SiteStepKind, planner_side, protector_side
from deconflict.sealed.sites import Site, site_squares
from deconflict.sealed.tubes import Area
from sealed_talk import EXPIRES, GRID, drawn, stay

# ---- sites -------------------------------------------------------------------------------------

FLAT = Grid(
    Position.from_degrees(35.0, 38.5), -40_000, -30_000, 10_000, 8, 6,
    AltitudeReference.AMSL, 0, 10_000, 1, 900_000, 5_000, 1, Reach(),
)  # fmt: skip
PLACE = (-15_000, 5_000)
SITES = (Site("hôpital", (Area(((PLACE, PLACE),), (), 500, 0, 1, 0, 1),), 8_000),)


@pytest.mark.parametrize("label", [0, 20])
def test_the_list_of_sites_is_that_of_the_specification(label: int) -> None:
    shape = SiteShape("cd" * 32, points=64, bucket=64, label=label)
    own = protector_side("agency", SITES, FLAT, shape, drawn(1), expires_utc=EXPIRES)
    peer = planner_side("planner", [], FLAT, shape, drawn(2), expires_utc=EXPIRES)
    protector = Protector(own, threads=1)
    protector.begin()
    protector.hear(SiteStep(SiteStepKind.HELLO, peer.hello.data))

    hellos = [sha256(side.hello.data).digest() for side in (own, peer)]
    ssid = sha256(b"deconflict/1 sealed sites\n" + hellos[0] + hellos[1]).digest()
    seed = drawn(1).seed
    squares = {cell_id(cell): "hôpital" for cell in site_squares(SITES, FLAT)}
    for n in range(1, 17):
        squares[bytes(4) + (4_096 * n - 1).to_bytes(2) + b"\xff" * 4] = ""
    cells = sorted(squares)
    outputs = twin.tags(seed, ssid, {0: cells}, length=64)
    entries = []
    for at, cell in enumerate(cells):
        output = outputs[64 * at : 64 * at + 64]
        text = squares[cell].encode()
        padded = len(text).to_bytes(2) + text + bytes(label - len(text)) if label else b""
        key = sha512(b"deconflict/1 sealed label\n" + ssid + output[12:]).digest()[:32]
        closed = ChaCha20Poly1305(key).encrypt(bytes(12), padded, ssid + output[:12])
        entries.append(output[:12] + (closed if label else b""))
    missing, size = 64 - len(cells), 18 + label if label else 0
    pads = shake_256(b"deconflict/1 sealed label pad\n" + seed + ssid).digest(missing * size)
    for n in range(missing):
        tag = twin.derived("tag", seed, ssid, 0, n)[:12]
        entries.append(tag + pads[n * size : (n + 1) * size])
    assert protector.show().data == b"".join(sorted(entries))


# ---- a mediator --------------------------------------------------------------------------------

TERMS = MediatedTerms("white", "ab" * 32, 1, MediatedMode.COUNT, runs=6, bucket=256)
PLANS = {"blue": [stay(-15_000, 5_000)], "red": [stay(-2_000, 5_000)]}


def sides() -> dict[str, MediatedSide]:
    return {
        party: mediated_side(party, plan, GRID, TERMS, drawn(number), expires_utc=EXPIRES)
        for number, (party, plan) in enumerate(PLANS.items(), 1)
    }


@pytest.mark.parametrize(("party", "peer", "number"), [("blue", "red", 1), ("red", "blue", 2)])
def test_the_lists_for_a_mediator_are_those_of_the_specification(
    party: str, peer: str, number: int
) -> None:
    own, other = sides()[party], sides()[peer]
    submitted = Mediated(own).hear_hello(other.hello.data)

    seed = drawn(number).seed
    secret = sha512(b"deconflict/1 sealed mediated x25519\n" + seed).digest()[:32]
    assert own.hello.key == crypto_scalarmult_base(secret).hex()
    mine, theirs = (sha256(side.hello.data).digest() for side in (own, other))
    session = sha256(b"deconflict/1 sealed mediated\n" + b"".join(sorted((mine, theirs)))).digest()
    assert submitted.submission.session == session.hex()
    shared = crypto_scalarmult(secret, bytes.fromhex(other.hello.key))
    key = sha512(b"deconflict/1 sealed mediated key\n" + session + shared).digest()[:32]

    def drawn_of(label: str, n: int) -> bytes:
        said = f"deconflict/1 sealed mediated {label}\n".encode() + n.to_bytes(4)
        return blake2b(said, key=key, digest_size=32).digest()

    order = sorted(range(6), key=lambda place: drawn_of("order", place))
    plan, lists = PLANS[party], []
    for run, place in enumerate(order):
        if place < 2:
            asks = (mine < theirs) == (place == 0)
            cells = cover(plan, GRID) if asks else cover(plan, GRID, GRID.minima)
            inputs = [b"cell" + cell_id(cell) for cell in cells]
        else:
            random = drawn_of("shared", place)
            bits = int.from_bytes(random[:8]) % (9 - 1)  # 256 has nine
            count = 0 if place % 2 else 1 + int.from_bytes(random[8:]) % 2**bits
            inputs = [b"shared" + n.to_bytes(4) for n in range(count)]
        tags = [blake2b(i, key=drawn_of("run", run), digest_size=16).digest() for i in inputs]
        pad = b"deconflict/1 sealed mediated pad\n" + seed + session + run.to_bytes(4)
        pads = shake_256(pad).digest(16 * 256)
        tags += [pads[16 * n : 16 * n + 16] for n in range(256 - len(tags))]
        lists.append(b"".join(sorted(tags)))
    assert submitted.lists == b"".join(lists)
