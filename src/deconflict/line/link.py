"""Is the peer there, and does it hear us? Beats both ways, that echo one another.

Each side sends a beat every second. A beat echoes the last one heard and says how long it was
held, so each side learns three things: that it hears the peer, that the peer hears it, and how
far the two UTC clocks are apart. A side is UP only while both directions are fresh; so when one
direction fails, **both** sides show DOWN.

Beats are not signed and prove nothing later: they travel inside the pinned connection, and decide
what the screen shows, never what is logged.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec

from deconflict.errors import InvalidDocumentError, WrongLineError, WrongSenderError
from deconflict.line.keys import RandomBytes
from deconflict.line.moment import Now
from deconflict.line.statement import LineId, Name

__all__ = [
    "BEAT_EVERY_MS",
    "DOWN_AFTER_MS",
    "ECHO_DOWN_AFTER_MS",
    "Beat",
    "Echo",
    "LinkMonitor",
    "LinkReason",
    "LinkState",
    "LinkStatus",
    "decode_beat",
    "encode_beat",
]

BEAT_EVERY_MS: Final = 1_000
DOWN_AFTER_MS: Final = 2_900  # three missed, and time left to show it within 3 s
# A beat that came through is echoed by the peer's next one, at most a second and a round trip
# later; one lost beat adds a second. Four seconds bear that and keep the promise of five.
ECHO_DOWN_AFTER_MS: Final = 4_000
_MAX_BEAT_BYTES: Final = 1_024
_REMEMBERED_BEATS: Final = 16

_Session = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{16}\Z")]
_Count = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
_Millis = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class Echo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last beat of yours that I heard.

    Attributes:
        session: your run that sent it.
        number: its number.
        held_ms: how long ago I heard it when I sent this, by my monotonic clock.
    """

    session: _Session
    number: _Count
    held_ms: _Millis


class Beat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """ "I am here." ``sender`` is spelled ``from``.

    Attributes:
        session: random, new at each start of the node; numbers begin again with it.
        number: 1, 2, 3 … in the session.
        utc_ms: my UTC clock as I send.
        echo: the last beat I heard, None before the first.
    """

    v: Literal[1]
    line: LineId
    sender: Name = msgspec.field(name="from")
    session: _Session
    number: _Count
    utc_ms: _Millis
    echo: Echo | None


class LinkStatus(StrEnum):
    """What the screen shows of the connection."""

    UNKNOWN = "UNKNOWN"  # just started: nothing to say yet
    UP = "UP"  # both directions are fresh
    DOWN = "DOWN"


class LinkReason(StrEnum):
    """Why the link is not UP."""

    NONE = "NONE"  # it is UP
    STARTING = "STARTING"
    NOT_HEARD = "NOT_HEARD"  # we hear nothing
    NOT_ECHOED = "NOT_ECHOED"  # we hear the peer, it does not hear us


@dataclass(frozen=True, slots=True)
class LinkState:
    """State of the connection.

    Attributes:
        status: UNKNOWN, UP or DOWN.
        reason: why not UP.
        since_utc_ms: since when the status holds, own UTC clock.
        last_heard_utc_ms: when the last beat came, own UTC clock; None for never.
        round_trip_ms: of the last echoed beat; None for never.
        clock_offset_ms: peer's UTC clock minus ours, right to half the round trip; None for
            never measured.
    """

    status: LinkStatus
    reason: LinkReason
    since_utc_ms: int
    last_heard_utc_ms: int | None = None
    round_trip_ms: int | None = None
    clock_offset_ms: int | None = None


