"""The folder of a third witness: its key, its certificate, its ledger. No node lies in it."""

import os
import re
import ssl
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from deconflict.errors import ConfigurationError, DeconflictError
from deconflict.line.key_change import KeyChange, OpenedChange, open_change, read_unproven
from deconflict.line.keyfile import open_seed, seal_seed
from deconflict.line.keys import RandomBytes, SigningKey, line_id
from deconflict.line.note import NoteKey, NoteKind
from deconflict.node.files import (
    new_folder,
    refuse_readable_by_others,
    write_atomically,
    write_new,
)
from deconflict.node.invitation import Invitation
from deconflict.node.pki import create_root, days_left, issue_node_certificate, load_certified_key
from deconflict.node.settings import Endpoint, require_url
from deconflict.store.witness_ledger import WitnessLedger

__all__ = ["WitnessFolder", "WitnessSettings"]

RENEW_DAYS: Final = 30
MOST_SETTINGS_BYTES: Final = 65_536
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}(?:/[a-z0-9._-]{1,62})*")
_LONGEST_NAME: Final = 128

_TEMPLATE: Final = """\
# Settings of this witness. They are read when it starts.

# The name under which it signs. With another name it is another witness.
name = "{name}"

# Where it listens, and the URL that the nodes are told.
listen = "{listen}"
url = "{url}"
"""


