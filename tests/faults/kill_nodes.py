"""Two nodes under kill -9: real processes, real TLS, messages both ways, for as long as wanted.

    python -m tests.faults.kill_nodes --rounds 1000 --seed 1

In each round both operators keep posting while one node, or both, is killed at a random moment,
now and then before it has come up. Its files are read as the kill left them and held against
everything that was ever seen (:mod:`tests.faults.kill_ledger`); then the node starts again, which
verifies its whole record. At the end the faults stop, everything has to be delivered, and both
exported bundles are verified offline.

The seed fixes the moments of the kills and what is said; how the processes interleave, the machine
decides. A killed process loses nothing that the kernel holds: what a power cut does to the disk,
``test_store_disk_faults.py`` plays.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.kill_ledger import ANSWER_KIND, ANSWERED_KIND, Ledger, Violation, require
from tests.processes.nodes import (
    SAFETY,
    Api,
    ApiError,
    Forked,
    Nursery,
    Process,
    Unreachable,
    make_nodes,
    wait_until,
)

from deconflict.node.bundle_proof import verify_bundle
from deconflict.node.bundle_verified import VerifiedBundle

PARTIES = ("blue", "red")
DELIVERED = ("LACKED", "SEEN", "LOADED", "CLOSED")
OVERDUE = ("NO_RECEIPT", "NOT_SEEN", "NO_ANSWER")  # the most basic thing owed is the one told
DRAIN_S = 60.0
SHIPPED_EVERY = 20  # every so many starts are not forked but made with the shipped command


@dataclass
class Report:
    """What a run did, and how long it took."""

    rounds: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    starts: int = 0
    posted: int = 0
    entries: int = 0
    receipts: int = 0
    repeated_receipts: int = 0
    unreceipted_rows: int = 0
    refused_as_mute: int = 0
    round_s: list[float] = field(default_factory=list)
    start_s: list[float] = field(default_factory=list)
    bundles: list[VerifiedBundle] = field(default_factory=list)

    def add(self, other: "Report") -> None:
        """Count what another pair of nodes went through as well."""
        self.kills += other.kills
        for name in (
            *("rounds", "starts", "posted", "entries", "receipts", "repeated_receipts"),
            *("unreceipted_rows", "refused_as_mute"),
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.round_s += other.round_s
        self.start_s += other.start_s
        self.bundles += other.bundles

    def lines(self) -> list[str]:
        return [
            f"rounds          {self.rounds}, kills {dict(self.kills)}, starts {self.starts}",
            f"messages        {self.posted} posted, {self.entries} entries on either side",
            f"receipts        {self.receipts}, sent again with the same bytes "
            f"{self.repeated_receipts} times",
            f"cut at the edge {self.unreceipted_rows} kills after the row, before its receipt came",
            f"refused as mute {self.refused_as_mute} answers, never a warning",
            f"a round         {_spread(self.round_s)}",
            f"a start         {_spread(self.start_s)}",
        ]


class Run:
    """One run: two nodes, two operators who never stop posting, and the kills.

    Args:
        directory: for the nodes' folders and scratch files.
        seed: of the kills' moments and of what is said.
        tap: what the nursery does to the nodes: ``listen`` or a planted fault.
    """

    def __init__(self, directory: Path, seed: int, tap: str = "listen") -> None:
        self._directory = directory
        self._rng = random.Random(seed)
        self._members = make_nodes(directory, PARTIES)
        blue, red = (self._members[party] for party in PARTIES)
        self.line_id = blue.line_with(red)
        self.ledger = Ledger(self.line_id, PARTIES)
        self.report = Report()
        self._wire = directory / "wire"
        self._wire.mkdir()
        self._nursery = Nursery(f"tests.faults.node_taps:{tap}", str(self._wire))
        self._running: dict[str, Forked | Process] = {}
        self._stop = threading.Event()
        self._first: dict[str, str] = {}
        self._errors: list[BaseException] = []
        self._mute: dict[str, float] = {}  # since when a node refuses what is no warning
        self._operators = [
            threading.Thread(target=self._operate, args=(party, seed), daemon=True)
            for party in PARTIES
        ]

    def play(self, rounds: int, *, most_s: float = float("inf"), progress: bool = False) -> Report:
        """Play the rounds, for so long at most, then let everything arrive.

        Raises:
            Violation: the first one.
        """
        ends = time.monotonic() + most_s
        try:
            for party in PARTIES:
                self._start(party)
            self._ask_first()
            for operator in self._operators:
                operator.start()
            for number in range(1, rounds + 1):
                began = time.monotonic()
                if began > ends:
                    break
                self._round()
                self.report.rounds = number
                self.report.round_s.append(time.monotonic() - began)
                if progress and number % 10 == 0:
                    print(f"round {number}: {self.ledger.posted} messages", flush=True)
            self._finish()
        finally:
            self._stop.set()
            for operator in self._operators:
                if operator.ident is not None:
                    operator.join(timeout=20)
            for node in self._running.values():
                node.kill()
            self._nursery.close()
        if self._errors:
            raise self._errors[0]
        return self.report

    # ---- a round ------------------------------------------------------------------------------

    def _round(self) -> None:
        rng = self._rng
        victims = rng.choices((PARTIES[:1], PARTIES[1:], PARTIES), (45, 45, 10))[0]
        if rng.random() < 0.1:  # dies before it has come up
            self._kill(victims)
            for party in victims:
                self._start(party, wait=False)
            time.sleep(rng.uniform(0, 0.3))
            self.report.kills["while starting"] += len(victims)
        else:
            time.sleep(rng.uniform(0.02, 0.6))
        self._kill(victims)
        self.report.kills["both" if len(victims) > 1 else victims[0]] += 1
        for party in PARTIES:
            if party not in victims:
                self._look_at_living(party)
        self._look(victims)
        for party in victims:
            self._start(party)
        if self._errors:
            raise self._errors[0]

    def _kill(self, parties: tuple[str, ...]) -> None:
        for party in parties:
            self._running[party].kill()

    def _look_at_living(self, party: str) -> None:
        try:
            with self._members[party].api() as api:
                line = api.line(self.line_id)
        except (Unreachable, ApiError) as error:
            raise Violation(f"{party} was not killed and does not answer: {error}") from error
        self.ledger.shown_receipted(party, line["receipted_seq"])

    def _look(self, parties: tuple[str, ...]) -> None:
        for file in sorted(self._wire.glob("*.packets")):
            self.ledger.left_process(self._taken(file))
        for party in parties:
            self.ledger.look_at(party, self._members[party].folder.record_path, self._directory)

    def _taken(self, file: Path) -> bytes:
        """What a tap wrote; the file is removed once its process is dead."""
        dead = int(file.stem) not in {node.pid for node in self._running.values() if node.running}
        body = file.read_bytes()
        if dead:
            file.unlink()
        return body

    def _start(self, party: str, *, wait: bool = True) -> None:
        began = time.monotonic()
        self.report.starts += 1
        member = self._members[party]
        if self.report.starts % SHIPPED_EVERY == 0:
            node: Forked | Process = Process(member)
        else:
            node = self._nursery.start(member, self._directory / f"{party}.out")
        self._running[party] = node
        if not wait:
            return
        try:
            said = node.ready()
        except AssertionError as error:
            raise Violation(f"{party} does not start again: {error}") from error
        known = self.ledger.records[party].entries
        require(said["entries_verified"] == known, f"{party} verified {said} of {known} entries")
        self.report.start_s.append(time.monotonic() - began)

    # ---- the operators ------------------------------------------------------------------------

    def _operate(self, party: str, seed: int) -> None:
        rng = random.Random(f"{seed} {party}")
        api = self._members[party].api()
        number = 0
        try:
            while not self._stop.is_set():
                number += 1
                try:
                    self._say(api, party, rng, number)
                except Unreachable:
                    time.sleep(0.03)
                else:
                    time.sleep(rng.expovariate(1 / 0.08))
        except ApiError as error:
            self._errors.append(Violation(f"{party}'s API does not do what it did: {error}"))
        except BaseException as error:  # noqa: BLE001  (handed to the thread that judges)
            self._errors.append(error)
        finally:
            api.close()

    def _say(self, api: Api, party: str, rng: random.Random, number: int) -> None:
        if number % 8 == 0:
            for alert in api.alerts():
                if alert["rule"] == f"{ANSWERED_KIND}_RECEIVED" and rng.random() < 0.9:
                    self._answer(api, party, alert["subject"], {"answer": "ROGER"})
        elif rng.random() < 0.2:
            self._post(api, party, ANSWERED_KIND, SAFETY)
        else:
            # What asks for nothing, so that the open alerts stay as many as a watch can have.
            said = {"answer": "ROGER", "not_binding": f"{party} {number}"}
            posted = self._answer(api, party, self._first[party], said)
            if posted is None:
                return
            shown = api.get(f"/messages/{posted}")
            if shown["state"] in DELIVERED:
                self.ledger.shown_delivered(party, shown)

    def _answer(self, api: Api, party: str, subject: str, body: dict[str, object]) -> str | None:
        try:
            posted = self._post(api, party, ANSWER_KIND, body, subject)
        except ApiError as error:
            # An alert is shown a moment before its message is durable, and only then it can be
            # cited. Whether a message is gone for good, the ledger finds in the record.
            if error.status == 404:
                return None
            # After a start without an answer of the peer in time, what is no warning waits: it is
            # refused in words until the peer has told what it holds, and not for ever.
            if error.status == 409 and "is mute on the line" in str(error):
                self._refused_as_mute(party)
                return None
            raise
        self._mute.pop(party, None)
        return posted

    def _refused_as_mute(self, party: str) -> None:
        self.report.refused_as_mute += 1
        silent_s = time.monotonic() - self._mute.setdefault(party, time.monotonic())
        require(silent_s < DRAIN_S, f"{party} has been mute for {silent_s:.0f} s")

    def _ask_first(self) -> None:
        """Let each side ask once, so that the other has something to answer."""
        for party, peer in zip(PARTIES, reversed(PARTIES), strict=True):
            with self._members[party].api() as api:
                self._first[peer] = self._post(api, party, ANSWERED_KIND, SAFETY)
        for party in PARTIES:
            with self._members[party].api() as api:
                wait_until(lambda api=api: self._heard_one(api), DRAIN_S, "the first message")

    def _heard_one(self, api: Api) -> bool:
        return int(api.line(self.line_id)["peer_seq"]) == 1

    def _post(
        self, api: Api, party: str, kind: str, body: dict[str, object], ref: str | None = None
    ) -> str:
        posted = api.send(self.line_id, kind, body, ref=ref)
        self.ledger.answered_post(party, posted)
        return str(posted["hash"])

    # ---- the end ------------------------------------------------------------------------------

    def _finish(self) -> None:
        self._stop.set()
        for operator in self._operators:
            operator.join(timeout=20)
        if self._errors:
            raise self._errors[0]
        for party in PARTIES:  # once more, so that what is overdue counts as overdue
            self._running[party].stop()
        self._look(PARTIES)
        for party in PARTIES:
            self._start(party)
        apis = {party: self._members[party].api() for party in PARTIES}
        with apis[PARTIES[0]], apis[PARTIES[1]]:
            wait_until(lambda: self._drained(apis), DRAIN_S, "everything said to be receipted")
            self.report.bundles = [self._bundle(api) for api in apis.values()]
            self._alerts_are_open(apis)
        for party in PARTIES:
            self._running[party].stop()
        self._look(PARTIES)
        self.ledger.compare_whole()
        report, ledger = self.report, self.ledger
        report.posted, report.receipts = ledger.posted, ledger.receipts
        report.entries = ledger.records[PARTIES[0]].entries
        report.repeated_receipts = ledger.repeated_receipts
        report.unreceipted_rows = ledger.unreceipted_rows

    def _drained(self, apis: dict[str, Api]) -> bool:
        one, other = (apis[party].line(self.line_id) for party in PARTIES)
        return all(
            here["state"] == "UP"
            and here["own_seq"] == here["receipted_seq"] == there["peer_seq"]
            and here["own_epoch"] == there["peer_epoch"]
            for here, there in ((one, other), (other, one))
        )

    def _bundle(self, api: Api) -> VerifiedBundle:
        api.close()  # a kept connection is closed by the node while another bundle is verified
        status, bundle = api.raw("GET", f"/api/v1/lines/{self.line_id}/bundle")
        require(status == 200, f"no bundle: {status}")
        trusted = {party: member.verify_key for party, member in self._members.items()}
        verified = verify_bundle([bundle], trusted)
        for chain in verified.chains:
            # What the exporter holds of the peer, its own later citations prove, not this record.
            if chain.party == verified.by:
                require(chain.unreceipted == 0, f"{chain.unreceipted} of {chain.party} unreceipted")
        return verified

    def _alerts_are_open(self, apis: dict[str, Api]) -> None:
        """What nobody answered is overdue after a start, and shown so on its author's desk."""
        for party, api in apis.items():
            expected = set(self.ledger.unanswered(party))
            api.close()  # kept while the other's bundle was verified: the node closed its end

            def missing(expected: set[str] = expected, api: Api = api) -> set[str]:
                return expected - {a["subject"] for a in api.alerts() if a["rule"] in OVERDUE}

            wait_until(lambda missing=missing: not missing(), 10, f"{party}'s open questions")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="at most so long")
    parser.add_argument("--seed", type=int, default=None, help="default: a new one")
    parser.add_argument(
        "--pair", type=int, default=250, help="rounds of one pair of nodes, then comes a new one"
    )
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}", flush=True)
    whole, ends = Report(), time.monotonic() + options.seconds
    # A node that is killed every second never gets to keep what it proved, so each start reads all
    # that was said: a thousand rounds of one pair are mostly starts.
    while whole.rounds < options.rounds and time.monotonic() < ends:
        with tempfile.TemporaryDirectory(prefix="kill-nodes-") as directory:
            try:
                report = Run(Path(directory), seed).play(
                    min(options.pair, options.rounds - whole.rounds),
                    most_s=ends - time.monotonic(),
                    progress=True,
                )
            except Violation as violation:
                print(f"VIOLATION with seed {seed}: {violation}")
                sys.exit(1)
        whole.add(report)
        seed += 1
        print(f"{whole.rounds} rounds, 0 lost; next seed {seed}", flush=True)
    print("\n".join(whole.lines()))
    print("0 receipted messages lost, 0 slots with two messages, 0 alerts lost")


def _spread(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    median, p95 = (ordered[int(len(ordered) * part)] for part in (0.5, 0.95))
    return f"median {median:.2f} s, p95 {p95:.2f} s, longest {ordered[-1]:.2f} s"


if __name__ == "__main__":
    main()
