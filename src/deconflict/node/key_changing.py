"""A change of our key, line by line: each comes to the newest key at its own good moment.

The statement of the root is one for all lines; what brings the key in force is an EPOCH entry on
each. Nothing is lost by waiting for a moment in which the peer holds all that was said: then the
entry needs no question, and nothing is said again. On a line that is never so quiet the peer is
asked, as after a restore, and the line is mute for one exchange. A key that is revoked waits for
nobody. All of it begins anew from the record, so a start in any step goes on from what is durable.
"""

from collections.abc import Callable
from typing import Final

from deconflict.line.link import LinkStatus
from deconflict.line.moment import Now
from deconflict.node.line import Line
from deconflict.node.work import Work

__all__ = ["KeyChanging"]

_WAIT_FOR_QUIET_MS: Final = 3_000
_WAIT_FOR_ANSWER_MS: Final = 5_000


class KeyChanging:
    """Brings our newest key in force.

    Args:
        reopen: opens a fresh epoch on a mute line without the peer's word.
    """

    def __init__(self, reopen: Callable[[Line, Work, Now], None]) -> None:
        self._reopen = reopen
        self._since_ms: dict[str, int] = {}  # by line, since when its step is due

    def look(self, line: Line, work: Work, now: Now) -> None:
        """Take the next step on a line, if there is one to take now."""
        machine = line.machine
        if machine.resync.closing:
            return
        if machine.resync.changing_key:
            asked_ms = self._waited_ms(line, now)
            if line.monitor.state(now).status is LinkStatus.UP and asked_ms < _WAIT_FOR_ANSWER_MS:
                return
            # A peer that does not answer must not keep us mute: nothing of ours was lost.
            if machine.identity.own_keys.revokes:
                # If it holds more than we know, it refuses the epoch, and is asked then.
                self._open(line, work, now)
            else:
                self._since_ms.pop(line.line_id, None)
                machine.resync.keep_key()
        elif not self.is_due(line):
            self._since_ms.pop(line.line_id, None)
        elif machine.all_durable:
            revokes = machine.identity.own_keys.revokes
            status = line.monitor.state(now).status
            up = status is LinkStatus.UP
            if machine.resync.unasked and not (revokes and status is LinkStatus.DOWN):
                return  # the peer is asked first what was signed, as at every start
            if machine.own_head == machine.own_receipted or (revokes and not up):
                machine.resync.change_key()
                self._open(line, work, now)
            elif up and (revokes or self._waited_ms(line, now) >= _WAIT_FOR_QUIET_MS):
                machine.resync.change_key()
                self._since_ms[line.line_id] = now.monotonic_ms
                work.wake.add(line.line_id)

    @staticmethod
    def is_due(line: Line) -> bool:
        """True exactly when the line is whole and not yet spoken with our newest key."""
        machine = line.machine
        identity = machine.identity
        return (
            machine.resync.whole
            and not machine.resync.silence.key_refused
            and identity.own_keys.number > identity.own_ring.present.number
        )

    def _open(self, line: Line, work: Work, now: Now) -> None:
        self._since_ms.pop(line.line_id, None)
        self._reopen(line, work, now)
        work.wake.add(line.line_id)

    def _waited_ms(self, line: Line, now: Now) -> int:
        return now.monotonic_ms - self._since_ms.setdefault(line.line_id, now.monotonic_ms)