@dataclass(frozen=True, slots=True)
class WitnessSettings:
    """What ``witness.toml`` says.

    Args:
        name: under which it signs: a host name, and parts behind slashes.
        listen: where it listens.
        url: what the nodes are told to call; empty for the URL of ``listen``.

    Raises:
        ConfigurationError: any of them is not of that form.
    """

    name: str
    listen: Endpoint
    url: str = ""

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None or len(self.name) > _LONGEST_NAME:
            raise ConfigurationError(
                "the name of the witness cannot be used",
                given=repr(self.name[:80]),
                expected="a name as in agency.example or agency.example/w1, lower case",
            )
        if not self.url:
            object.__setattr__(self, "url", f"https://{self.listen}")
        require_url(self.url)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts under which nodes reach it: the names in its certificate."""
        hosts = [urlsplit(self.url).hostname or ""]
        if self.listen.host not in ("0.0.0.0", "::"):  # noqa: S104 (no address to be named)
            hosts.append(self.listen.host)
        return tuple(dict.fromkeys(hosts))

    @classmethod
    def parse(cls, text: str) -> "WitnessSettings":
        """Return the settings written in ``witness.toml``.

        Raises:
            ConfigurationError: not TOML, a key missing, unknown or of the wrong kind.
        """
        try:
            found = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError("witness.toml is not TOML", given=str(error)) from error
        keys = {"name", "listen", "url"}
        if found.keys() != keys or not all(isinstance(value, str) for value in found.values()):
            raise ConfigurationError(
                "witness.toml cannot be used",
                given=", ".join(sorted(found))[:120],
                expected="name, listen and url, each a text",
            )
        return cls(found["name"], Endpoint.parse(found["listen"]), found["url"])

    def render(self) -> str:
        """Return the text of ``witness.toml``; :meth:`parse` reads back the same settings."""
        return _TEMPLATE.format(name=self.name, listen=self.listen, url=self.url)


class WitnessFolder:
    """A witness's folder, checked when opened. Make one with :meth:`create` or :meth:`open`.

    Attributes:
        path: where it is.
        settings: what ``witness.toml`` says.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings = WitnessSettings.parse(
            _read(path / "witness.toml").decode("utf-8", "replace")
        )
        for name in ("witness.key", "tls.key"):
            if (path / "keys" / name).exists():
                refuse_readable_by_others(path / "keys" / name)
        self._seed = _seed(path / "keys" / "witness.key")

    @classmethod
    def create(
        cls, path: Path, settings: WitnessSettings, *, now_utc_ms: int, random_bytes: RandomBytes
    ) -> "WitnessFolder":
        """Make a witness: a new key, a certificate, an empty ledger; return its folder.

        The folder appears whole or not at all.

        Raises:
            ConfigurationError: something is there already, or it cannot be written.
        """
        if os.path.lexists(path):
            raise ConfigurationError(
                "the place of the new witness is taken",
                given=str(path),
                expected="a path where nothing is yet",
                remedy="choose another; what a witness has cosigned is never overwritten",
            )
        with new_folder(path, "the folder of the witness") as draft:
            _fill(draft, settings, now_utc_ms, random_bytes)
            WitnessLedger.open(draft / "ledger.sqlite", create=True).close()
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> "WitnessFolder":
        """Return the witness's folder at ``path``, checked.

        Raises:
            ConfigurationError: it is none, or a file of it cannot be used.
        """
        if not (path / "witness.toml").is_file():
            raise ConfigurationError(
                "there is no witness here",
                given=str(path),
                expected="a folder made by `deconflict witness create`",
            )
        return cls(path)

    @property
    def key(self) -> SigningKey:
        """What it signs with."""
        return SigningKey.from_seed(self._seed)

    @property
    def note_key(self) -> NoteKey:
        """Its public key, under its name: what nodes pin, and others verify with."""
        return NoteKey(self.settings.name, NoteKind.WITNESS, self.key.verify_key)

    @property
    def root_path(self) -> Path:
        """The certificate that nodes trust for TLS: to be given to them with the key."""
        return self.path / "witness.pem"

    def ledger(self) -> WitnessLedger:
        """Open what it must never forget.

        Raises:
            StoreError: it is missing, damaged or out of reach.
        """
        return WitnessLedger.open(self.path / "ledger.sqlite")

    def add_line(
        self,
        ledger: WitnessLedger,
        invitations: Sequence[Invitation],
        *,
        line: str | None = None,
        changes: Sequence[KeyChange] = (),
        now_utc_ms: int,
    ) -> tuple[str, tuple[str, ...]]:
        """Be willing to cosign both chains of the line of two parties.

        Args:
            ledger: where it is kept.
            invitations: of both.
            line: the id of a line of theirs that is known here; it keeps its id when a party
                changes its key, and the invitations then no longer give it.
            changes: what a party's root signed of later keys; its invitation names the first alone.
                Nothing under a key before one that revokes is cosigned any more.
            now_utc_ms: now.

        Returns:
            The line's id, and the parties whose key was new here.

        Raises:
            ConfigurationError: they are not of two parties, the line is none of theirs, or a
                change is of neither party.
            VerificationError, InvalidDocumentError: the root of the invitation did not sign it.
        """
        parties = [one.party for one in invitations]
        if len(invitations) != 2 or parties[0] == parties[1]:
            raise ConfigurationError(
                "a line is of two parties", given=", ".join(parties) or "nobody"
            )
        a, b = invitations
        if line is None:
            line = line_id(a.party, a.verify_key.key_id, b.party, b.verify_key.key_id)
        elif {one.party for one in ledger.authors() if one.line_id == line} != set(parties):
            raise ConfigurationError(
                "this witness knows no such line of these parties",
                given=f"{line[:64]}, {' and '.join(parties)}",
                expected="the whole id of a line that `deconflict witness show --json` lists",
            )
        opened = [_opened(change, invitations) for change in changes]
        new = [
            one.party
            for one in invitations
            if ledger.add_author(line, one.party, one.verify_key, now_utc_ms=now_utc_ms)
        ]
        new += [
            change.statement.party
            for change in opened
            if ledger.add_author(
                line,
                change.statement.party,
                change.key,
                number=change.statement.number,
                revokes=change.revokes,
                now_utc_ms=now_utc_ms,
            )
        ]
        return line, tuple(dict.fromkeys(new))

    def days_left(self, *, now_utc_ms: int) -> int:
        """Return for how many days its certificate is still valid; negative if expired."""
        return days_left(_read(self.path / "keys" / "tls.pem"), now_utc_ms=now_utc_ms)

    def renew(self, *, now_utc_ms: int, random_bytes: RandomBytes) -> bool:
        """Renew a certificate that ends soon, as far as it is of its own root.

        Returns:
            True exactly when there is a new one.
        """
        root_key = self.path / "keys" / "tls-root.key"
        if self.days_left(now_utc_ms=now_utc_ms) > RENEW_DAYS or not root_key.exists():
            return False
        keys = self.path / "keys"
        root = load_certified_key(_read(root_key), _read(self.root_path), None)
        old = load_certified_key(_read(keys / "tls.key"), _read(keys / "tls.pem"), None)
        new = issue_node_certificate(
            root,
            self.settings.hosts,
            now_utc_ms=now_utc_ms,
            random_bytes=random_bytes,
            key=old.key,
        )
        write_atomically(keys / "tls.pem", new.certificate_pem, mode=0o644)
        return True

    def tls_context(self) -> ssl.SSLContext:
        """Return the context of its door: TLS 1.3, no client certificate, no resumption.

        Raises:
            ConfigurationError: certificate or key cannot be loaded.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.num_tickets = 0
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_TICKET
        keys = self.path / "keys"
        try:
            context.load_cert_chain(keys / "tls.pem", keys / "tls.key", password=lambda: b"")
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                "the TLS certificate or key of the witness cannot be loaded",
                given=f"{keys / 'tls.pem'} ({type(error).__name__})",
                remedy="restore them, or put a certificate of your own in their place",
            ) from error
        return context


def _fill(
    draft: Path, settings: WitnessSettings, now_utc_ms: int, random_bytes: RandomBytes
) -> None:
    (draft / "keys").mkdir(mode=0o700)
    key = SigningKey.generate(random_bytes)
    root = create_root(now_utc_ms=now_utc_ms, random_bytes=random_bytes)
    tls = issue_node_certificate(
        root, settings.hosts, now_utc_ms=now_utc_ms, random_bytes=random_bytes
    )
    vkey = NoteKey(settings.name, NoteKind.WITNESS, key.verify_key).to_text()
    for name, data, mode in (
        ("witness.toml", settings.render().encode(), 0o600),
        ("witness.vkey", f"{vkey}\n".encode(), 0o644),
        ("witness.pem", root.certificate_pem, 0o644),
        ("keys/witness.key", seal_seed(key.seed, None, random_bytes=random_bytes), 0o600),
        ("keys/tls-root.key", root.key_pem(None), 0o600),
        ("keys/tls.key", tls.key_pem(None), 0o600),
        ("keys/tls.pem", tls.certificate_pem, 0o644),
    ):
        write_new(draft / name, data, mode=mode)


def _seed(path: Path) -> bytes:
    try:
        return open_seed(_read(path), None)
    except ConfigurationError:
        raise
    except DeconflictError as error:
        raise ConfigurationError(
            "the key of the witness cannot be used",
            given=f"{path}: {error.problem}",
            remedy="restore that file; with another key it is another witness",
        ) from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MOST_SETTINGS_BYTES)
    except OSError as error:
        raise ConfigurationError(
            "a file of the witness cannot be read",
            given=f"{path}: {error.strerror}",
            remedy="restore it from the folder's backup, the ledger excepted",
        ) from error


def _opened(change: KeyChange, invitations: Sequence[Invitation]) -> OpenedChange:
    """Return a change of key that the root of the party's invitation vouches for."""
    party = read_unproven(change).party
    found = next((one for one in invitations if one.party == party), None)
    if found is None:
        raise ConfigurationError(
            "this change of key is of neither party",
            given=party,
            expected=" or ".join(one.party for one in invitations),
        )
    first = found.verify_key.key_id
    return open_change(change, party=party, first=first, root=found.root)
