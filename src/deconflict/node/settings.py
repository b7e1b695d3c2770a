"""What a party chooses for its node: ``node.toml``, read strictly, written by template."""

import ipaddress
import re
import tomllib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from deconflict.errors import ConfigurationError, InvalidDocumentError, WeakKeyError
from deconflict.line.note import NoteKey, NoteKind
from deconflict.messages.words import LANGUAGES

__all__ = [
    "DEFAULT_LANGUAGES",
    "MOST_DESKS",
    "Endpoint",
    "Settings",
    "ThirdWitness",
    "require_desk",
    "require_party",
    "require_url",
]

DEFAULT_LANGUAGES = ("en", "ru")
MOST_DESKS = 8
LEAST_RESERVE_MIB = 64  # 1,000 alerts, a write-ahead log and a window of the longest messages
MOST_RESERVE_MIB = 65_536
# What is no text.
_KINDS: dict[str, tuple[type, str]] = {
    "desks": (list, "a list of texts"),
    "languages": (list, "a list of texts"),
    "release_persons": (int, "1 or 2"),
    "reserve_mib": (int, "a whole number of MiB"),
    "witness": (list, "tables, each under a line [[witness]]"),
}
_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_PATH = re.compile(r'[^"\\\x00-\x1f\x7f]{1,1000}')
_PREFIX = re.compile(r"[A-Za-z0-9._~/-]{0,200}")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")

_NO_SECOND = """\
# second_peer_listen = "192.0.2.10:8443"
# second_peer_url = "https://satellite.example:8443\""""

TEMPLATE = """\
# Settings of this deconflict node. They are read when the node starts.

# Who signs, and the desks on watch: alerts go to the first, unanswered ones to the next.
party = "{party}"
desks = [{desks}]

# Languages of the desks; the first is used where nobody has chosen.
languages = [{languages}]

# Where other parties' nodes reach this one: the address to listen on, and the URL to tell them.
peer_listen = "{peer_listen}"
peer_url = "{peer_url}"

# A second network path to this node, for when the first fails: another network, port or address.
# Write a new invitation after a change (`deconflict peer invite`).
{second}

# Where this party's own operators and programs reach it. Plain HTTP: loopback only.
operators_listen = "{operators_listen}"

# How many persons it takes to declare, to agree terms, to say that something has ceased, to take a
# record away in a file, and to let an account or a peer in: 1, or 2 (one asks, another releases).
# SAFETY, CEASE, ACK and QUERY never wait.
release_persons = {release_persons}

# What is kept on the disk for alerts, in MiB. With less than twice that left, ROUTINE messages are
# refused, then PRIORITY, then IMMEDIATE; CEASE, SAFETY and answers never.
reserve_mib = {reserve_mib}
# Where the node keeps how far it has signed: a small file. Name one on another disk than this
# folder, so that a backup put back here does not put it back too.
guard_path = "{guard_path}"

# Third witnesses, none by default: each signs how far your chains have come, so that they cannot
# be rewritten unseen. It learns lengths, roots, parties and when they grow; no message. Their
# tables stand last: a setting below one would be taken for a part of it.
{witnesses}
"""

