"""The peers that this node knows: each pinned by a person, none on first use."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deconflict.errors import (
    ConfigurationError,
    DeconflictError,
    InvalidInputError,
    NotFoundError,
    VerificationError,
    WrongSenderError,
)
from deconflict.line.keys import VerifyKey, line_id
from deconflict.line.root import Root
from deconflict.node.files import write_atomically
from deconflict.node.invitation import MAX_INVITATION_BYTES, Invitation
from deconflict.store.directory import sync_directory

__all__ = ["PeerBook", "PinnedPeer"]


@dataclass(frozen=True, slots=True)
class PinnedPeer:
    """A peer, as pinned, and the id of our line with it."""

    invitation: Invitation
    line_id: str

    @property
    def party(self) -> str:
        """The peer's party."""
        return self.invitation.party

    @property
    def verify_key(self) -> VerifyKey:
        """The key that signs what the peer says."""
        return self.invitation.verify_key

    @property
    def root(self) -> Root | None:
        """The root that alone can change that key; None for a peer pinned without one."""
        return self.invitation.root

    @property
    def spki_sha256(self) -> str:
        """The pin of the peer's TLS key."""
        return self.invitation.tls_spki_sha256

    @property
    def url(self) -> str:
        """Where the peer's node is called first."""
        return self.invitation.urls[0]

    @property
    def urls(self) -> tuple[str, ...]:
        """Where the peer's node is called, one URL for each network path, path 1 first."""
        return self.invitation.urls


