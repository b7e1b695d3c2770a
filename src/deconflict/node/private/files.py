"""What a private check must never show: what we fly, and the seed of each run.

In the node's folder, for the owner's eyes only, and never in the record, its copies or a log::

    private/plan-<line>.json            what the next runs on a line check
    private/<proposal>-<run>.json       what one run was begun with: plan, seed, coin, nonce

The second is on the disk before the HELLO of its run is said: after a crash the same bytes follow
from it again, and without it nothing more may be said in that run. It is erased when the retention
of the terms is over. A seed beside the transcript is the plan.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from deconflict.errors import ConfigurationError, InvalidDocumentError
from deconflict.messages.declaration import (
    Declaration,
    declaration_from_wire,
    declaration_to_wire,
)
from deconflict.node.files import refuse_readable_by_others, write_atomically
from deconflict.store.directory import sync_directory

__all__ = ["PlanFile", "PrivateFiles", "RunFile", "SecretFolder", "line_name"]

_NAME: Final = re.compile(r"([0-9a-f]{16})-([0-9]{1,4})\.json")
_LINE: Final = re.compile(r"[0-9A-Za-z_-]{1,80}")
_PROPOSAL_CHARS: Final = 16
_Kept = TypeVar("_Kept")


class PlanFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a party flies, as far as it wants it checked privately.

    Attributes:
        set_utc: since when it is this.
        sorties: in the signed form of declarations, which are never said; empty when nothing flies.
    """

    set_utc: str
    sorties: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, declarations: tuple[Declaration, ...], set_utc: str) -> "PlanFile":
        """Return the plan of some declarations."""
        return cls(set_utc, tuple(declaration_to_wire(each) for each in declarations))

    def declarations(self) -> tuple[Declaration, ...]:
        """Return what flies, in the order in which it was set."""
        return tuple(declaration_from_wire(each) for each in self.sorties)

    def __repr__(self) -> str:
        """Say since when it is, and nothing of it."""
        return f"PlanFile({self.set_utc!r}, ...)"


class RunFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one side of one run was begun with. Never shown, not even in errors.

    Attributes:
        line_id: where.
        proposal: hash of the PRIVATE_PROPOSE.
        run: its number.
        drawn_utc: when it was drawn.
        expires_utc: what its HELLO says.
        start_ms: when its period begins.
        erase_ms: when the retention that was agreed is over, UTC.
        plan: the canonical text of its tubes and areas, as committed to.
        names: of each sortie, its label and of how many tubes and areas it is, in their order.
        seed, coin, nonce: 64 hex digits each.
    """

    line_id: str
    proposal: str
    run: int
    drawn_utc: str
    expires_utc: str
    start_ms: int
    erase_ms: int
    plan: str
    names: tuple[tuple[str, int], ...]
    seed: str
    coin: str
    nonce: str

    def __repr__(self) -> str:
        """Say which run it is of, and nothing of it."""
        return f"RunFile({self.proposal[:16]!r}, {self.run}, ...)"


class SecretFolder:
    """A folder for the owner's eyes. Only the node's own process writes in it.

    Args:
        folder: made when the first file is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, path: Path, kind: type[_Kept]) -> _Kept | None:
        """Return what a file holds; None where there is none."""
        try:
            refuse_readable_by_others(path)
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refused(path, error) from error
        try:
            return msgspec.json.decode(data, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            # Without the words of the decoder, which would show what it read.
            raise InvalidDocumentError(
                "a file of a private check is damaged",
                given=str(path),
                expected="what this node wrote",
                remedy="set the plan anew, or propose another check: this one is NOT CHECKED",
            ) from None

    def write(self, path: Path, value: Any) -> None:
        """Keep a value in the place of what was; on the disk when this returns."""
        try:
            if not self.folder.is_dir():
                self.folder.mkdir(mode=0o700)
                sync_directory(self.folder.parent)
            write_atomically(path, msgspec.json.encode(value), mode=0o600)
        except OSError as error:
            raise _refused(path, error) from error

    def erase(self, path: Path) -> bool:
        """Erase a file; True exactly when it was there."""
        try:
            path.unlink()
            sync_directory(self.folder)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _refused(path, error) from error
        return True


class PrivateFiles(SecretFolder):
    """Plans, and what runs were begun with."""

    # ---- what flies ------------------------------------------------------------------------

    def plan(self, line_id: str) -> PlanFile | None:
        """Return what is flown on a line; None where nobody said, which is not nothing.

        Raises:
            ConfigurationError: others than the owner may read the file.
            InvalidDocumentError: it is damaged.
        """
        return self.read(self._plan_path(line_id), PlanFile)

    def has_plan(self, line_id: str) -> bool:
        """True exactly when somebody said what is flown on a line."""
        return self._plan_path(line_id).exists()

    def set_plan(self, line_id: str, plan: PlanFile) -> None:
        """Keep what is flown on a line, in the place of what was.

        Raises:
            ConfigurationError: the disk refuses it.
        """
        self.write(self._plan_path(line_id), plan)

    def clear_plan(self, line_id: str) -> bool:
        """Forget what is flown on a line; True exactly when something was set."""
        return self.erase(self._plan_path(line_id))

    # ---- runs ------------------------------------------------------------------------------

    def run(self, proposal: str, run: int) -> RunFile | None:
        """Return what a run was begun with; None where it is not kept, or no more.

        Raises:
            ConfigurationError: others than the owner may read the file.
            InvalidDocumentError: it is damaged, or of another run.
        """
        kept = self.read(self._run_path(proposal, run), RunFile)
        if kept is not None and (kept.proposal, kept.run) != (proposal, run):
            raise InvalidDocumentError(
                "a file of a private check is of another run",
                given=f"{kept.proposal[:16]}, run {kept.run}",
                expected=f"{proposal[:16]}, run {run}",
                remedy="the run is NOT CHECKED: nothing may be said with another seed",
            )
        return kept

    def keep_run(self, run: RunFile) -> None:
        """Keep what a run is begun with; on the disk when this returns.

        Raises:
            ConfigurationError: the disk refuses it.
        """
        self.write(self._run_path(run.proposal, run.run), run)

    def erase_old(self, now_ms: int) -> int:
        """Erase what the retention of its terms is over for; return how many files that were.

        A damaged one is left: nobody can tell whose it is.

        Raises:
            ConfigurationError: the disk refuses it.
        """
        old = []
        for name, number in self.runs():
            path = self.folder / f"{name}-{number}.json"
            try:
                kept = self.read(path, RunFile)
            except InvalidDocumentError:
                continue
            if kept is not None and kept.erase_ms < now_ms:
                old.append(path)
        return sum(self.erase(path) for path in old)

    def runs(self) -> Iterator[tuple[str, int]]:
        """Yield of each run that is kept the first 16 digits of its proposal, and its number."""
        if not self.folder.is_dir():
            return
        for path in sorted(self.folder.iterdir()):
            if found := _NAME.fullmatch(path.name):
                yield found[1], int(found[2])

    # ---- inside ----------------------------------------------------------------------------

    def _plan_path(self, line_id: str) -> Path:
        return self.folder / f"plan-{line_name(line_id)}.json"

    def _run_path(self, proposal: str, run: int) -> Path:
        name = f"{proposal[:_PROPOSAL_CHARS]}-{run}.json"
        if not _NAME.fullmatch(name):
            raise InvalidDocumentError("no private check has such a name", given=name[:40])
        return self.folder / name


def line_name(line_id: str) -> str:
    """Return the id of a line, which is safe in the name of a file.

    Raises:
        InvalidDocumentError: it is none.
    """
    if not _LINE.fullmatch(line_id):
        raise InvalidDocumentError("no line has such an id", given=line_id[:40])
    return line_id


def _refused(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        "a file of a private check cannot be used",
        given=f"{path}: {error.strerror}",
        remedy="check the rights and the space of the disk",
    )