_NO_WITNESS = """\
# [[witness]]
# vkey = "agency.example/w1+6a40fc16+BN2a..."
# url = "https://agency.example:8444"
# trust = "agency.pem"
# every_s = 300\
"""
_WITNESS = """\
[[witness]]
vkey = "{one.vkey}"
url = "{one.url}"
trust = "{one.trust}"
every_s = {one.every_s}\
"""
MOST_WITNESSES = 4


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address to listen on. Port 0 takes any free one.

    >>> str(Endpoint.parse("[::1]:8443"))
    '[::1]:8443'
    """

    host: str
    port: int

    def __post_init__(self) -> None:
        if not (_is_address(self.host) or _HOST.fullmatch(self.host)):
            raise ConfigurationError(
                "a host is neither an IP address nor a name", given=repr(self.host[:80])
            )
        if not 0 <= self.port <= 65_535:
            raise ConfigurationError(
                "a port is out of range", given=str(self.port), expected="0 to 65535"
            )

    @classmethod
    def parse(cls, text: str) -> "Endpoint":
        """Return the endpoint written as ``host:port`` or ``[IPv6]:port``.

        Raises:
            ConfigurationError: it is not written so.
        """
        match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+)):([0-9]{1,5})", text)
        if match is None:
            raise ConfigurationError(
                "an address to listen on cannot be read",
                given=repr(text[:80]),
                expected="host:port, as in 127.0.0.1:8443 or [::1]:8443",
            )
        return cls(match[1] or match[2], int(match[3]))

    @property
    def is_loopback(self) -> bool:
        """True exactly when only this machine can reach it."""
        if self.host == "localhost":
            return True
        return _is_address(self.host) and ipaddress.ip_address(self.host).is_loopback

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ThirdWitness:
    """A third witness that this node asks.

    Args:
        vkey: its key as it gave it, ``NAME+KEYID+BASE64``: the name is in it.
        url: its submission prefix, ``https://host:port`` or with a path.
        trust: a PEM file with the certificates that TLS trusts for it: its own, or a root;
            absolute or from the node's folder on.
        every_s: how often it is asked at most, 10 s to a day; it learns the pace of a line no
            finer.

    Raises:
        ConfigurationError: any of them is not of that form.
    """

    vkey: str
    url: str
    trust: str
    every_s: int = 300

    def __post_init__(self) -> None:
        try:
            kind = NoteKey.from_text(self.vkey).kind
        except (InvalidDocumentError, WeakKeyError) as error:
            raise ConfigurationError(
                "the key of a witness cannot be used",
                given=self.vkey[:200],
                expected=error.expected,
                remedy="copy the whole line that its owner gave you",
            ) from error
        if kind is not NoteKind.WITNESS:
            raise ConfigurationError(
                "the key of a witness is of another kind",
                given=self.vkey[:200],
                expected="an Ed25519 key for cosignature/v1 (type 0x04)",
            )
        prefix, _, path = self.url.removeprefix("https://").partition("/")
        require_url(f"https://{prefix}")
        if not self.url.startswith("https://") or not _PREFIX.fullmatch(path):
            raise ConfigurationError(
                "the URL of a witness cannot be used",
                given=repr(self.url[:120]),
                expected="https://host:port, or with a path",
            )
        if not _PATH.fullmatch(self.trust):
            raise ConfigurationError(
                "the file of certificates trusted for a witness cannot be used",
                given=repr(self.trust[:80]),
                expected="a path of 1 to 1,000 characters, without quotes and backslashes",
            )
        if not 10 <= self.every_s <= 86_400:
            raise ConfigurationError(
                "how often a witness is asked is out of range",
                given=f"every_s {self.every_s}",
                expected="10 to 86400",
            )

    @property
    def key(self) -> NoteKey:
        """What its cosignatures are verified with."""
        return NoteKey.from_text(self.vkey)

    @classmethod
    def of(cls, table: Any) -> "ThirdWitness":
        """Return the witness that a table of ``node.toml`` describes; raises as the class."""
        kinds = {"vkey": str, "url": str, "trust": str, "every_s": int}
        sound = isinstance(table, dict) and all(
            type(value) is kinds.get(key) for key, value in table.items()
        )
        if not sound or not {"vkey", "url", "trust"} <= table.keys():
            raise ConfigurationError(
                "a [[witness]] in node.toml cannot be used",
                given=repr(table)[:120],
                expected="vkey, url and trust, each a text; every_s a whole number, or left out",
            )
        return cls(**table)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a node.

    Args:
        party: who signs: lower-case letters, digits and hyphens, at most 32.
        desks: the desks on watch, 1 to 8, in the order in which alerts go to them.
        languages: of the desks, from ``en``, ``ru`` and ``ar``; the first is the default.
        peer_listen: where the node listens for other parties' nodes.
        peer_url: what other parties call; empty for the URL of ``peer_listen``.
        second_peer_listen: where the node listens besides, on its second network path; None for at
            one address only.
        second_peer_url: what other parties call on the second path; empty for the URL of
            ``second_peer_listen``, and without that for no second path.
        operators_listen: where own operators reach the node; loopback only, since it is plain HTTP.
        release_persons: how many persons a declaration, terms, a readout, the end of a CEASE, what
            is taken away and who is let in need, 1 or 2.
        reserve_mib: what is kept on the disk for alerts, MiB, 64 to 65,536.
        guard_path: the guard's file, absolute or from the node's folder on.
        witness: third witnesses to be asked, at most 4, each with a name of its own.

    Raises:
        ConfigurationError: any of them is not of that form.
    """

    party: str
    desks: tuple[str, ...] = ("watch", "second")
    languages: tuple[str, ...] = DEFAULT_LANGUAGES
    peer_listen: Endpoint = Endpoint("127.0.0.1", 8443)
    peer_url: str = ""
    operators_listen: Endpoint = Endpoint("127.0.0.1", 8080)
    release_persons: int = 1
    second_peer_listen: Endpoint | None = None
    second_peer_url: str = ""
    reserve_mib: int = 64
    guard_path: str = "guard/guard"
    witness: tuple[ThirdWitness, ...] = ()

    def __post_init__(self) -> None:
        require_party(self.party)
        for desk in self.desks:
            require_desk(desk)
        _require_distinct("desks", self.desks, MOST_DESKS)
        _require_distinct("languages", self.languages, len(LANGUAGES))
        for language in self.languages:
            if language not in LANGUAGES:
                raise ConfigurationError(
                    "this node does not speak a language of its settings",
                    given=repr(language),
                    expected=", ".join(LANGUAGES),
                )
        if not self.peer_url:
            object.__setattr__(self, "peer_url", f"https://{self.peer_listen}")
        require_url(self.peer_url)
        self._require_second_path()
        if self.release_persons not in (1, 2):
            raise ConfigurationError(
                "the number of persons who release cannot be used",
                given=f"release_persons {self.release_persons}",
                expected="1 or 2",
            )
        if not LEAST_RESERVE_MIB <= self.reserve_mib <= MOST_RESERVE_MIB:
            raise ConfigurationError(
                "the room kept for alerts is too small or too large",
                given=f"reserve_mib {self.reserve_mib}",
                expected=f"{LEAST_RESERVE_MIB} to {MOST_RESERVE_MIB}",
            )
        if not _PATH.fullmatch(self.guard_path):
            raise ConfigurationError(
                "the path of the guard cannot be used",
                given=f"guard_path {self.guard_path[:80]!r}",
                expected="a path of 1 to 1,000 characters, without quotes and backslashes",
            )
        names = [one.key.name for one in self.witness]
        if len(names) > MOST_WITNESSES or len(set(names)) != len(names):
            raise ConfigurationError(
                "the list of witnesses cannot be used",
                given=", ".join(names)[:120],
                expected=f"at most {MOST_WITNESSES}, each name once",
            )
        if not self.operators_listen.is_loopback:
            raise ConfigurationError(
                "the operators' door would be open to the network in plain HTTP",
                given=f"operators_listen {self.operators_listen}",
                expected="a loopback address such as 127.0.0.1:8080",
                remedy="keep it on loopback and reach it through SSH or a TLS proxy on this "
                "machine",
            )

    @property
    def language(self) -> str:
        """The language of a desk that has chosen none."""
        return self.languages[0]

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts under which other parties reach the node: the names in its certificate."""
        hosts = [urlsplit(url).hostname or "" for url in self.peer_urls]
        hosts += [
            listen.host
            for listen in self.peer_listens
            if not (_is_address(listen.host) and ipaddress.ip_address(listen.host).is_unspecified)
        ]
        return tuple(dict.fromkeys(hosts))

    @property
    def peer_listens(self) -> tuple[Endpoint, ...]:
        """Where the node listens for other parties' nodes, one or two addresses."""
        second = self.second_peer_listen
        return (self.peer_listen,) if second is None else (self.peer_listen, second)

    @property
    def peer_urls(self) -> tuple[str, ...]:
        """What other parties call, one URL for each network path, the preferred one first."""
        return (self.peer_url, self.second_peer_url) if self.second_peer_url else (self.peer_url,)

    @classmethod
    def parse(cls, text: str) -> "Settings":
        """Return the settings written in ``node.toml``.

        Raises:
            ConfigurationError: not TOML, a key missing, unknown or of the wrong kind.

        >>> Settings.parse(Settings("blue").render()) == Settings("blue")
        True
        """
        try:
            found = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(
                "node.toml is not TOML",
                given=str(error),
                remedy="correct it; quote each text, put lists in brackets",
            ) from error
        unknown = sorted(found.keys() - cls.__slots__)
        if unknown:
            raise ConfigurationError(
                "node.toml has a setting that this version does not know",
                given=", ".join(unknown)[:120],
                expected="only " + ", ".join(cls.__slots__),
            )
        if "party" not in found:
            raise ConfigurationError("node.toml does not say whose node this is", expected="party")
        settings: dict[str, Any] = {}
        for key, value in found.items():
            kind, words = _KINDS.get(key, (str, "text"))
            listed = value if isinstance(value, list) else []
            texts = [] if key == "witness" else listed
            # In Python true is a number, in a file it is not.
            if type(value) is not kind or not all(isinstance(text, str) for text in texts):
                raise ConfigurationError(
                    f"{key} in node.toml is of the wrong kind",
                    given=repr(value)[:80],
                    expected=words,
                )
            if key == "witness":
                settings[key] = tuple(ThirdWitness.of(table) for table in listed)
            elif kind is list:
                settings[key] = tuple(texts)
            else:
                settings[key] = Endpoint.parse(str(value)) if key.endswith("_listen") else value
        return cls(**settings)

    def render(self) -> str:
        """Return the text of ``node.toml``; :meth:`parse` reads back the same settings."""
        # No value needs escaping: none can hold a quote or a backslash.
        second = []
        if self.second_peer_listen is not None:
            second.append(f'second_peer_listen = "{self.second_peer_listen}"')
        if self.second_peer_url:
            second.append(f'second_peer_url = "{self.second_peer_url}"')
        return TEMPLATE.format(
            party=self.party,
            desks=", ".join(f'"{desk}"' for desk in self.desks),
            languages=", ".join(f'"{language}"' for language in self.languages),
            peer_listen=self.peer_listen,
            peer_url=self.peer_url,
            second="\n".join(second) or _NO_SECOND,
            operators_listen=self.operators_listen,
            release_persons=self.release_persons,
            reserve_mib=self.reserve_mib,
            guard_path=self.guard_path,
            witnesses="\n\n".join(_WITNESS.format(one=one) for one in self.witness) or _NO_WITNESS,
        )

    def _require_second_path(self) -> None:
        listen = self.second_peer_listen
        if not self.second_peer_url and listen is not None:
            object.__setattr__(self, "second_peer_url", f"https://{listen}")
        if self.second_peer_url:
            require_url(self.second_peer_url)
        if self.second_peer_url.lower() == self.peer_url.lower() or (
            listen == self.peer_listen and listen.port
        ):
            raise ConfigurationError(
                "both network paths lead to the same address",
                given=f"{self.second_peer_listen or self.second_peer_url}",
                expected="another address, port or network than that of the first path",
            )


