"""What is wrong with a node, in plain words and with what to do; works with the node stopped.

Nothing is repaired and nothing is changed: every check reads, knocks at a door, or writes a small
file of its own and removes it. What only a running node can know (who was heard when, how far the
clocks differ) it says itself. A fault in one file hides no other: each check looks at its own.
"""

from collections.abc import Iterator
from pathlib import Path

from deconflict.errors import ConfigurationError
from deconflict.line.keys import VerifyKey
from deconflict.node.doctor.check import OK, WARNING, WRONG, Check, told
from deconflict.node.doctor.clock import clock_check
from deconflict.node.doctor.doors import node_check, peer_checks
from deconflict.node.doctor.keys import certificate_check, key_age_check, keys_checks
from deconflict.node.doctor.storage import (
    accounts_check,
    disk_check,
    guard_check,
    record_check,
    record_in_use,
    reserve_check,
)
from deconflict.node.doctor.witnesses import witness_checks
from deconflict.node.folder import read_settings, read_tls_pin, read_verify_key
from deconflict.node.key_files import KeyFiles
from deconflict.node.peers import PeerBook, PinnedPeer
from deconflict.node.settings import Settings

__all__ = ["OK", "WARNING", "WRONG", "Check", "certificate_check", "examine", "key_age_check"]


def examine(path: Path, *, now_utc_ms: int) -> tuple[Check, ...]:
    """Return what was found, in a fixed order: folder, keys, certificate, clock, disk, data, peers.

    Args:
        path: the node's folder.
        now_utc_ms: this machine's clock.
    """
    if not path.is_dir():
        words = f"there is no node folder here: {path}"
        return (Check("folder", WRONG, words, "name the folder that `deconflict init` made"),)
    return tuple(_checks(path, now_utc_ms))


def _checks(path: Path, now_utc_ms: int) -> Iterator[Check]:
    settings = None
    try:
        settings = read_settings(path)
        yield Check("folder", OK, f"{path}, the node of {settings.party}")
    except ConfigurationError as error:
        yield Check("folder", WRONG, told(error), error.remedy or f"correct {path / 'node.toml'}")
    if settings is not None:
        in_use = record_in_use(path / "record.sqlite")
        yield node_check(settings.operators_listen, path, record_in_use=in_use)
    yield from keys_checks(path)
    yield key_age_check(path, now_utc_ms)
    yield certificate_check(path, now_utc_ms)
    yield clock_check(path, now_utc_ms)
    yield disk_check(path)
    if settings is not None:
        yield reserve_check(path, settings.reserve_mib)
    yield from _of_party(path, settings)


def _of_party(path: Path, settings: Settings | None) -> Iterator[Check]:
    """Look at the record and the peers as far as settings and keys let it."""
    own_key = _own_key(path)
    if settings is None or own_key is None:
        words = "not verified: node.toml or the public signing key cannot be read"
        yield Check("record", WARNING, words, "put that right, then ask again")
        yield accounts_check(path / "accounts.sqlite")
        return
    root = None
    try:
        root = KeyFiles(path / "keys", settings.party, own_key).root()
    except ConfigurationError as error:
        yield Check("keys", WRONG, told(error), error.remedy)
    try:
        peers = PeerBook(path / "peers", settings.party, own_key, _own_pin(path)).list()
        fault = None
    except ConfigurationError as error:
        peers, fault = (), error
    if fault is None:
        yield record_check(path / "record.sqlite", settings.party, own_key, peers, root)
    else:
        words = "not verified: the key of a pinned peer cannot be read"
        yield Check("record", WARNING, words, "put right what is said of the peers, then ask again")
    guard = path / settings.guard_path
    yield guard_check(guard, path / "record.sqlite", own_key.key_id)
    yield accounts_check(path / "accounts.sqlite", settings.release_persons)
    if fault is not None:
        yield Check("peers", WRONG, told(fault), fault.remedy)
    else:
        yield from _peers(peers)
        yield from witness_checks(path, settings, own_key, peers)


def _peers(peers: tuple[PinnedPeer, ...]) -> Iterator[Check]:
    if not peers:
        words = "none is pinned: there is nobody to talk to"
        yield Check("peers", WARNING, words, "deconflict peer add THEIR.invitation")
    for peer in peers:
        yield from peer_checks(peer)


def _own_key(path: Path) -> VerifyKey | None:
    try:
        return read_verify_key(path)
    except ConfigurationError:  # said of the keys
        return None


def _own_pin(path: Path) -> str:
    try:
        return read_tls_pin(path)
    except ConfigurationError:  # said of the certificate; no peer has an empty pin
        return ""
