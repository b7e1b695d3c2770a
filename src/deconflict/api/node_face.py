"""What the API asks of a node, and nothing more; ``deconflict.node.runtime.Node`` has it all.

Written as a protocol so that the type checker compares the two, and so that the API is tested
without keys, peers and a disk.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from deconflict.messages.declaration import Declaration
from deconflict.node.actor import Actor
from deconflict.node.views import (
    AlertView,
    Checked,
    ConflictView,
    DeclarationView,
    EventView,
    HeldView,
    LineView,
    MessageView,
    NodeView,
    Posted,
    TermsView,
)

__all__ = ["NodeFace"]


class NodeFace(Protocol):
    """A running node, as people and integrators use it. ``line`` is a line's id or its peer."""

    def node(self) -> NodeView: ...
    def lines(self) -> tuple[LineView, ...]: ...
    def line(self, line: str) -> LineView: ...
    def terms(self, line: str) -> TermsView: ...
    async def propose_terms(self, actor: Actor, line: str, terms: dict[str, Any]) -> Posted: ...
    async def accept_terms(self, actor: Actor, line: str, terms_hash: str) -> Posted: ...
    async def reopen(self, actor: Actor, line: str) -> LineView: ...
    async def declare(
        self,
        actor: Actor,
        declarations: Sequence[Declaration],
        *,
        lines: Sequence[str] | None,
        drill: bool = False,
        release: str = "OWN_FORCES",
        as_written: bool = False,
    ) -> tuple[Posted, ...]: ...
    async def update(
        self,
        actor: Actor,
        declaration: Declaration,
        *,
        lines: Sequence[str] | None,
        drill: bool = False,
        release: str = "OWN_FORCES",
        as_written: bool = False,
    ) -> tuple[Posted, ...]: ...
    async def correct(
        self,
        actor: Actor,
        declaration: Declaration,
        *,
        lines: Sequence[str] | None,
        drill: bool = False,
        release: str = "OWN_FORCES",
        as_written: bool = False,
    ) -> tuple[Posted, ...]: ...
    async def cancel(
        self, actor: Actor, declaration_id: str, *, reason_number: int | None = None
    ) -> tuple[Posted, ...]: ...
    async def check(
        self,
        actor: Actor,
        drafts: Sequence[Declaration] | None,
        *,
        line: str | None = None,
        as_written: bool = False,
    ) -> Checked: ...
    async def send(
        self,
        actor: Actor,
        line: str,
        kind: str,
        body: dict[str, Any],
        *,
        ref: str | None = None,
        precedence: str | None = None,
        to_desk: str | None = None,
        drill: bool = False,
        release: str = "OWN_FORCES",
        lang: str | None = None,
        expires_after_ms: int | None = None,
        answer_within_ms: int | None = None,
    ) -> Posted: ...
    def held(self) -> tuple[HeldView, ...]: ...
    async def release(self, actor: Actor, held_id: str) -> tuple[Posted, ...]: ...
    async def withdraw(self, actor: Actor, held_id: str) -> HeldView: ...
    async def seen(self, actor: Actor, message_hash: str) -> Posted: ...
    async def messages(
        self, line: str, *, after_seq: int = 0, limit: int = 200, outgoing: bool | None = None
    ) -> tuple[MessageView, ...]: ...
    async def message(self, message_hash: str) -> MessageView: ...
    def declarations(self, *, active_only: bool = True) -> tuple[DeclarationView, ...]: ...
    async def conflicts(self) -> tuple[ConflictView, ...]: ...
    def alerts(self, *, open_only: bool = True) -> tuple[AlertView, ...]: ...
    def last_event_id(self) -> int: ...
    def events(self, after_id: int) -> AsyncIterator[EventView]: ...
    def export(self, actor: Actor, line: str) -> AsyncIterator[bytes]: ...
    async def disclose(self, actor: Actor, line: str, message_hash: str) -> bytes: ...
    async def fork(self, actor: Actor, line: str) -> bytes: ...
    async def health(self) -> Mapping[str, Any]: ...
