"""A record of one run of a private check, really computed and really signed, whole or deviating."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.instant import format_utc
from deconflict.messages.agreement import terms_bytes
from deconflict.messages.private_bodies import (
    PrivateAccept,
    PrivateCoin,
    PrivateEnd,
    PrivateEndReason,
    PrivateMode,
    PrivatePropose,
    PrivateStep,
    StepWord,
    cut,
)
from deconflict.messages.terms import PartyTerms
from deconflict.messages.terms_defaults import default_terms
from deconflict.node.bundle import export_bundle
from deconflict.sealed.own import OwnSide, plan_bytes, side_of
from deconflict.sealed.steps import Step
from deconflict.sealed.tubes import Knot, Tube
from deconflict.store.base import Batch, EntryRow
from deconflict.store.parts import Parts
from deconflict.store.sqlite import SqliteStore
from private_samples import FIRST_MS, MINUTE_MS, document
from record_samples import KEYS, LINE, LINE_ROW, SECRETS, START_MS, Chain, terms_signed_by
from sealed_talk import Alter, Table, as_said, drawn

# Forty-one points in twenty slots: POINTS and EVALUATED are too long for a message.
DOCUMENT = document(
    slots=20,
    cadence_ms=20 * MINUTE_MS,
    points=41,
    cells_per_sortie_slot=8,
    bucket=1_024,
    reference=AltitudeReference.AMSL,
    audit_per_mille=1_000,
    arbiter="arbiter",
)
PERIOD_MS = FIRST_MS - FIRST_MS % (20 * MINUTE_MS) + 20 * MINUTE_MS
EXPIRES = format_utc(PERIOD_MS)


def holds(x_mm: int, *, level_tmm: int = 10_000_000, tmm: int = 0) -> Tube:
    """Somebody who stays at one place for a minute."""
    knots = tuple(Knot(PERIOD_MS + at, x_mm, 5_000_000, level_tmm + tmm) for at in (5_000, 50_000))
    return Tube(knots, aside_mm=10, below_tmm=0, above_tmm=0, shift_ms=0)


BLUE, NEAR, FAR = holds(5_000_000), holds(9_000_000), holds(150_000_000)


def side(party: str, plan: Iterable[Tube], number: int) -> OwnSide:
    grid, shape = DOCUMENT.grid(PERIOD_MS), DOCUMENT.shape(PERIOD_MS)
    return side_of(party, tuple(plan), grid, shape, drawn(number), expires_utc=EXPIRES)


class Record:
    """A check that blue proposes and red accepts, and what both say in its run.

    Args:
        sides: of blue and red; the honest ones if None.
        alter: what becomes of a step on its way, signed as it is then.
    """

    def __init__(self, sides: dict[str, OwnSide] | None = None, *, alter: Alter = as_said) -> None:
        self.chains = {"blue": Chain("blue"), "red": Chain("red", "d" * 32)}
        self.entries: list[EntryRow] = []
        self.data: list[bytes] = []  # of steps that travel in parts
        body = PrivatePropose(
            mode=PrivateMode.MUTUAL,
            grid=DOCUMENT.document_hash,
            start_utc=format_utc(PERIOD_MS),
            runs=1,
        )
        self.check = ""
        self.check = self.say("blue", "PRIVATE_PROPOSE", body)
        self.say("red", "PRIVATE_ACCEPT", PrivateAccept())
        self.table = Table(
            sides or {"blue": side("blue", [BLUE], 1), "red": side("red", [NEAR], 2)}, alter
        )
        self.found = self.table.play()
        for said in self.table.logs["blue"]:
            self.step(said.party, said.step)

    def say(self, party: str, kind: str, body: Any) -> str:
        built = msgspec.to_builtins(body)
        entry = self.chains[party].say(kind=kind, body=built, ref=self.check or None)
        self.entries.append(entry)
        return entry.hash

    def step(self, party: str, step: Step) -> None:
        body = PrivateStep.of(0, StepWord[step.kind.name], step.number, step.data)
        if body.parts:
            self.data.append(step.data)
        self.say(party, "PRIVATE_STEP", body)

    def end(self, party: str, reason: PrivateEndReason) -> None:
        self.say(party, "PRIVATE_END", PrivateEnd(run=0, reason=reason))

    def coin(self, party: str, coin: bytes) -> None:
        self.say(party, "PRIVATE_COIN", PrivateCoin(run=0, coin=coin.hex()))

    def bundle(self, parts: Parts | None, *, exported_ms: int = PERIOD_MS + 1) -> bytes:
        if parts is not None:
            for data in self.data:
                for part in cut(data):
                    parts.keep(part)
        people = [PartyTerms(party, "watch", "alternate", ("en",), 1) for party in KEYS]
        terms = terms_bytes(
            default_terms(line=LINE, parties=people, theatre="Coast", private_check=DOCUMENT)
        )
        said = Batch(
            lines=[LINE_ROW],
            terms=[terms_signed_by(party, terms) for party in KEYS],
            entries=self.entries,
        )
        with SqliteStore.open(":memory:") as store:
            store.commit(said)
            return b"".join(self._lines(store, parts, exported_ms))

    def opened(self, party: str) -> dict[str, object]:
        """The seed file of a party."""
        secret = drawn(1 if party == "blue" else 2)
        return {
            "party": party,
            "proposal": self.check,
            "run": 0,
            "seed": secret.seed.hex(),
            "coin": secret.coin.hex(),
        }

    def _lines(self, store: SqliteStore, parts: Parts | None, at_ms: int) -> Iterator[bytes]:
        return export_bundle(
            store,
            LINE,
            signer=SECRETS["blue"],
            peer_key=KEYS["red"],
            exported_utc_ms=at_ms,
            parts=parts,
        )


PLANS = {"blue": plan_bytes((BLUE,)), "red": plan_bytes((NEAR,))}
EARLY_MS = START_MS  # before any HELLO expires
