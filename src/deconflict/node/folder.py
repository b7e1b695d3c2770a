"""The folder that makes a node: settings, keys, certificates, pinned peers, databases.

::

    node.toml            settings
    invitation.json      public: hand it to the other party
    keys/signing.key     signs all that this party says; sealed when a passphrase is set
    keys/signing.pub     its public half
    keys/root.json       the root that vouches for later keys (key_files.py), if there is one
    keys/tls-root.key    signs the node's certificates; needed for renewal only, may be kept offline
    keys/tls-root.pem    its certificate, ten years
    keys/tls.key         the node's TLS key: the peers pin it
    keys/tls.pem         its certificate, 398 days
    peers/<party>.json   pinned invitations
    tokens/              tokens of local accounts, for the command line
    record.sqlite        the record: evidence
    kept                 what need not be read again of the record at a start; may be deleted
    kept.unproven        the same, which no audit could prove: no start reads it
    audited.sqlite       a copy of the record while the node looks at it; may be deleted at rest
    inquiries/           files looked into; may be deleted at rest
    private/             what is flown in private checks, and their seeds: secret
    parts/               parts of private checks, by line; may be deleted: the record names them
    backups/             copies of the record; better on another machine
    guard/guard          how far this node has signed; better on another disk (guard_path)
    accounts.sqlite      operators' accounts: no evidence
"""

import hashlib
import hmac
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deconflict.airspace.instant import TimeSpan
from deconflict.errors import ConfigurationError, DeconflictError, VerificationError
from deconflict.line.key_ring import OwnKeys
from deconflict.line.keyfile import is_sealed, open_seed, seal_seed
from deconflict.line.keys import RandomBytes, SigningKey, VerifyKey
from deconflict.line.root import Root
from deconflict.node.files import (
    new_folder,
    refuse_readable_by_others,
    write_atomically,
    write_new,
)
from deconflict.node.invitation import Invitation
from deconflict.node.key_files import KeyFiles
from deconflict.node.peers import PeerBook
from deconflict.node.pki import (
    create_root,
    days_left,
    issue_node_certificate,
    load_certified_key,
    spki_of_pem,
    validity,
)
from deconflict.node.settings import Settings
from deconflict.node.tls import OwnChain
from deconflict.store.guard import Guard
from deconflict.store.sqlite import SqliteStore

__all__ = [
    "DAY_MS",
    "PASSPHRASE_FILE",
    "NodeFolder",
    "UnlockedKeys",
    "key_since_utc_ms",
    "read_settings",
    "read_tls_pin",
    "read_validity",
    "read_verify_key",
    "secret_files",
]

PASSPHRASE_FILE = "DECONFLICT_PASSPHRASE_FILE"  # noqa: S105  (the name of a variable)
MOST_SETTINGS_BYTES = 65_536
DAY_MS = 86_400_000
SECRETS = ("signing.key", "tls.key", "tls-root.key")


@dataclass(frozen=True, slots=True)
class UnlockedKeys:
    """What the node needs to speak: its signing keys, and its TLS certificate with its key.

    Attributes:
        signing_key: the first one, with which the peers pinned it.
        chain: the certificate.
        own_keys: the first one and all that were put in force after it.
        take_up: adds to ``own_keys`` what was put in force since; True when there was something.
        seal: writes a new key as the first one is kept.
        unseal: opens such a file.
    """

    signing_key: SigningKey
    chain: OwnChain
    own_keys: OwnKeys
    take_up: Callable[[], bool]
    seal: Callable[[SigningKey], bytes]
    unseal: Callable[[bytes], SigningKey]


