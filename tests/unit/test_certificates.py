"""For how long a node's keys and certificates are good, and when that is told."""

import os
import time
from pathlib import Path

import pytest
from bench.nodes import free_port

from deconflict.airspace.instant import format_utc
from deconflict.node.folder import DAY_MS, NodeFolder
from deconflict.node.settings import Endpoint, Settings
from deconflict.node.tending.certificates import CertificateView, certificates_of
from node_pair import NodePair, node_pair

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


def told(pair: NodePair, own_ms: int, peer_ms: int | None = None) -> None:
    peers = {} if peer_ms is None else {pair.line_id: peer_ms}
    work = pair.blue.core.certificates_end(own_ms, peers, pair.world.now)
    pair.world.commit(pair.blue, work)


@pytest.mark.parametrize(
    ("days", "urgency"),
    [(31, None), (30, "ROUTINE"), (14, "PRIORITY"), (7, "PRIORITY"), (1, "IMMEDIATE")],
)
def test_both_desks_are_told_in_time_that_a_certificate_ends(
    days: int, urgency: str | None
) -> None:
    with node_pair() as pair:
        end_ms = pair.world.now.utc_ms + days * DAY_MS
        told(pair, end_ms, end_ms)
        found = {alert.rule: alert for alert in pair.blue.core.alerts}
        if urgency is None:
            assert not found
            return
        for rule in ("CERTIFICATE_ENDS", "PEER_CERTIFICATE_ENDS"):
            assert (found[rule].urgency, found[rule].facts["days"]) == (urgency, days)
            assert format_utc(end_ms)[:10] in found[rule].text


def test_it_is_one_alert_told_anew_at_each_limit_and_gone_once_it_was_renewed() -> None:
    with node_pair() as pair:
        now_ms = pair.world.now.utc_ms
        for days in (30, 29.5, 13, 3, 0.5, -1):
            told(pair, now_ms + round(days * DAY_MS))
        versions = [e for e in pair.blue.events if e.data.get("rule") == "CERTIFICATE_ENDS"]
        assert [e.data["facts"]["days"] for e in versions] == [30, 30, 14, 7, 1, 0]
        assert pair.raised("blue", "CERTIFICATE_ENDS") == 1
        alert = pair.alert("blue", "CERTIFICATE_ENDS")
        assert (alert.text[:16], alert.deadline_utc) == ("CERTIFICATE OVER", None)
        told(pair, now_ms + 398 * DAY_MS)
        assert "CERTIFICATE_ENDS" not in pair.rules("blue")


def test_nothing_new_is_written_while_nothing_changes() -> None:
    with node_pair() as pair:
        end_ms = pair.world.now.utc_ms + 20 * DAY_MS
        told(pair, end_ms)
        again = pair.blue.core.certificates_end(end_ms, {}, pair.world.now)
        assert again.is_empty()
