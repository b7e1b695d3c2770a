"""For how long a node's keys and certificates are good, and when that is told."""

import os
import time
from pathlib import Path

from bench.nodes import free_port

from deconflict.node.folder import DAY_MS, NodeFolder
from deconflict.node.settings import Endpoint, Settings
from deconflict.node.tending.certificates import CertificateView, certificates_of

NOW_MS = time.time_ns() // 1_000_000


def folder(path: Path, party: str) -> NodeFolder:
    return NodeFolder.create(
        path,
        Settings(party=party, desks=("watch",), peer_listen=Endpoint("127.0.0.1", free_port())),
        passphrase=None,
        now_utc_ms=NOW_MS,
        random_bytes=os.urandom,
    )


def at(own: NodeFolder, days: int) -> dict[str, CertificateView]:
    return {each.what: each for each in certificates_of(own, NOW_MS + days * DAY_MS)}


def test_days_are_counted_and_the_end_is_told_a_month_before(tmp_path: Path) -> None:
    own, peer = folder(tmp_path / "blue", "blue"), folder(tmp_path / "red", "red")
    invitation = peer.invite(peer.unlock(None), now_utc_ms=NOW_MS)
    own.peers().pin(invitation, invitation.verify_key.fingerprint())
    now = at(own, 0)
    assert {"CERTIFICATE", "SIGNING_KEY", "PEER_ROOT"} == now.keys()
    assert not any(each.soon for each in now.values())
    assert now["PEER_ROOT"].name == "red"
    assert now["PEER_ROOT"].pin == peer.tls_spki_sha256
    days = now["CERTIFICATE"].days_left
    assert days is not None
    assert not at(own, days - 31)["CERTIFICATE"].soon
    assert at(own, days - 30)["CERTIFICATE"].soon
    over = at(own, days + 5)["CERTIFICATE"]
    assert over.soon
    assert over.days_left == -5
    assert at(own, 60)["SIGNING_KEY"].soon


def test_a_certificate_that_cannot_be_read_is_told_and_hides_no_other(tmp_path: Path) -> None:
    own = folder(tmp_path / "blue", "blue")
    (own.path / "keys" / "tls.pem").write_text("no certificate")
    found = at(own, 0)
    assert found["CERTIFICATE"].soon
    assert found["CERTIFICATE"].problem
    assert found["SIGNING_KEY"].days_left is not None