class PeerBook:
    """The pinned peers of one node, kept as their invitations in ``peers/<party>.json``.

    Each file is verified again whenever the book is read.

    Args:
        path: the directory of the files.
        party: our own party.
        verify_key: our own signing key's public half.
        spki_sha256: the pin of our own TLS key.

    Raises:
        ConfigurationError: a file in it is not the pinned invitation it should be.
    """

    def __init__(self, path: Path, party: str, verify_key: VerifyKey, spki_sha256: str) -> None:
        self._path = path
        self._party = party
        self._verify_key = verify_key
        self._spki_sha256 = spki_sha256
        self._peers: Mapping[str, PinnedPeer] = {}
        self._party_by_spki: Mapping[str, str] = {}
        self.reload()

    def reload(self) -> None:
        """Read the files again; a peer pinned or removed by another process counts from now.

        Raises:
            ConfigurationError: as the constructor; the book then stays as it was.
        """
        found: dict[str, PinnedPeer] = {}
        for file in sorted(self._path.glob("*.json")):
            try:
                with file.open("rb") as stream:
                    peer = self._peer(Invitation.parse(stream.read(MAX_INVITATION_BYTES + 2)))
                self._refuse(peer.invitation, found)
            except (DeconflictError, OSError) as error:
                raise ConfigurationError(
                    "the file of a pinned peer cannot be trusted",
                    given=f"{file}: {error}",
                    remedy="remove it and pin the peer again from its invitation",
                ) from error
            if file.stem != peer.party:
                raise ConfigurationError(
                    "the file of a pinned peer holds another party's invitation",
                    given=f"{file}: {peer.party}",
                    remedy="remove it and pin the peer again from its invitation",
                )
            found[peer.party] = peer
        self._peers = found
        self._party_by_spki = {peer.spki_sha256: peer.party for peer in found.values()}

    def pin(
        self, invitation: Invitation, spoken_fingerprint: str, spoken_root: str | None = None
    ) -> PinnedPeer:
        """Pin a peer after its fingerprint was compared by voice, and return it.

        Pinning the same key again, from a newer invitation, updates addresses and TLS key.

        Args:
            invitation: as parsed from the file.
            spoken_fingerprint: what the person heard, not what the file says: the fingerprint
                of the peer's signing key, or its whole key id in hex.
            spoken_root: the same of its root, where the invitation brings one that is not pinned.

        Raises:
            InvalidInputError: what was heard has not the form of a fingerprint, or the root's is
                missing.
            WrongSenderError: a fingerprint is another one; the root is another than the pinned one;
                the invitation is our own; its key, or its TLS key, is pinned for another party; the
                party is pinned with another key.
            VerificationError: an older invitation than the pinned one.
        """
        self.require_pinnable(invitation, spoken_fingerprint, spoken_root)
        peer = self._peer(invitation)
        write_atomically(self._file(peer.party), invitation.export(), mode=0o600)
        self.reload()
        return peer

    def require_pinnable(
        self, invitation: Invitation, spoken_fingerprint: str, spoken_root: str | None = None
    ) -> None:
        """Return when this could be pinned now; raises as :meth:`pin`, and pins nothing."""
        _require_spoken(spoken_fingerprint)
        if not invitation.verify_key.matches(spoken_fingerprint):
            raise WrongSenderError(
                "the fingerprint you were told is not the one of this invitation",
                given=repr(spoken_fingerprint[:100]),
                expected="the eight groups of five digits that the other party reads from its "
                "own screen",
                remedy="compare again by voice; if it still differs, somebody changed the file "
                "on its way: do not use it",
            )
        self._refuse(invitation, self._peers)
        known = self._peers.get(invitation.party)
        if known is not None and known.verify_key != invitation.verify_key:
            raise WrongSenderError(
                f"{invitation.party} is already pinned, with another key",
                given=f"key {invitation.verify_key.key_id[:16]}…",
                expected=f"key {known.verify_key.key_id[:16]}…",
                remedy="remove that peer first, when both parties have agreed on the new key",
            )
        self._compare_root(invitation, None if known is None else known.root, spoken_root)
        if known is not None and invitation.created_utc_ms < known.invitation.created_utc_ms:
            raise VerificationError(
                "this invitation is older than the one that is pinned",
                remedy="ask the other party for its present invitation",
            )

    @staticmethod
    def _compare_root(offered: Invitation, pinned: Root | None, spoken: str | None) -> None:
        """Return when the root of an invitation is the pinned one, or was compared by voice.

        The invitation is signed by the node's key alone. Whoever stole that could bring a root of
        its own, so a root that is pinned stays, and a new one is compared by itself.
        """
        root = offered.root
        if root == pinned:
            return
        if root is None or pinned is not None:
            raise WrongSenderError(
                f"the root of {offered.party} is pinned, and this invitation brings another",
                given="no root" if root is None else f"root {root.root_id[:16]}…",
                expected="" if pinned is None else f"root {pinned.root_id[:16]}…",
                remedy="ask that party by voice; if it has a new root, remove the peer first, and "
                "begin a new line",
            )
        if spoken is None:
            raise InvalidInputError(
                "this invitation brings a root, whose fingerprint has to be heard as well",
                expected="--root-fingerprint with eight groups of five digits",
                remedy=f"let {offered.party} read the root's fingerprint from its own screen: "
                "deconflict peer show",
            )
        _require_spoken(spoken)
        if not root.matches(spoken):
            raise WrongSenderError(
                "the fingerprint of the root that you were told is not the one of this invitation",
                given=repr(spoken[:100]),
                expected="the eight groups of five digits that the other party reads from its "
                "own screen",
                remedy="compare again by voice; if it still differs, do not use the invitation",
            )

    def list(self) -> tuple[PinnedPeer, ...]:
        """Return the pinned peers, by name."""
        return tuple(self._peers[party] for party in sorted(self._peers))

    def get(self, party: str) -> PinnedPeer:
        """Return one peer; raises NotFoundError when no such party is pinned."""
        try:
            return self._peers[party]
        except KeyError:
            raise NotFoundError(
                "no such peer is pinned here",
                given=repr(party[:80]),
                expected=", ".join(sorted(self._peers)) or "none is pinned yet",
                remedy="pin it from its invitation: `deconflict peer add`",
            ) from None

    def remove(self, party: str) -> None:
        """Forget a peer: its next request is refused, even on an open connection.

        Raises:
            NotFoundError: no such party is pinned.
        """
        self._file(self.get(party).party).unlink(missing_ok=True)
        # Durable like the pin itself: a removed peer must not come back with a power cut.
        sync_directory(self._path)
        self.reload()

    def party_by_spki(self, spki_sha256: str) -> str | None:
        """Return for which party this TLS key is pinned, or None."""
        return self._party_by_spki.get(spki_sha256)

    def _file(self, party: str) -> Path:
        return self._path / f"{party}.json"

    def _peer(self, invitation: Invitation) -> PinnedPeer:
        line = line_id(
            self._party,
            self._verify_key.key_id,
            invitation.party,
            invitation.verify_key.key_id,
        )
        return PinnedPeer(invitation, line)

    def _refuse(self, invitation: Invitation, peers: Mapping[str, PinnedPeer]) -> None:
        """Raise when the invitation claims what is ours or another peer's."""
        if (
            invitation.party == self._party
            or invitation.verify_key == self._verify_key
            or invitation.tls_spki_sha256 == self._spki_sha256
        ):
            raise WrongSenderError(
                "this invitation names our own party or brings our own key",
                given=f"{invitation.party}, key {invitation.verify_key.key_id[:16]}…",
                expected="another party with keys of its own",
                remedy="exchange invitations: give them yours, pin theirs",
            )
        for other in peers.values():
            if other.party != invitation.party and (
                other.verify_key == invitation.verify_key
                or other.spki_sha256 == invitation.tls_spki_sha256
            ):
                raise WrongSenderError(
                    f"a key of this invitation is already pinned for {other.party}",
                    given=f"{invitation.party}, key {invitation.verify_key.key_id[:16]}…",
                    expected="one party for one key",
                    remedy="ask both parties by voice whose key it is",
                )


def _require_spoken(spoken: str) -> None:
    if not VerifyKey.is_spoken(spoken):
        raise InvalidInputError(
            "this is no fingerprint",
            given=repr(spoken[:100]),
            expected="eight groups of five digits, or the whole key id, 64 hex digits",
            remedy="let the other party read all of it again, and type what you hear",
        )
