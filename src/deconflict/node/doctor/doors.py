"""Who answers: at the node's own address for operators, and at the peers' doors."""

import errno
import http.client
import json
import socket
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from deconflict.errors import VerificationError
from deconflict.node.doctor.check import OK, WARNING, WRONG, Check
from deconflict.node.peers import PinnedPeer
from deconflict.node.pki import spki_sha256
from deconflict.node.settings import Endpoint

__all__ = ["node_check", "peer_checks"]

KNOCK_TIMEOUT_S: Final = 3.0
MOST_ANSWER_BYTES: Final = 4_096


def node_check(listen: Endpoint, folder: Path, *, record_in_use: bool) -> Check:
    """Look whether the node of this folder answers its operators.

    Nobody is logged in here, and a token must not be shown to whoever may listen there. So the
    answer is known by its shape, and whose node it is by the record, which a running node holds.

    Args:
        listen: where the node's operators reach it.
        folder: the node's.
        record_in_use: whether a process holds the record of this folder.
    """
    serve = f"deconflict serve --node {folder}"
    try:
        socket.create_connection((listen.host, listen.port), KNOCK_TIMEOUT_S).close()
    except OSError:
        if record_in_use:
            words = f"nothing answers at {listen}, yet a process holds the record"
            return Check("node", WARNING, words, "see whether a node starts up, hangs or verifies")
        return Check("node", WARNING, f"not running: nothing answers at {listen}", serve)
    elsewhere = (
        f"see who listens there (`ss -ltnp`) and end it, or choose another operators_listen in "
        f"{folder / 'node.toml'}"
    )
    if not _is_operators_api(listen):
        words = f"not running: another program answers at {listen}, not a node"
        return Check("node", WRONG, words, elsewhere)
    if not record_in_use:
        words = f"not running: another node answers at {listen}, none holds the record of this one"
        return Check("node", WRONG, words, elsewhere)
    return Check("node", OK, f"running, answers at {listen}")


def _is_operators_api(listen: Endpoint) -> bool:
    """True exactly when a node refuses there whoever has no login, as all of them do."""
    asked = http.client.HTTPConnection(listen.host, listen.port, timeout=KNOCK_TIMEOUT_S)
    try:
        asked.request("GET", "/api/v1/node")
        said = json.loads(asked.getresponse().read(MOST_ANSWER_BYTES))
        return set(said["error"]) == {"type", "problem", "given", "expected", "remedy"}
    except (OSError, http.client.HTTPException, ValueError, TypeError, KeyError):
        return False
    finally:
        asked.close()


def peer_checks(peer: PinnedPeer) -> list[Check]:
    """Look at the key that answers at each address of a peer; nothing is said, no key is shown."""
    subjects = [f"peer {peer.party}"]
    subjects += [f"peer {peer.party}, path {number}" for number in range(2, len(peer.urls) + 1)]
    return [
        _door_check(subject, url, peer.spki_sha256)
        for subject, url in zip(subjects, peer.urls, strict=True)
    ]


def _door_check(subject: str, url: str, pin: str) -> Check:
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 443)
    # Not verified by a chain: the key itself is compared with its pin, which is more.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection(address, KNOCK_TIMEOUT_S) as plain,
            context.wrap_socket(plain) as tls,
        ):
            shown = spki_sha256(tls.getpeercert(binary_form=True) or b"")
    except (OSError, VerificationError) as error:
        return Check(
            subject,
            WARNING,
            f"does not answer at {url} ({_reason(error)})",
            "ask them by voice whether their node runs; check the address and the firewall",
        )
    if shown != pin:
        return Check(
            subject,
            WRONG,
            f"another key answers at {url} than the pinned one: nothing is sent there",
            "call them by voice; pin anew only from an invitation whose fingerprint you heard",
        )
    return Check(subject, OK, f"answers at {url} with the pinned key")


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.errno == errno.ECONNREFUSED:
        return "nobody listens there"
    return getattr(error, "strerror", None) or type(error).__name__
