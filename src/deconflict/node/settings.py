"""What a party chooses for its node: ``node.toml``, read strictly, written by template."""

import ipaddress
import re
import tomllib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from deconflict.errors import ConfigurationError

__all__ = ["LANGUAGES", "Endpoint", "Settings", "require_desk", "require_party", "require_url"]

LANGUAGES = ("en", "ru")
MOST_DESKS = 8
LEAST_RESERVE_MIB = 64  # 1,000 alerts, a write-ahead log and a window of the longest messages
MOST_RESERVE_MIB = 65_536
# What is no text.
_KINDS: dict[str, tuple[type, str]] = {
    "desks": (list, "a list of texts"),
    "languages": (list, "a list of texts"),
    "release_persons": (int, "1 or 2"),
    "reserve_mib": (int, "a whole number of MiB"),
}
_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_PATH = re.compile(r'[^"\\\x00-\x1f\x7f]{1,1000}')
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
"""


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
class Settings:
    """The settings of a node.

    Args:
        party: who signs: lower-case letters, digits and hyphens, at most 32.
        desks: the desks on watch, 1 to 8, in the order in which alerts go to them.
        languages: of the desks, from ``en`` and ``ru``; the first is the default.
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

    Raises:
        ConfigurationError: any of them is not of that form.
    """

    party: str
    desks: tuple[str, ...] = ("watch", "second")
    languages: tuple[str, ...] = LANGUAGES
    peer_listen: Endpoint = Endpoint("127.0.0.1", 8443)
    peer_url: str = ""
    operators_listen: Endpoint = Endpoint("127.0.0.1", 8080)
    release_persons: int = 1
    second_peer_listen: Endpoint | None = None
    second_peer_url: str = ""
    reserve_mib: int = 64
    guard_path: str = "guard/guard"

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
                    expected=" or ".join(LANGUAGES),
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
            texts = value if isinstance(value, list) else []
            # In Python true is a number, in a file it is not.
            if type(value) is not kind or not all(isinstance(text, str) for text in texts):
                raise ConfigurationError(
                    f"{key} in node.toml is of the wrong kind",
                    given=repr(value)[:80],
                    expected=words,
                )
            if kind is list:
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
