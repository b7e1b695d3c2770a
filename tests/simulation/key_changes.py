"""Keys changed at any time, also while disks are put back, and a thief who has every old one.

As :mod:`.restores`, with real keys: each party has a root, draws another key now and then, and
brings it in force with the peer's word or without. Whatever a thief signs with a key that is over,
and whatever change he makes up, must never be in a log.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from tests.simulation.copied_disk import Chain, Commit
from tests.simulation.disk import SimulatedDisk
from tests.simulation.restores import RestoreSimulation
from tests.simulation.restoring_party import RestoringParty
from tests.simulation.setting import PARTIES, LineViolationError

from deconflict.errors import UnknownKeyError
from deconflict.line.envelope import Envelope, SealedEnvelope, envelope_bytes, seal_envelope
from deconflict.line.epoch import EPOCH_KIND, EpochOpening, EpochReason
from deconflict.line.incoming import Outcome
from deconflict.line.key_change import ChangeReason, asked_change, signed_by_root
from deconflict.line.key_ring import KeyRing, OwnKeys
from deconflict.line.keys import SigningKey, VerifyKey
from deconflict.line.outgoing import OutgoingEntry
from deconflict.line.packets import Packet
from deconflict.line.receipt import RefusalReason
from deconflict.line.restored import LineIdentity
from deconflict.line.root import Root
from deconflict.line.statement import ChainPoint

ROOT_KEYS: Final = {
    party: SigningKey.from_seed(bytes([200 + number]) * 32) for number, party in enumerate(PARTIES)
}
ROOTS: Final = {party: Root([key.verify_key], 1) for party, key in ROOT_KEYS.items()}
THIEF: Final = SigningKey.from_seed(b"\x63" * 32)


def ring_over(chain: Chain, party: str, first: VerifyKey) -> KeyRing:
    """Return the keys of a party as its chain on a disk brought them."""
    ring = KeyRing(party, first, ROOTS[party])
    for epoch, entries in chain.epochs.items():
        ring.take(msgspec.json.decode(entries[0].data, type=Envelope), entries[0].signature.key_id)
        ring.enter(epoch)
    return ring


class ChangingParty(RestoringParty):
    """One honest party that changes its key."""

    own_keys: OwnKeys

    @property
    def runs_keys(self) -> "KeySimulation":
        assert isinstance(self.simulation, KeySimulation)
        return self.simulation

    def sealed(self, entry: OutgoingEntry) -> SealedEnvelope:
        identity = self.live.identity
        key = identity.own_keys.of(identity.own_ring.signer_of(entry.envelope))
        return seal_envelope(entry.data, key)

    def change_key(self) -> None:
        """Draw another key, or take up the one that waits, on a line that is whole."""
        resync = self.live.resync
        if not resync.whole or resync.closing or not self.live.all_durable:
            return
        keys = self.own_keys
        if keys.number == self.live.identity.own_ring.present.number:
            key = SigningKey.generate(self.simulation.rng.randbytes)
            revoked = self.simulation.rng.random() < 0.3
            asked = asked_change(
                party=self.name,
                first=keys.first.key_id,
                root=ROOTS[self.name],
                number=keys.number + 1,
                key=key,
                reason=ChangeReason.REVOKED if revoked else ChangeReason.ROTATED,
                created_utc="2015-09-30T00:00:00.000Z",
            )
            keys.add(key, signed_by_root(asked, ROOTS[self.name], ROOT_KEYS[self.name]))
            self.runs_keys.changes += 1
        resync.change_key()
        self.open_alone()

    def open_alone(self) -> None:
        """Without the peer's word: as `node.key_changing` has it, where it is for a key."""
        if not self.live.resync.changing_key or self.live.own_head == self.live.own_receipted:
            super().open_alone()
        elif self.own_keys.revokes and self.simulation.rng.random() < 0.3:
            # A receipt that was issued and never came may be broken, if its signer forgets it.
            self.restores += 1
            super().open_alone()

    def deliver(self, packet: Packet) -> None:
        try:
            super().deliver(packet)
        except UnknownKeyError:
            # Of a key that is over, or that this side has not heard of: the connection is cut.
            return

    def hear(self, sealed: SealedEnvelope) -> None:
        heard = self.live.hear(sealed, self.now, stored=self.stored)
        if heard.entries:
            entries = list(heard.entries)
            self.commit(Commit(peer=entries, then=[lambda: self.receipt_for(entries)]))
        for packet in (heard.receipt, heard.want):
            if packet is not None:
                self.to_send.append(packet)
        if heard.outcome is Outcome.EPOCH_REFUSED:
            self.to_send.append(self.live.refuse(sealed.hash, RefusalReason.BROKEN_CHAIN))
        made_up = sealed.hash in self.runs_keys.made_up
        if not made_up and any(
            evidence.reason not in ("ORPHAN_EPOCH", "OLD_KEY") for evidence in heard.evidence
        ):
            raise LineViolationError(
                f"I9 seed {self.simulation.seed}: {self.name} suspects an honest peer"
            )