class NodeFolder:
    """A node's folder, checked when opened. Make one with :meth:`create` or :meth:`open`.

    Attributes:
        path: where it is.
        settings: what ``node.toml`` says.
        verify_key: the public half of the signing key; needs no passphrase.
        tls_spki_sha256: the pin of the node's TLS key.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings = read_settings(path)
        for secret in secret_files(path):
            refuse_readable_by_others(secret)
        self.verify_key = read_verify_key(path)
        self.tls_spki_sha256 = read_tls_pin(path)

    @classmethod
    def create(
        cls,
        path: Path,
        settings: Settings,
        *,
        passphrase: str | None,
        now_utc_ms: int,
        random_bytes: RandomBytes,
    ) -> "NodeFolder":
        """Make a node: new keys, certificates, settings; return its folder.

        The folder appears whole or not at all: it is written beside its place and renamed.

        Args:
            path: where it shall be; nothing may be there yet.
            settings: goes into ``node.toml``.
            passphrase: seals the keys; without one, their file mode alone protects them.
            now_utc_ms: the certificates begin one day before.
            random_bytes: source of all keys (``os.urandom`` in service).

        Raises:
            ConfigurationError: something is there already, or it cannot be written.
        """
        if os.path.lexists(path):
            raise ConfigurationError(
                "the place of the new node folder is taken",
                given=str(path),
                expected="a path where nothing is yet",
                remedy="choose another; a node's folder is never overwritten",
            )
        if passphrase == "":
            raise ConfigurationError(
                "an empty passphrase seals nothing",
                expected="a passphrase, or none at all",
                remedy="leave it out if the file modes are protection enough",
            )
        with new_folder(path, "the node folder") as draft:
            _write_keys(draft, settings, passphrase, now_utc_ms, random_bytes)
            folder = cls(draft)
            keys = folder.unlock(lambda: passphrase or "", environ={})
            invitation = folder.invite(keys, now_utc_ms=now_utc_ms)
            write_new(draft / "invitation.json", invitation.export(), mode=0o644)
            # An empty record is begun once, here: a node that began one by itself when its
            # record is missing could sign a second message for a slot it has used.
            SqliteStore.open(draft / "record.sqlite", create=True).close()
            # The same is true of the guard: one that is missing later is not made anew in
            # silence. One outside the folder may be of an earlier node: it is not touched.
            if not os.path.lexists(path / settings.guard_path):
                Guard.create(draft / settings.guard_path, node=keys.signing_key.key_id)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> "NodeFolder":
        """Return the node folder at ``path``, checked; no passphrase is needed yet.

        Raises:
            ConfigurationError: it is none, a file of it is missing or unreadable, settings are
                wrong, or a secret file may be read by others.
        """
        if not path.is_dir():
            raise ConfigurationError(
                "there is no node folder here",
                given=str(path),
                expected="a folder made by `deconflict init`",
                remedy="make one with `deconflict init`, or name the right one",
            )
        try:
            return cls(path)
        except ConfigurationError:
            raise
        except (DeconflictError, OSError, ValueError) as error:
            raise ConfigurationError(
                "a file of the node folder cannot be used",
                given=f"{path}: {error}",
                remedy="restore the folder's keys/ from its backup",
            ) from error

    def unlock(
        self,
        ask_passphrase: Callable[[], str] | None = None,
        *,
        environ: Mapping[str, str] = os.environ,
    ) -> UnlockedKeys:
        """Return the node's keys, ready for use.

        A sealed key is opened with the passphrase in the file that ``DECONFLICT_PASSPHRASE_FILE``
        names, or else with what the person at the terminal answers. A passphrase is never taken
        from an argument of a command or from the environment itself, where other users and crash
        reports see it.

        Args:
            ask_passphrase: asks the person; None where nobody is there to answer.
            environ: the environment.

        Raises:
            ConfigurationError: no passphrase, a wrong one, or keys that do not belong together.
        """
        data = _read_key(self.path, "signing.key")
        try:
            sealed = is_sealed(data)
            passphrase = _passphrase(ask_passphrase, environ) if sealed else None
            seed = open_seed(data, passphrase)
            signing_key = SigningKey.from_seed(seed)
        except ConfigurationError:
            raise
        except DeconflictError as error:
            raise ConfigurationError(
                "the signing key cannot be unlocked",
                given=error.problem,
                expected=error.expected,
                remedy=error.remedy,
            ) from error

        def unsealed(file: bytes) -> SigningKey:
            return SigningKey.from_seed(open_seed(file, passphrase))

        def seal(key: SigningKey) -> bytes:
            return seal_seed(key.seed, passphrase, random_bytes=os.urandom)

        if signing_key.verify_key != self.verify_key:
            raise ConfigurationError(
                "keys/signing.key and keys/signing.pub are not of one pair",
                remedy="restore the folder's keys/ from its backup",
            )
        password = _tls_password(seed) if sealed else None
        load_certified_key(
            _read_key(self.path, "tls.key"), _read_key(self.path, "tls.pem"), password
        )
        keys = self.path / "keys"
        chain = OwnChain(keys / "tls.pem", keys / "tls.key", password)
        own_keys = OwnKeys(signing_key)

        def take_up() -> bool:
            before = own_keys.number
            try:
                self.key_files.add_to(own_keys, unsealed)
            except VerificationError as error:
                raise ConfigurationError(
                    "a key of this node cannot be used",
                    given=error.problem,
                    expected=error.expected,
                    remedy=error.remedy,
                ) from error
            return own_keys.number > before

        take_up()
        return UnlockedKeys(signing_key, chain, own_keys, take_up, seal, unsealed)

    @property
    def sealed(self) -> bool:
        """True exactly when a passphrase is needed to unlock the keys."""
        return is_sealed(_read_key(self.path, "signing.key"))

    @property
    def key_files(self) -> KeyFiles:
        """The keys that came after the first one, and the root."""
        return KeyFiles(self.path / "keys", self.settings.party, self.verify_key)

    def root(self) -> Root | None:
        """Return this party's root; None where it has none, and its key cannot be changed."""
        return self.key_files.root()

    @property
    def record_path(self) -> Path:
        """The database of the record."""
        return self.path / "record.sqlite"

    @property
    def kept_path(self) -> Path:
        """What was kept of the record."""
        return self.path / "kept"

    @property
    def audited_path(self) -> Path:
        """The copy of the record that is looked at."""
        return self.path / "audited.sqlite"

    @property
    def inquiries_path(self) -> Path:
        """The directory of files that are looked into."""
        return self.path / "inquiries"

    @property
    def private_path(self) -> Path:
        """The directory of what private checks must never show."""
        return self.path / "private"

    @property
    def parts_path(self) -> Path:
        """The directory of the parts of private checks."""
        return self.path / "parts"

    @property
    def guard_path(self) -> Path:
        """The file that says how far this node has signed."""
        return self.path / self.settings.guard_path

    @property
    def accounts_path(self) -> Path:
        """The database of the operators' accounts."""
        return self.path / "accounts.sqlite"

    @property
    def invitation_path(self) -> Path:
        """The invitation made with the folder."""
        return self.path / "invitation.json"

    @property
    def peers_path(self) -> Path:
        """The directory of pinned invitations."""
        return self.path / "peers"

    def peers(self) -> PeerBook:
        """Return the pinned peers.

        Raises:
            ConfigurationError: a file of a pinned peer cannot be trusted.
        """
        return PeerBook(self.peers_path, self.settings.party, self.verify_key, self.tls_spki_sha256)

    def invite(self, keys: UnlockedKeys, *, now_utc_ms: int) -> Invitation:
        """Return an invitation that says the present settings; give it to the other party."""
        return Invitation.create(
            party=self.settings.party,
            desks=self.settings.desks,
            signing_key=keys.signing_key,
            tls_root_pem=_read_key(self.path, "tls-root.pem").decode("ascii"),
            tls_spki_sha256=self.tls_spki_sha256,
            urls=self.settings.peer_urls,
            now_utc_ms=now_utc_ms,
            root=self.root(),
        )

    def certificate_days_left(self, *, now_utc_ms: int) -> int:
        """Return for how many days the node's certificate is still valid; negative if expired."""
        return days_left(_read_key(self.path, "tls.pem"), now_utc_ms=now_utc_ms)

    def renew_certificate(
        self, keys: UnlockedKeys, *, now_utc_ms: int, random_bytes: RandomBytes
    ) -> int:
        """Replace the node's certificate for the same key, and return its days of validity.

        The peers' pins stay right, nobody has to be asked. A running node takes the new
        certificate with :func:`deconflict.node.tls.reload_chain` or when it starts again.

        Raises:
            ConfigurationError: the root's key is not there, or does not belong to it.
        """
        if not (self.path / "keys" / "tls-root.key").exists():
            raise ConfigurationError(
                "the key of the TLS root is not in the folder",
                given=str(self.path / "keys" / "tls-root.key"),
                remedy="bring it back from where it is kept, renew, and take it away again",
            )
        password = keys.chain.key_password
        root = load_certified_key(
            _read_key(self.path, "tls-root.key"), _read_key(self.path, "tls-root.pem"), password
        )
        node = load_certified_key(
            _read_key(self.path, "tls.key"), _read_key(self.path, "tls.pem"), password
        )
        renewed = issue_node_certificate(
            root,
            self.settings.hosts,
            now_utc_ms=now_utc_ms,
            random_bytes=random_bytes,
            key=node.key,
        )
        write_atomically(self.path / "keys" / "tls.pem", renewed.certificate_pem, mode=0o644)
        return self.certificate_days_left(now_utc_ms=now_utc_ms)


