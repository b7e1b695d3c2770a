"""What we declared to one peer and not to another is held against the other's declarations too.

We may tell each peer as much as we like. Our own planners all the same have to know when a plan
comes too close to what any peer declared, whether or not that peer was told of it. Nobody but our
own desks learns of it here, and nothing that one peer declared goes to another.
"""

from collections.abc import Sequence

from deconflict.node.declared import Declared
from deconflict.node.picture import Picture

__all__ = ["hold_untold"]


def hold_untold(pictures: Sequence[Picture]) -> tuple[str, ...]:
    """Have each line's picture hold what we declared on the others, and not or not so new on it.

    Only what changed since the last call is looked at; return the keys of that.
    """
    changed = {key for picture in pictures for key in picture.take_own_changes()}
    for key in sorted(changed):
        newest = _newest([held for one in pictures if (held := one.own_of(key)) is not None])
        for picture in pictures:
            here = picture.own_of(key)
            untold = newest is not None and (here is None or _revision(here) < _revision(newest))
            picture.hold_untold(key, newest if untold else None)
    return tuple(sorted(changed))


def _newest(held: Sequence[Declared]) -> Declared | None:
    return max(held, key=_revision, default=None)


def _revision(declared: Declared) -> int:
    return declared.sound.revision
