"""Commands talk to their own node over its loopback API; this is the whole of it.

Nothing here decides anything: it carries a request, and turns an error answer back into the error
that the node raised.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn
from urllib.parse import quote

import click
import httpx

from deconflict import errors
from deconflict.cli.options import node_folder
from deconflict.cli.output import clean
from deconflict.errors import (
    ConfigurationError,
    DeconflictError,
    InvalidInputError,
    NodeUnreachableError,
    NotAuthenticatedError,
    NotFoundError,
)

__all__ = ["NodeClient", "StreamEvent", "token_path"]

LOGINS = "tokens"  # folder in the node's folder
SHORTEST_PREFIX = 4
SEARCHED_BACK = 1000  # messages of each direction looked through for the beginning of an id
TIMEOUT_S = 30.0
_LASTS = re.compile(r"(\S+) until ([0-9T:.-]+Z)")  # as the node's answers say it


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One entry of the node's live stream."""

    event_id: int
    kind: str
    data: dict[str, Any]


class NodeClient:
    """One login at one running node.

    Args:
        url: where the node's operators' API listens.
        token: of a login, or None for what needs none.
        language: of the node's desks.
    """

    def __init__(self, url: str, token: str | None, language: str = "en") -> None:
        # What the node words is in the language of what is worded here, whatever the account's.
        headers = {"Deconflict-Language": language}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self.url = url
        self._language = language
        self._drill_said = False
        self._drill_with: list[str] = []  # the peers, as the last answer named them
        self._actions: frozenset[str] | None = None
        # No proxy and no netrc from the environment: the token goes to the node and nowhere else.
        self._http = httpx.Client(
            base_url=f"{url}/api/v1", headers=headers, timeout=TIMEOUT_S, trust_env=False
        )

    @classmethod
    def of(cls, node_dir: Path | None, account: str | None) -> "NodeClient":
        """Return a client for the node of this folder, with the login kept in it.

        Raises:
            ConfigurationError: there is no node folder there.
            NotAuthenticatedError: nobody, or not this account, is logged in.
            InvalidInputError: several accounts are logged in and none was named.
        """
        from deconflict.node.folder import read_settings

        folder = node_folder(node_dir)
        settings = read_settings(folder)
        url = f"http://{settings.operators_listen}"
        return cls(url, _token(folder, account), settings.language)

    def __enter__(self) -> "NodeClient":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    # -- requests -----------------------------------------------------------------------------

    def get(self, *parts: str, **query: object) -> Any:
        """Return the JSON answer to a GET of ``/part/part``; None values are left out."""
        return self._ask("GET", parts, params=_given(query))

    def post(self, *parts: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON answer to a POST of a JSON object."""
        return self._ask("POST", parts, json=dict(body or {}))

    def put(self, *parts: str, body: Mapping[str, Any]) -> Any:
        """Return the JSON answer to a PUT of a JSON object."""
        return self._ask("PUT", parts, json=dict(body))

    def delete(self, *parts: str) -> Any:
        """Return the JSON answer to a DELETE."""
        return self._ask("DELETE", parts)

    def post_bytes(self, *parts: str, data: bytes) -> Any:
        """Return the JSON answer to a POST of bytes."""
        octets = {"Content-Type": "application/octet-stream"}
        return self._ask("POST", parts, content=data, headers=octets)

    def download(self, *parts: str) -> Iterator[bytes]:
        """Yield the bytes of an answer as they come."""
        try:
            with self._http.stream("GET", _path(parts)) as answer:
                self._say_drill(answer.headers.get("Deconflict-Drill"))
                if answer.is_error:
                    answer.read()
                    _raise_answer(answer)
                yield from answer.iter_bytes()
        except httpx.HTTPError as error:
            self._unreachable(error)

    def events(self, after: int | None = None) -> Iterator[StreamEvent]:
        """Yield live events for as long as the node runs; ``after`` resumes a broken stream."""
        # The node sends a comment line every 10 s, so three times that means it is gone.
        timeout = httpx.Timeout(TIMEOUT_S, read=30.0)
        try:
            with self._http.stream(
                "GET", "events", params=_given({"after": after}), timeout=timeout
            ) as answer:
                self._say_drill(answer.headers.get("Deconflict-Drill"))
                if answer.is_error:
                    answer.read()
                    _raise_answer(answer)
                yield from _parse_events(answer.iter_lines())
        except httpx.HTTPError as error:
            self._unreachable(error)

    def may(self, action: str) -> bool:
        """Return whether a role of this account allows an action; the node is asked once."""
        if self._actions is None:
            self._actions = frozenset(self.get("me")["actions"])
        return action in self._actions

    def lines(self) -> list[dict[str, Any]]:
        """Return all lines; to who may not read them, as a humanitarian notifier: how they are."""
        return list(self.get("lines") if self.may("read") else self.get("sites", "lines"))

    def marks(self, drill: bool | None, lines: Sequence[str]) -> bool:
        """Return whether what is written on these lines (on all, when none is named) is a drill."""
        if drill is not None:
            return drill
        if not self.may("read"):  # every answer says it, whoever asked
            return any(not lines or peer in lines for peer in self._drill_with)
        return any(
            each["drill_until_utc"]
            for each in self.lines()
            if not lines or each["peer"] in lines or each["line_id"] in lines
        )

    def declarations(self, *, active: bool) -> list[dict[str, Any]]:
        """Return the declarations, own and the peers'; ``active`` leaves out what is over.

        To who may not read them, as a humanitarian notifier: the own protected sites.
        """
        if not self.may("read"):
            return self.sites(active=active)
        return list(self.get("declarations", active=str(active).lower()))

    def sites(self, *, active: bool) -> list[dict[str, Any]]:
        """Return the own protected sites; ``active`` leaves out what is over."""
        return list(self.get("sites", active=str(active).lower()))

    # -- finding things by the beginning of their id ------------------------------------------

    def line(self, wanted: str | None) -> dict[str, Any]:
        """Return the line with this peer or id; the only line when None.

        Raises:
            NotFoundError: there is no such line.
            InvalidInputError: several lines fit.
        """
        lines = self.lines()
        peers = ", ".join(sorted(line["peer"] for line in lines))
        if wanted is None and not lines:
            raise NotFoundError(
                "this node has no line yet",
                remedy="pin the other party with `deconflict peer add FILE`, then restart the node",
            )
        fitting = [
            line
            for line in lines
            if wanted is None or line["peer"] == wanted or _fits(line["line_id"], wanted)
        ]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise InvalidInputError(
                "which line?", given=wanted or "none", expected=f"--line with one of {peers}"
            )
        raise NotFoundError("there is no such line", given=str(wanted), expected=f"one of {peers}")

    def declaration(self, wanted: str) -> dict[str, Any]:
        """Return the declaration whose id begins so.

        Raises:
            NotFoundError: there is none.
            InvalidInputError: several begin so.
        """
        return _one(
            self.declarations(active=False),
            wanted,
            lambda one: (one["declaration_id"],),
            "declaration",
            "`deconflict declare --list`",
        )

    def conflict(self, wanted: str) -> dict[str, Any]:
        """Return the present conflict whose id, or whose alert's id, begins so.

        Raises:
            NotFoundError: there is none.
            InvalidInputError: several begin so.
        """
        alerts = {one["subject"]: one["alert_id"] for one in self.get("alerts")}
        return _one(
            self.get("conflicts"),
            wanted,
            lambda one: (one["conflict_id"], alerts.get(one["conflict_id"])),
            "conflict",
            "`deconflict check`",
        )

    def incident(self, wanted: str, *, line: str | None) -> dict[str, Any]:
        """Return the incident whose id begins so, whole; on this line, where it is on several.

        Raises:
            NotFoundError: there is none.
            InvalidInputError: several begin so.
        """
        whole = wanted
        if len(wanted) != 32:
            whole = _one(
                self.get("incidents"),
                wanted,
                lambda one: (one["incident_id"],),
                "incident",
                "`deconflict incident list`",
            )["incident_id"]
        found: dict[str, Any] = self.get("incidents", whole, line=line)
        return found

    def talk(self, wanted: str) -> dict[str, Any]:
        """Return the call that is asked for or arranged, by the beginning of any id of it.

        Raises:
            NotFoundError: there is none.
            InvalidInputError: too short, or several begin so.
        """
        return _one(
            self.get("talks"),
            wanted,
            lambda talk: (talk["talk_id"], talk["message"], talk["call_id"]),
            "call",
            "deconflict line call list --all",
        )

    def call(self, wanted: str) -> dict[str, Any]:
        """Return the call that was held or arranged, by the beginning of any id of it.

        Raises:
            NotFoundError: there is none.
            InvalidInputError: too short, or several begin so.
        """
        calls = self.get("calls")
        talks = {talk["call_id"]: talk for talk in self.get("talks") if talk["call_id"]}

        def names(call: dict[str, Any]) -> Sequence[str | None]:
            records = (record["message"] for record in call["records"])
            readouts = (readout["message"] for readout in call["readouts"])
            talk = talks.get(call["call_id"], {})
            return (call["call_id"], talk.get("talk_id"), *records, *readouts)

        return _one(calls, wanted, names, "call", "deconflict line call list --all")

    def message(self, wanted: str) -> dict[str, Any]:
        """Return the message whose hash is or begins so, searching each line's latest messages.

        To who may not read them, as a humanitarian notifier: of those about own sites.

        Raises:
            NotFoundError: there is none among them.
            InvalidInputError: several begin so.
        """
        where = ("messages",) if self.may("read") else ("sites", "messages")
        if len(wanted) == 64:
            found: dict[str, Any] = self.get(*where, wanted)
            return found
        recent: list[dict[str, Any]] = []
        if not self.may("read"):
            recent = self.site_messages(last=SEARCHED_BACK)
            return _one(recent, wanted, lambda one: (one["hash"],), "message", "`deconflict log`")
        for line in self.lines():
            for direction in ("out", "in"):
                recent += self.messages(line["line_id"], direction=direction, last=SEARCHED_BACK)
        return _one(recent, wanted, lambda one: (one["hash"],), "message", "`deconflict log`")

    def messages(
        self, line_id: str, *, direction: str, after_seq: int = 0, last: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the messages of one direction of a line, in its order, page by page.

        With ``last``, the latest so many: steps of private checks are no messages of theirs.
        """
        wanted: dict[str, Any] = {"direction": direction, "limit": 200}
        begin: dict[str, int] = {"after_seq": after_seq} if last is None else {"last": last}
        while True:
            page: list[dict[str, Any]] = self.get("lines", line_id, "messages", **wanted, **begin)
            yield from page
            if not page:
                return
            begin = {"after_seq": page[-1]["position"]}

    def site_messages(self, *, last: int) -> list[dict[str, Any]]:
        """Return the latest messages about own sites, and notifiers' warnings with answers."""
        return list(self.get("sites", "messages", limit=last))

    # -- inside -------------------------------------------------------------------------------

    def _ask(self, method: str, parts: Sequence[str], **content: Any) -> Any:
        try:
            answer = self._http.request(method, _path(parts), **content)
        except httpx.HTTPError as error:
            self._unreachable(error)
        self._say_drill(answer.headers.get("Deconflict-Drill"))
        if answer.is_error:
            _raise_answer(answer)
        return answer.json() if answer.content else None

    def _say_drill(self, lasts: str | None) -> None:
        """Say once, before anything else, that an exercise of this side lasts; not to programs."""
        self._drill_with = [peer for peer, _ in _LASTS.findall(lasts or "")]
        context = click.get_current_context(silent=True)
        if lasts is None or self._drill_said or context is None or context.params.get("as_json"):
            return
        self._drill_said = True
        from deconflict.messages.phrases import render_named

        for peer, until in _LASTS.findall(clean(lasts)):
            values = {"peer": peer, "until": until}
            said = render_named("DRILL_LASTS", values, self._language)
            click.echo(click.style(clean(said), fg="yellow", bold=True), err=True)

    def _unreachable(self, error: httpx.HTTPError) -> NoReturn:
        raise NodeUnreachableError(
            "your node does not answer",
            given=f"{self.url} ({type(error).__name__})",
            expected="a running node",
            remedy="start it with `deconflict serve`, or ask `deconflict doctor` what is wrong",
        ) from None


def token_path(folder: Path, account: str) -> Path:
    """Return where an account's login is kept."""
    return folder / LOGINS / f"{account}.token"


def _token(folder: Path, account: str | None) -> str:
    from deconflict.cli.options import private_text

    kept = sorted((folder / LOGINS).glob("*.token"))
    names = [path.stem for path in kept]
    if account is None and len(names) > 1:
        raise InvalidInputError(
            "several accounts are logged in",
            given=", ".join(names),
            expected="one of them",
            remedy="say which: --as ACCOUNT, or set DECONFLICT_ACCOUNT",
        )
    chosen = account or (names[0] if names else None)
    if chosen is None or chosen not in names:
        if chosen is not None and (folder / "accounts.sqlite").is_file():
            from deconflict.cli.account import open_accounts, require_enabled

            with closing(open_accounts(folder)) as accounts:
                require_enabled(accounts, chosen)
        raise NotAuthenticatedError(
            f"{chosen or 'nobody'} is not logged in",
            remedy=f"deconflict account login {chosen or 'NAME'}",
        )
    return private_text(token_path(folder, chosen)).strip()


def _path(parts: Sequence[str]) -> str:
    return "/".join(quote(part, safe="") for part in parts)


def _given(query: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in query.items() if value is not None}


def _fits(identifier: str, wanted: str) -> bool:
    return len(wanted) >= SHORTEST_PREFIX and identifier.startswith(wanted.lower())


def _one(
    found: Sequence[dict[str, Any]],
    wanted: str,
    names: Callable[[dict[str, Any]], Sequence[str | None]],
    what: str,
    listed_by: str,
) -> dict[str, Any]:
    if len(wanted) < SHORTEST_PREFIX:
        raise InvalidInputError(
            f"this is too short for the id of a {what}",
            given=wanted,
            expected=f"at least its first {SHORTEST_PREFIX} characters",
        )
    fitting = [one for one in found if any(name and _fits(name, wanted) for name in names(one))]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise InvalidInputError(
            f"{len(fitting)} {what}s begin so", given=wanted, expected="a longer part of the id"
        )
    raise NotFoundError(f"no {what} has this id", given=wanted, remedy=f"list them: {listed_by}")


def _raise_answer(answer: httpx.Response) -> NoReturn:
    """Raise the error that the node sent as JSON."""
    try:
        facts = json.loads(answer.content)["error"]
        name, problem = str(facts["type"]), str(facts["problem"])
        given, expected, remedy = (
            str(facts.get(key) or "") for key in ("given", "expected", "remedy")
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigurationError(
            "something answers here that is no deconflict node",
            given=f"{answer.url} answered {answer.status_code}",
            remedy="check the operators' address in node.toml",
        ) from None
    kind = getattr(errors, name, DeconflictError)
    if not (isinstance(kind, type) and issubclass(kind, DeconflictError)):
        kind = DeconflictError
    if issubclass(kind, errors.TooManyAttemptsError):
        kind = NotAuthenticatedError  # the seconds stand in the remedy: to log in at once is none
    elif issubclass(kind, NotAuthenticatedError):
        remedy = "log in again: deconflict account login NAME"
    raise kind(problem, given=given, expected=expected, remedy=remedy)


def _parse_events(lines: Iterator[str]) -> Iterator[StreamEvent]:
    """Read server-sent events (WHATWG HTML §9.2.6), of which the node uses id, event and data."""
    fields: dict[str, list[str]] = {}
    for line in lines:
        if line == "":
            if "data" in fields:
                yield StreamEvent(
                    int(fields.get("id", ["0"])[-1]),
                    fields.get("event", ["message"])[-1],
                    json.loads("\n".join(fields["data"])),
                )
            fields = {}
            continue
        name, _, value = line.partition(":")
        if name:  # a line that begins with a colon is a comment
            fields.setdefault(name, []).append(value.removeprefix(" "))