def read_settings(path: Path) -> Settings:
    """Return the settings of the node folder at ``path``; raises ConfigurationError."""
    return Settings.parse(_read(path / "node.toml").decode("utf-8", "replace"))


def secret_files(path: Path) -> tuple[Path, ...]:
    """Return the secret files of the node folder at ``path`` that are there."""
    files = (path / "keys" / name for name in SECRETS)
    return tuple(file for file in files if file.exists())


def read_verify_key(path: Path) -> VerifyKey:
    """Return the public signing key of the node folder at ``path``; raises ConfigurationError."""
    try:
        return VerifyKey.from_base64(_read_key(path, "signing.pub").decode("ascii").strip())
    except ConfigurationError:
        raise
    except (DeconflictError, ValueError) as error:
        raise ConfigurationError(
            "the public signing key cannot be read",
            given=str(path / "keys" / "signing.pub"),
            remedy="restore that file from the backup of the node folder's keys/",
        ) from error


def read_tls_pin(path: Path) -> str:
    """Return the pin of the TLS key of the node folder at ``path``; raises ConfigurationError."""
    return spki_of_pem(_read_key(path, "tls.pem"), name=str(path / "keys" / "tls.pem"))


def key_since_utc_ms(path: Path) -> int:
    """Return when the key in force of the node folder at ``path`` was drawn.

    Raises:
        ConfigurationError: a file cannot be read.
    """
    root = validity(_read_key(path, "tls-root.pem"), name=str(path / "keys" / "tls-root.pem"))
    files = KeyFiles(path / "keys", read_settings(path).party, read_verify_key(path))
    # The TLS root is made with the folder, and its certificate begins one day before.
    return files.since_utc_ms(root.start_ms + DAY_MS)


