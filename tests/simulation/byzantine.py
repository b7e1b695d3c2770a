"""Parties that lie."""

from tests.simulation.party import PartySimulator
from tests.simulation.witness import RewritingSteps

from deconflict.line.envelope import SealedEnvelope, read_envelope
from deconflict.line.statement import Signature


class ForkingParty(PartySimulator):
    """Signs, now and then, a second message for a slot it has already sent."""

    def send_due(self) -> None:
        super().send_due()
        rng = self.simulation.rng
        if self.disk.own and rng.random() < 0.2:
            original = rng.choice(self.disk.own[-20:])
            envelope = read_envelope(original)
            altered = original.replace(b'"kind":"', b'"kind":"X', 1)
            signature = Signature(
                "Ed25519", self.key.key_id, self.key.sign(b"deconflict/1 envelope\n", altered)
            )
            fork = SealedEnvelope(altered, signature)
            held = self.simulation.parties[self.peer].disk.peer_hashes
            if envelope.seq <= len(held) and self.simulation.parties[self.peer].machine:
                # Shown directly to a peer that holds the other one, so it must be reported.
                self.simulation.referee.show_fork(self.simulation.parties[self.peer], fork)


class RewritingParty(PartySimulator):
    """Signs, now and then, a tree that is not of its entries."""

    witness_steps = RewritingSteps
