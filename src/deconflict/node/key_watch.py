"""A running node takes up the key that was put in force in its folder, without a new start."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from deconflict.errors import DeconflictError

__all__ = ["watch_keys"]

logger = logging.getLogger("deconflict.keys")

_LOOK_S: Final = 2.0


async def watch_keys(
    path: Path, take_up: Callable[[], bool], nudge: Callable[[], None], *, look_s: float = _LOOK_S
) -> None:
    """Look at the folder's ``keys`` for ever; what is new there is taken up and told.

    A key that cannot be used changes nothing: the node goes on with the one it has, and says so in
    its log. A revocation cannot wait for a person to start the node again.

    Args:
        path: the directory.
        take_up: reads what is new; True when there was something.
        nudge: has time-driven conditions looked at soon.
        look_s: seconds between two looks.
    """
    seen = _changes(path)
    while True:
        await asyncio.sleep(look_s)
        found = _changes(path)
        if found == seen:
            continue
        seen = found
        try:
            # A sealed key takes most of a second to open: beats and alerts go on meanwhile.
            if await asyncio.to_thread(take_up):
                nudge()
        except (DeconflictError, OSError) as error:
            logger.warning("the new key is not taken up: %s", error)


def _changes(path: Path) -> frozenset[str]:
    # By name, for a file appears whole: two changes of a directory can bear one time.
    return frozenset(file.name for file in path.glob("change-*.json"))