def read_validity(path: Path) -> TimeSpan:
    """Return when the certificate of the node folder at ``path`` is valid.

    Raises:
        ConfigurationError: it cannot be read.
    """
    return validity(_read_key(path, "tls.pem"), name=str(path / "keys" / "tls.pem"))


def _write_keys(
    draft: Path,
    settings: Settings,
    passphrase: str | None,
    now_utc_ms: int,
    random_bytes: RandomBytes,
) -> None:
    for name in ("keys", "peers", "tokens"):
        (draft / name).mkdir(mode=0o700)
    signing_key = SigningKey.generate(random_bytes)
    password = None if passphrase is None else _tls_password(signing_key.seed)
    root = create_root(now_utc_ms=now_utc_ms, random_bytes=random_bytes)
    node = issue_node_certificate(
        root, settings.hosts, now_utc_ms=now_utc_ms, random_bytes=random_bytes
    )
    sealed_seed = seal_seed(signing_key.seed, passphrase, random_bytes=random_bytes)
    public = signing_key.verify_key.to_base64().encode("ascii") + b"\n"
    write_new(draft / "node.toml", settings.render().encode(), mode=0o600)
    for name, data, mode in (
        ("signing.key", sealed_seed, 0o600),
        ("signing.pub", public, 0o644),
        ("tls-root.key", root.key_pem(password), 0o600),
        ("tls-root.pem", root.certificate_pem, 0o644),
        ("tls.key", node.key_pem(password), 0o600),
        ("tls.pem", node.certificate_pem, 0o644),
    ):
        write_new(draft / "keys" / name, data, mode=mode)


def _tls_password(seed: bytes) -> bytes:
    # The passphrase itself must not lock the PEM files: PEM stretches it so little that a thief
    # would guess it there and then open the signing key. This one has 256 bits, none to guess.
    return hmac.digest(seed, b"deconflict/1 tls key file\n", hashlib.sha256).hex().encode("ascii")


def _passphrase(ask: Callable[[], str] | None, environ: Mapping[str, str]) -> str:
    named = environ.get(PASSPHRASE_FILE)
    if named:
        path = Path(named)
        try:
            refuse_readable_by_others(path)
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"the file that {PASSPHRASE_FILE} names cannot be read",
                given=f"{path} ({type(error).__name__})",
                expected="a file of mode 0600 with the passphrase on its only line",
            ) from error
        return text.removesuffix("\n").removesuffix("\r")
    if ask is not None:
        return ask()
    raise ConfigurationError(
        "the keys are sealed with a passphrase and nobody is there to type it",
        expected=f"{PASSPHRASE_FILE} naming a file of mode 0600 that holds it",
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MOST_SETTINGS_BYTES)
    except OSError as error:
        raise ConfigurationError(
            "a file of the node folder cannot be read",
            given=f"{path}: {error.strerror}",
            remedy="restore it from the folder's backup",
        ) from error


def _read_key(path: Path, name: str) -> bytes:
    return _read(path / "keys" / name)