def require_party(party: str) -> str:
    """Return the party's name; raises ConfigurationError when it is not of the agreed form."""
    return _require_identifier("party", party)


def require_desk(desk: str) -> str:
    """Return the desk's name; raises ConfigurationError when it is not of the agreed form."""
    return _require_identifier("desk", desk)


def require_url(url: str) -> str:
    """Return the URL of a node's door.

    Raises:
        ConfigurationError: it is anything but ``https://host`` or ``https://host:port``.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    spelled = Endpoint(host, port or 443) if _is_address(host) or _HOST.fullmatch(host) else None
    written = {f"https://{spelled}", f"https://{str(spelled).removesuffix(':443')}"}
    if spelled is None or port == 0 or url.lower() not in {form.lower() for form in written}:
        raise ConfigurationError(
            "the URL under which other parties reach a node cannot be used",
            given=repr(url[:120]),
            expected="https://host:port, without path, user or query",
        )
    return url


def _require_identifier(what: str, name: str) -> str:
    if _IDENTIFIER.fullmatch(name) is None:
        raise ConfigurationError(
            f"the name of a {what} cannot be used",
            given=repr(name[:80]),
            expected="1 to 32 lower-case letters a-z, digits and hyphens, no hyphen first",
        )
    return name


def _require_distinct(what: str, values: tuple[str, ...], most: int) -> None:
    if not 1 <= len(values) <= most or len(set(values)) != len(values):
        raise ConfigurationError(
            f"the list of {what} cannot be used",
            given=", ".join(values)[:120] or "none",
            expected=f"1 to {most}, each once",
        )
