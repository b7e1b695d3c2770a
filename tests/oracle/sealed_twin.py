"""The slow obvious twin of the kernel of private checks: whole numbers of Python, one by one.

Written from RFC 9496 (the group), RFC 9380 §5.3.1 (hashing), RFC 9497 (the protocol, all three
modes) and specs/private-check.md (what comes from the seed). Nothing of the code under test is
imported. Neither fast nor constant-time: for tests alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from hashlib import sha512

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def negative(x: int) -> bool:
    return x % P % 2 == 1


def absolute(x: int) -> int:
    return -x % P if negative(x) else x % P


def sqrt_ratio(u: int, v: int) -> tuple[bool, int]:
    """RFC 9496 §4.2: whether u/v is a square, and its root, or that of SQRT_M1·u/v."""
    r = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * r * r % P
    flipped = check in (-u % P, -u * SQRT_M1 % P)
    square = check in (u % P, -u % P)
    return square, absolute(r * SQRT_M1 if flipped else r)


INVSQRT_A_MINUS_D = sqrt_ratio(1, -1 - D)[1]
ONE_MINUS_D_SQ = (1 - D * D) % P
D_MINUS_ONE_SQ = (D - 1) ** 2 % P


def root_ad_minus_one() -> int:
    """The root that RFC 9496 §4.1 lists, which is the odd one."""
    root = sqrt_ratio(-D - 1, 1)[1]
    listed = 25063068953384623474111414158702152701244531502492656460079210482610430750235
    assert listed in (root, P - root)
    return listed


SQRT_AD_MINUS_ONE = root_ad_minus_one()


@dataclass(frozen=True)
class Element:
    """A point in extended coordinates that stands for an element of ristretto255."""

    x: int
    y: int
    z: int
    t: int

    def __add__(self, other: "Element") -> "Element":
        a = (self.y - self.x) * (other.y - other.x) % P
        b = (self.y + self.x) * (other.y + other.x) % P
        c = 2 * D * self.t * other.t % P
        d = 2 * self.z * other.z % P
        e, f, g, h = b - a, d - c, d + c, b + a
        return Element(e * f % P, g * h % P, f * g % P, e * h % P)

    def __rmul__(self, scalar: int) -> "Element":
        result, doubled = IDENTITY, self
        while scalar:
            if scalar & 1:
                result = result + doubled
            doubled, scalar = doubled + doubled, scalar >> 1
        return result

    def encode(self) -> bytes:
        """RFC 9496 §4.3.2."""
        u1 = (self.z + self.y) * (self.z - self.y) % P
        u2 = self.x * self.y % P
        _, invsqrt = sqrt_ratio(1, u1 * u2 * u2 % P)
        den1, den2 = invsqrt * u1 % P, invsqrt * u2 % P
        z_inv = den1 * den2 * self.t % P
        rotate = negative(self.t * z_inv)
        if rotate:
            x, y = self.y * SQRT_M1 % P, self.x * SQRT_M1 % P
            den_inv = den1 * INVSQRT_A_MINUS_D % P
        else:
            x, y, den_inv = self.x, self.y, den2
        if negative(x * z_inv):
            y = -y % P
        return absolute(den_inv * (self.z - y)).to_bytes(32, "little")


IDENTITY = Element(0, 1, 1, 0)


def decode(encoded: bytes) -> Element | None:
    """RFC 9496 §4.3.1; None where it is the encoding of nothing."""
    s = int.from_bytes(encoded, "little")
    if s >= P or negative(s):
        return None
    ss = s * s % P
    u1, u2 = (1 - ss) % P, (1 + ss) % P
    v = (-D * u1 * u1 - u2 * u2) % P
    square, invsqrt = sqrt_ratio(1, v * u2 * u2 % P)
    den_x = invsqrt * u2 % P
    x = absolute(2 * s * den_x)
    y = u1 * invsqrt * den_x * v % P
    t = x * y % P
    if not square or negative(t) or y == 0:
        return None
    return Element(x, y, 1, t)


def known(encoded: bytes) -> Element:
    element = decode(encoded)
    assert element is not None
    return element


GENERATOR = known(bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"))


def one_way_map(uniform: bytes) -> Element:
    """RFC 9496 §4.3.4."""
    return _map(uniform[:32]) + _map(uniform[32:])


def _map(half: bytes) -> Element:
    t = (int.from_bytes(half, "little") & (2**255 - 1)) % P
    r = SQRT_M1 * t * t % P
    u = (r + 1) * ONE_MINUS_D_SQ % P
    v = (-1 - r * D) * (r + D) % P
    square, s = sqrt_ratio(u, v)
    if not square:
        s = -absolute(s * t) % P
    c = -1 if square else r
    n = (c * (r - 1) * D_MINUS_ONE_SQ - v) % P
    w0, w1 = 2 * s * v % P, n * SQRT_AD_MINUS_ONE % P
    w2, w3 = (1 - s * s) % P, (1 + s * s) % P
    return Element(w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P)


def expand_message_xmd(message: bytes, dst: bytes, length: int) -> bytes:
    """RFC 9380 §5.3.1 with SHA-512."""
    dst_prime = dst + bytes([len(dst)])
    first = sha512(bytes(128) + message + length.to_bytes(2, "big") + b"\0" + dst_prime).digest()
    blocks = [sha512(first + b"\1" + dst_prime).digest()]
    while 64 * len(blocks) < length:
        mixed = bytes(a ^ b for a, b in zip(first, blocks[-1], strict=True))
        blocks.append(sha512(mixed + bytes([len(blocks) + 1]) + dst_prime).digest())
    return b"".join(blocks)[:length]


def weighted_sum(weights: Sequence[int], points: Sequence[Element]) -> Element:
    weighted = (weight * point for weight, point in zip(weights, points, strict=True))
    return reduce(Element.__add__, weighted, IDENTITY)


def framed(part: bytes) -> bytes:
    return len(part).to_bytes(2, "big") + part


@dataclass(frozen=True)
class Suite:
    """RFC 9497 §3 and §4.1; modes are 0 (OPRF), 1 (VOPRF) and 2 (POPRF)."""

    mode: int

    @property
    def context(self) -> bytes:
        return b"OPRFV1-" + bytes([self.mode]) + b"-ristretto255-SHA512"

    def hash_to_group(self, message: bytes) -> Element:
        return one_way_map(expand_message_xmd(message, b"HashToGroup-" + self.context, 64))

    def hash_to_scalar(self, message: bytes, dst: bytes = b"HashToScalar-") -> int:
        return int.from_bytes(expand_message_xmd(message, dst + self.context, 64), "little") % L

    def derive_key(self, seed: bytes, info: bytes) -> int:
        for counter in range(256):
            key = self.hash_to_scalar(seed + framed(info) + bytes([counter]), b"DeriveKeyPair")
            if key:
                return key
        raise AssertionError("no key")

    def tweak(self, info: bytes) -> int:
        return self.hash_to_scalar(b"Info" + framed(info))

    def composites(
        self, key: Element, c: Sequence[Element], d: Sequence[Element]
    ) -> tuple[Element, Element]:
        seed = sha512(framed(key.encode()) + framed(b"Seed-" + self.context)).digest()
        weights = [
            self.hash_to_scalar(
                framed(seed)
                + place.to_bytes(2, "big")
                + framed(one.encode())
                + framed(other.encode())
                + b"Composite"
            )
            for place, (one, other) in enumerate(zip(c, d, strict=True))
        ]
        return weighted_sum(weights, c), weighted_sum(weights, d)

    def challenge(self, *points: Element) -> int:
        said = b"".join(framed(point.encode()) for point in points)
        return self.hash_to_scalar(said + b"Challenge")

    def prove(
        self, secret: int, key: Element, c: Sequence[Element], d: Sequence[Element], nonce: int
    ) -> bytes:
        m, z = self.composites(key, c, d)
        challenge = self.challenge(key, m, z, nonce * GENERATOR, nonce * m)
        response = (nonce - challenge * secret) % L
        return challenge.to_bytes(32, "little") + response.to_bytes(32, "little")

    def holds(self, key: Element, c: Sequence[Element], d: Sequence[Element], proof: bytes) -> bool:
        challenge = int.from_bytes(proof[:32], "little")
        response = int.from_bytes(proof[32:], "little")
        if challenge >= L or response >= L:
            return False
        m, z = self.composites(key, c, d)
        t2 = response * GENERATOR + challenge * key
        t3 = response * m + challenge * z
        return self.challenge(key, m, z, t2, t3) == challenge


def finalized(message: bytes, info: bytes | None, element: Element) -> bytes:
    said = framed(message) + (b"" if info is None else framed(info)) + framed(element.encode())
    return sha512(said + b"Finalize").digest()


POPRF = Suite(2)
BEFORE = bytes(32)


def derived(
    label: str, seed: bytes, ssid: bytes, slot: int, index: int, statement: bytes = b""
) -> bytes:
    """specs/private-check.md §3."""
    said = f"deconflict/1 sealed {label}\n".encode() + seed + ssid
    return sha512(said + slot.to_bytes(4, "big") + index.to_bytes(4, "big") + statement).digest()


def derived_scalar(
    label: str, seed: bytes, ssid: bytes, slot: int, index: int, statement: bytes = b""
) -> int:
    return int.from_bytes(derived(label, seed, ssid, slot, index, statement), "little") % L


def info_of(ssid: bytes, slot: int) -> bytes:
    return ssid + slot.to_bytes(4, "big")


def secret_key(seed: bytes) -> int:
    return POPRF.derive_key(derived("key", seed, BEFORE, 0, 0)[:32], b"deconflict/1 sealed key")


def public_key(seed: bytes) -> bytes:
    return (secret_key(seed) * GENERATOR).encode()


def tags(seed: bytes, ssid: bytes, cells: Mapping[int, Sequence[bytes]], length: int = 12) -> bytes:
    """The sender's own tags, of cells in order, slots ascending; or more of their outputs."""
    said = b""
    for slot, own in sorted(cells.items()):
        info = info_of(ssid, slot)
        inverse = pow(secret_key(seed) + POPRF.tweak(info), -1, L)
        for cell in own:
            said += finalized(cell, info, inverse * POPRF.hash_to_group(cell))[:length]
    return said