class LinkMonitor:
    """One end's view of one connection. Sans-I/O: the caller sends and brings beats.

    Promises, whatever is lost, once :meth:`state` is asked in time (see
    :meth:`next_deadline_ms`): DOWN at most 3 s after the last beat heard; DOWN on both ends at
    most 5 s after either direction failed; never UP before a beat that echoes one of this run.

    Args:
        line_id: the line.
        own: own party.
        peer: the other party.
        random_bytes: for the session.
        now: time of the start.
    """

    def __init__(
        self, *, line_id: str, own: str, peer: str, random_bytes: RandomBytes, now: Now
    ) -> None:
        self._line: Final = line_id
        self._own: Final = own
        self._peer: Final = peer
        self._session: Final = random_bytes(8).hex()
        self._started_ms: Final = now.monotonic_ms
        self._number = 0
        self._next_beat_ms = now.monotonic_ms
        self._sent: dict[int, int] = {}  # number -> monotonic time of the last few beats
        self._last: Beat | None = None
        self._last_now = now
        self._echoed_sent_ms: int | None = None
        self._round_trip_ms: int | None = None
        self._peer_ahead_ms: int | None = None  # peer's UTC clock minus our monotonic one
        self._state = LinkState(LinkStatus.UNKNOWN, LinkReason.STARTING, now.utc_ms)

    @property
    def next_beat_ms(self) -> int:
        """The monotonic time of the next beat."""
        return self._next_beat_ms

    def beat(self, now: Now) -> Beat:
        """Return the next beat, to be sent at once; also fit as an answer to one that came."""
        self._number += 1
        self._sent[self._number] = now.monotonic_ms
        if len(self._sent) > _REMEMBERED_BEATS:
            del self._sent[next(iter(self._sent))]
        self._next_beat_ms = now.monotonic_ms + BEAT_EVERY_MS
        echo = None
        if self._last is not None:
            held_ms = now.monotonic_ms - self._last_now.monotonic_ms
            echo = Echo(self._last.session, self._last.number, held_ms)
        return Beat(1, self._line, self._own, self._session, self._number, now.utc_ms, echo)

    def heard_beat(self, beat: Beat, now: Now) -> None:
        """Take a beat that came. An older one of the same session changes nothing.

        Raises:
            WrongLineError: of another line.
            WrongSenderError: not of the peer.
        """
        if beat.line != self._line:
            raise WrongLineError(
                "the beat belongs to another line", given=beat.line, expected=self._line
            )
        if beat.sender != self._peer:
            raise WrongSenderError(
                "the beat is not of this line's peer", given=beat.sender, expected=self._peer
            )
        last = self._last
        if last is not None and beat.session == last.session and beat.number <= last.number:
            return
        self._last, self._last_now = beat, now
        echo = beat.echo
        if echo is not None and echo.session == self._session and echo.number in self._sent:
            sent_ms = self._sent[echo.number]
            self._echoed_sent_ms = max(self._echoed_sent_ms or sent_ms, sent_ms)
            round_trip_ms = max(0, now.monotonic_ms - sent_ms - echo.held_ms)
            self._round_trip_ms = round_trip_ms
            self._peer_ahead_ms = beat.utc_ms + round_trip_ms // 2 - now.monotonic_ms
        self.state(now)

    def state(self, now: Now) -> LinkState:
        """Return the state as of now."""
        status, reason = self._judge(now.monotonic_ms)
        since = self._state.since_utc_ms if status is self._state.status else now.utc_ms
        self._state = LinkState(
            status,
            reason,
            since,
            None if self._last is None else self._last_now.utc_ms,
            self._round_trip_ms,
            self._clock_offset_ms(now),
        )
        return self._state

    def next_deadline_ms(self) -> int:
        """Return the monotonic time of the next beat or change to DOWN."""
        heard_ms = self._started_ms if self._last is None else self._last_now.monotonic_ms
        times = [self._next_beat_ms]
        if self._state.status is not LinkStatus.DOWN:
            times.append(heard_ms + DOWN_AFTER_MS)
            if self._echoed_sent_ms is not None:
                times.append(self._echoed_sent_ms + ECHO_DOWN_AFTER_MS)
        return min(times)

    def _clock_offset_ms(self, now: Now) -> int | None:
        # Between two beats our own UTC clock may jump: what was measured is held against the other.
        if self._peer_ahead_ms is None:
            return None
        return self._peer_ahead_ms + now.monotonic_ms - now.utc_ms

    def _judge(self, at_ms: int) -> tuple[LinkStatus, LinkReason]:
        heard_ms = self._started_ms if self._last is None else self._last_now.monotonic_ms
        if at_ms - heard_ms >= DOWN_AFTER_MS:
            return LinkStatus.DOWN, LinkReason.NOT_HEARD
        if self._last is None:
            return LinkStatus.UNKNOWN, LinkReason.STARTING
        if self._echoed_sent_ms is not None:
            if at_ms - self._echoed_sent_ms < ECHO_DOWN_AFTER_MS:
                return LinkStatus.UP, LinkReason.NONE
            return LinkStatus.DOWN, LinkReason.NOT_ECHOED
        if at_ms - self._started_ms < ECHO_DOWN_AFTER_MS:
            return LinkStatus.UNKNOWN, LinkReason.STARTING
        return LinkStatus.DOWN, LinkReason.NOT_ECHOED


def encode_beat(beat: Beat) -> bytes:
    """Return a beat as it travels."""
    return msgspec.json.encode(beat)


def decode_beat(data: bytes) -> Beat:
    """Return the beat that ``data`` is exactly.

    Raises:
        InvalidDocumentError: it is not exactly one beat, as :func:`encode_beat` writes it.
    """
    problem = f"{len(data):,} bytes"
    if len(data) <= _MAX_BEAT_BYTES:
        try:
            beat = msgspec.json.decode(data, type=Beat)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            problem = str(error)[:120]
        else:
            if encode_beat(beat) == data:
                return beat
            problem = "another spelling"
    raise InvalidDocumentError(
        "this is not a beat", given=problem, expected="one beat", remedy="refuse it"
    )
