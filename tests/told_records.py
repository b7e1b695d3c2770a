"""Records of two real cores for tests of what each side knew: exported, proven, read again."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deconflict.airspace.instant import parse_utc
from deconflict.line.keys import SigningKey, VerifyKey
from deconflict.node.bundle import export_bundle
from deconflict.node.bundle_proof import verify_bundle
from deconflict.node.bundle_verified import VerifiedBundle
from deconflict.node.invitation import Invitation
from deconflict.node.knowledge.instant import Instant, Side, at_instant
from deconflict.node.knowledge.lines import RecordLines
from deconflict.node.knowledge.reading import Record, join_records, read_record
from deconflict.node.knowledge.told import Told, both_chains, replies_in, told
from deconflict.node.pki import create_root
from deconflict.replay.world import World

ROOT_PEM = create_root(now_utc_ms=1_795_000_000_000, random_bytes=os.urandom).certificate_pem


def export(world: World, party: str, peer: str) -> bytes:
    """What `deconflict export` of a party's node would write now."""
    station = world.stations[party]
    return b"".join(
        export_bundle(
            station.store,
            station.line(peer).line_id,
            signer=station.core.key,
            own_keys=station.core.keys,
            peer_key=world.stations[peer].core.key.verify_key,
            exported_utc_ms=world.now.utc_ms,
        )
    )


@dataclass(frozen=True, slots=True)
class Files:
    """One line as files: the record of each side, and whom to trust."""

    folder: Path
    keys: Mapping[str, VerifyKey]

    @classmethod
    def of(cls, world: World, folder: Path, *parties: str) -> "Files":
        """Export both sides' records, and write both invitations."""
        one, other = parties
        for party, peer in ((one, other), (other, one)):
            (folder / f"{party}.deconflict").write_bytes(export(world, party, peer))
            write_invitation(folder, party, world.stations[party].core.key)
        keys = {party: world.stations[party].core.key.verify_key for party in parties}
        return cls(folder, keys)

    def path(self, party: str) -> Path:
        """The record that a party exported."""
        return self.folder / f"{party}.deconflict"

    def arguments(self, *parties: str) -> list[str]:
        """What `deconflict replay` is given of them: the records of these, the keys of both."""
        keys = [f"--key={party}={self.folder / party}.invitation" for party in self.keys]
        return [*(str(self.path(party)) for party in parties), *keys]

    def read(self, *parties: str) -> "Replayed":
        """Prove the records of these exporters, and read them together."""
        return replayed([self.path(party) for party in parties], self.keys)


def write_invitation(folder: Path, party: str, key: SigningKey) -> None:
    """Write the file by which a stranger trusts a party's key."""
    invitation = Invitation.create(
        party=party,
        desks=("watch",),
        signing_key=key,
        tls_root_pem=ROOT_PEM.decode(),
        tls_spki_sha256="a" * 64,
        urls=(f"https://{party.lower()}.example:8443",),
        now_utc_ms=1_795_000_000_000,
    )
    (folder / f"{party}.invitation").write_bytes(invitation.export())


@dataclass(frozen=True, slots=True)
class Replayed:
    """A record that was proven and read, with its files."""

    record: Record
    files: Sequence[Path]
    proven: Sequence[VerifiedBundle]

    def at(self, instant: int | str, last: int = 100) -> Instant:
        """What each side knew at an instant."""
        at_ms = parse_utc(instant) if isinstance(instant, str) else instant
        with RecordLines(self.record, self.files) as lines:
            return at_instant(self.record, at_ms, lines.envelope, last=last)

    def side(self, party: str, instant: int | str) -> Side:
        """What one side knew then."""
        return next(side for side in self.at(instant).sides if side.party == party)

    def told(self) -> list[Told]:
        """Every message, in the order in which they are told."""
        record = self.record
        replies = {
            party: replies_in(record.chain(party), record.chain(record.other(party)))
            for party in record.parties
        }
        return [told(record, party, index, replies[party]) for party, index in both_chains(record)]

    def message(self, name: str) -> Told:
        """One message by its hash."""
        return next(each for each in self.told() if each.hash == name)


def replayed(files: Sequence[Path], keys: Mapping[str, VerifyKey]) -> Replayed:
    """Prove these files, and read them together."""
    proven = [verify_bundle([file.read_bytes()], keys) for file in files]
    records = [
        read_record([file.read_bytes()], one, keys, {}, number)
        for number, (file, one) in enumerate(zip(files, proven, strict=True))
    ]
    return Replayed(join_records(records), files, proven)