def padded(
    seed: bytes, ssid: bytes, slot: int, cells: Sequence[bytes], per_slot: int, length: int
) -> list[bytes]:
    pads = [
        derived("pad", seed, ssid, slot, index)[:length].ljust(length, b"\0")
        for index in range(len(cells), per_slot)
    ]
    return [*cells, *pads]


def blinded(
    seed: bytes, ssid: bytes, cells: Mapping[int, Sequence[bytes]], per_slot: int, length: int
) -> bytes:
    """The receiver's points."""
    said = b""
    for slot, own in sorted(cells.items()):
        for index, cell in enumerate(padded(seed, ssid, slot, own, per_slot, length)):
            blind = derived_scalar("blind", seed, ssid, slot, index)
            said += (blind * POPRF.hash_to_group(cell)).encode()
    return said


def elements(points: bytes) -> list[Element]:
    return [known(points[begin : begin + 32]) for begin in range(0, len(points), 32)]


def evaluated(
    seed: bytes, ssid: bytes, slots: Sequence[int], per_slot: int, points: bytes
) -> tuple[bytes, bytes]:
    """The sender's answer: points, and a proof for each slot."""
    asked, said, proofs = elements(points), b"", b""
    for place, slot in enumerate(slots):
        d = asked[place * per_slot : (place + 1) * per_slot]
        t = (secret_key(seed) + POPRF.tweak(info_of(ssid, slot))) % L
        inverse = pow(t, -1, L)
        c = [inverse * point for point in d]
        key = t * GENERATOR
        statement = b"".join(e.encode() for e in (key, *POPRF.composites(key, c, d)))
        nonce = derived_scalar("nonce", seed, ssid, slot, 0, statement)
        said += b"".join(point.encode() for point in c)
        proofs += POPRF.prove(t, key, c, d, nonce)
    return said, proofs
