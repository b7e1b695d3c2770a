"""Parties with roots for tests: keys that are the same each time, changes made in one line."""

from deconflict.line.key_change import ChangeReason, KeyChange, asked_change, signed_by_root
from deconflict.line.key_ring import KeyRing, OwnKeys
from deconflict.line.keys import SigningKey, line_id
from deconflict.line.restored import LineIdentity
from deconflict.line.root import Root
from line_talk import BLUE, LINE, RED

CUSTODIANS = tuple(SigningKey.from_seed(bytes([number]) * 32) for number in (60, 61, 62))
ROOT = Root([key.verify_key for key in CUSTODIANS], 2)
SECOND, THIRD = (SigningKey.from_seed(bytes([number]) * 32) for number in (70, 71))
THIEF = SigningKey.from_seed(b"\x63" * 32)

assert line_id("blue", BLUE.key_id, "red", RED.key_id) == LINE


def asked(
    number: int = 1,
    key: SigningKey = SECOND,
    reason: ChangeReason = ChangeReason.ROTATED,
    *,
    party: str = "blue",
    first: str = BLUE.key_id,
    root: Root = ROOT,
) -> KeyChange:
    """Return a request that no custodian has signed."""
    return asked_change(
        party=party,
        first=first,
        root=root,
        number=number,
        key=key,
        reason=reason,
        created_utc="2015-09-30T00:00:00.000Z",
    )


def signed(request: KeyChange, *custodians: SigningKey, root: Root = ROOT) -> KeyChange:
    """Return a request signed by custodians; by the first two where none are named."""
    for custodian in custodians or CUSTODIANS[:2]:
        request = signed_by_root(request, root, custodian)
    return request


def changed(
    number: int = 1, key: SigningKey = SECOND, reason: ChangeReason = ChangeReason.ROTATED
) -> KeyChange:
    """Return a change of blue's key that holds."""
    return signed(asked(number, key, reason))


def blue_identity(keys: OwnKeys) -> LineIdentity:
    """Return blue's end of the line before any change came in force on it."""
    return LineIdentity(
        LINE,
        "blue",
        "red",
        BLUE,
        KeyRing("red", RED.verify_key),
        KeyRing("blue", BLUE.verify_key, ROOT),
        keys,
    )


def red_identity(root: Root | None = ROOT) -> LineIdentity:
    """Return red's end, which pinned blue with its root, or without one."""
    pinned = KeyRing("blue", BLUE.verify_key, root)
    own = KeyRing("red", RED.verify_key)
    return LineIdentity(LINE, "red", "blue", RED, pinned, own, OwnKeys(RED))