class KeySimulation(RestoreSimulation):
    """One run: two parties that change their keys, and a thief."""

    def __init__(
        self,
        seed: int,
        *,
        blue: type[ChangingParty] = ChangingParty,
        red: type[ChangingParty] = ChangingParty,
    ) -> None:
        self.changes = 0
        self.thefts = 0
        self.made_up: set[str] = set()
        self._own_keys: dict[str, OwnKeys] = {}
        super().__init__(seed, blue=blue, red=red, real=True)

    def disk_of(self, name: str, peer: str) -> SimulatedDisk:
        return SimulatedDisk()

    @property
    def changing(self) -> Iterable[ChangingParty]:
        return [party for party in self.parties.values() if isinstance(party, ChangingParty)]

    def identity_of(self, name: str) -> LineIdentity:
        party = self.parties[name]
        assert isinstance(party, ChangingParty)
        peer = "red" if name == "blue" else "blue"
        keys = self._own_keys.setdefault(name, OwnKeys(self.keys[name]))
        party.own_keys = keys
        own_ring = ring_over(party.durable.own, name, keys.first.verify_key)
        return LineIdentity(
            self.line,
            name,
            peer,
            keys.of(own_ring.present.key),
            ring_over(party.durable.peer, peer, self.keys[peer].verify_key),
            own_ring,
            keys,
        )

    def happen_too(self) -> None:
        super().happen_too()
        if not self.faults:
            return
        for party in self.changing:
            if self._happens(f"{party.name} changes its key", 5_000) and party.machine is not None:
                party.change_key()
            if self._happens(f"{party.name} hears a thief", 3_000) and party.machine is not None:
                self.steal(party)

    def steal(self, party: ChangingParty) -> None:
        """Let somebody speak behind the head with each key that is over, and try a coup."""
        live = party.live
        head = live.peer_logged
        ring = live.identity.peer_ring
        if head is None or not live.resync.whole:
            return
        last = party.durable.peer.at(head.epoch, head.seq)
        if last is None:
            return
        envelope = msgspec.json.decode(last.data, type=Envelope)
        word = msgspec.structs.replace(
            envelope,
            seq=head.seq + 1,
            prev=head.hash,
            kind="NOTIFY",
            body={"text": "forged"},
            ref=None,
            heard=None,
        )
        for held in ring.present.earlier():
            owner = self._own_keys[party.peer].of(held.key)
            for said in (word, self._coup(envelope, head, party.peer, ring.present.number + 1)):
                forged = seal_envelope(envelope_bytes(said), owner)
                self.made_up.add(forged.hash)
                self.thefts += 1
                party.deliver(forged)

    def _coup(self, like: Envelope, head: ChainPoint, party: str, number: int) -> Envelope:
        asked = asked_change(
            party=party,
            first=self._own_keys[party].first.key_id,
            root=ROOTS[party],
            number=number,
            key=THIEF,
            reason=ChangeReason.ROTATED,
            created_utc="2015-09-30T00:00:00.000Z",
        )
        opening = EpochOpening(head, EpochReason.KEY_CHANGED, asked)
        return msgspec.structs.replace(
            like,
            epoch=self.rng.randbytes(16).hex(),
            seq=1,
            prev="0" * 64,
            heard=None,
            ref=None,
            kind=EPOCH_KIND,
            body=msgspec.to_builtins(opening),
        )

    def drain(self) -> None:
        super().drain()
        self.prove()

    def prove(self) -> None:
        """Hold every entry of both disks against the key in force at its slot."""
        for party in self.changing:
            for author, chain in (
                (party.name, party.durable.own),
                (party.peer, party.durable.peer),
            ):
                ring = ring_over(chain, author, self.keys[author].verify_key)
                for entries in chain.epochs.values():
                    for sealed in entries[1:]:
                        envelope = msgspec.json.decode(sealed.data, type=Envelope)
                        ring.judge(envelope, sealed.signature.key_id)


def play_key_changes(
    seed: int,
    *,
    minutes: float = 2.0,
    blue: type[ChangingParty] = ChangingParty,
    red: type[ChangingParty] = ChangingParty,
) -> KeySimulation:
    """Play one run and drain it; raises LineViolationError at the first violation."""
    simulation = KeySimulation(seed, blue=blue, red=red)
    simulation.run(int(minutes * 60_000))
    simulation.drain()
    return simulation
