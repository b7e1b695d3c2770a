"""From a folder on disk to a node that may speak: open, prove, restore, and only then connect."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvicorn

from deconflict.errors import (
    ConfigurationError,
    DeconflictError,
    InvalidDocumentError,
    StoreBrokenError,
)
from deconflict.line.key_ring import OwnKeys
from deconflict.line.keys import RandomBytes
from deconflict.line.resync import MuteReason, Silence, silence_at_start
from deconflict.line.root import Root
from deconflict.node.chains import heard_last
from deconflict.node.core import NodeCore
from deconflict.node.disk import DiskReserve
from deconflict.node.door_probe import is_here, probe_refuses_strangers
from deconflict.node.folder import NodeFolder, UnlockedKeys, read_validity
from deconflict.node.inquiries.book import Inquiries, InquiryFiles
from deconflict.node.keeping.audit import Pins
from deconflict.node.keeping.background import AuditFiles, Audits, Driver, has_room
from deconflict.node.keeping.kept_record import KeptRecord, read_kept
from deconflict.node.keeping.standing import (
    DEFAULT_TIMES,
    AuditStanding,
    AuditTimes,
    WentOnFrom,
)
from deconflict.node.line import Line
from deconflict.node.line_keys import LineKeys
from deconflict.node.peer_client import PeerClient
from deconflict.node.peer_server import (
    PeerServer,
    build_peer_server,
)
from deconflict.node.peers import PinnedPeer
from deconflict.node.pinned_links import LivePins, PinnedLink, shown_until
from deconflict.node.private.files import PrivateFiles
from deconflict.node.private.mediator import Mediator
from deconflict.node.private.mediator_files import MediatorFiles
from deconflict.node.private.part_keeping import PartKeeping
from deconflict.node.private.runner import PrivateRunner
from deconflict.node.rows import sealed_again
from deconflict.node.runtime import Clock, Runtime
from deconflict.node.service import Node
from deconflict.node.struct_types import describe_types
from deconflict.node.tending.backups import Backups
from deconflict.node.tending.certificates import certificates_of
from deconflict.node.tending.ending import Ending
from deconflict.node.tls import client_context, server_context
from deconflict.node.witness.asking import Asking
from deconflict.store.base import Batch, LineRow, NoteRow, SignatureRow, Store
from deconflict.store.guard import Guard
from deconflict.store.sqlite import SqliteStore
from deconflict.store.verify import KeysByParty, RecordProof, VerifiedRecord
from deconflict.store.writer import GroupCommitWriter

__all__ = [
    "OpenNode",
    "addresses_of",
    "open_door",
    "open_node",
    "sign_what_waits",
    "silence_of",
    "started",
]

logger = logging.getLogger("deconflict.door")

MIB = 1024 * 1024
_START_S = 10.0


@dataclass(frozen=True, slots=True)
class OpenNode:
    """A node whose record was proven and whose door is not open yet.

    Attributes:
        node: what operators use.
        runtime: drives it; run with :func:`run_node`.
        door: the peers' server.
        verified: what the proof at start covered.
    """

    node: Node
    runtime: Runtime
    door: PeerServer
    verified: VerifiedRecord


@asynccontextmanager
async def open_node(
    folder: NodeFolder,
    keys: UnlockedKeys,
    *,
    clock: Clock,
    random_bytes: RandomBytes,
    audit_times: AuditTimes = DEFAULT_TIMES,
) -> AsyncIterator[OpenNode]:
    """Open a node's record, prove it, restore its lines; close all of it at the end.

    Args:
        folder: the node's.
        keys: its own.
        clock: both clocks.
        random_bytes: for ids and epochs.
        audit_times: how long the audits beside it wait for what.

    Raises:
        StoreError: the record is missing, in use, or does not verify. The node stays silent.
        ConfigurationError: keys, certificates or peers cannot be used.
    """
    describe_types()  # while there is one thread
    peers = folder.peers()
    with (
        closing(DiskReserve(folder.path, folder.settings.reserve_mib * MIB)) as reserve,
        SqliteStore.open(folder.record_path) as store,
    ):
        first_key = keys.signing_key
        keys_by_party = {
            folder.settings.party: {first_key.key_id: first_key.verify_key},
            **{peer.party: {peer.verify_key.key_id: peer.verify_key} for peer in peers.list()},
        }
        own_root = folder.root()
        roots = {peer.party: peer.root for peer in peers.list() if peer.root is not None}
        if own_root is not None:
            roots[folder.settings.party] = own_root
        _begin_lines(store, folder.settings.party, peers.list(), clock)

        if not Path(folder.settings.guard_path).is_absolute():
            folder.guard_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

        def restore(proof: RecordProof, kept: KeptRecord | None) -> list[Line]:
            return [
                Line.restore(
                    store,
                    proof=proof,
                    line_id=peer.line_id,
                    own=folder.settings.party,
                    peer=peer.party,
                    keys=LineKeys(keys.own_keys, peer.verify_key, own_root, peer.root),
                    peer_desk=peer.invitation.desks[0],
                    random_bytes=random_bytes,
                    now=clock.now(),
                    paths=len(peer.urls),
                    kept=None if kept is None else kept.fold(peer.line_id),
                )
                for peer in peers.list()
            ]

        files = AuditFiles(folder.audited_path, folder.kept_path, folder.settings.reserve_mib * MIB)
        kept = _kept(folder, store, files)
        read = partial(_prove_and_read, store, keys_by_party, roots, restore)
        try:
            verified, lines = await asyncio.to_thread(read, kept)
        except (DeconflictError, LookupError, TypeError, ValueError) as error:
            # What is amiss with what was kept is nothing that a start may fail for. What is amiss
            # with the record, the long start finds as well.
            if kept is None:
                raise
            logger.warning("what was kept of the record is not used: %s", error)
            kept = None
            try:
                verified, lines = await asyncio.to_thread(read, None)
            except StoreBrokenError as broken:  # by the damage that was found just now
                raise error from broken
        # Only a record that verifies is compared, and nothing was signed yet in this run.
        guard = Guard.start(
            folder.guard_path,
            store,
            node=first_key.key_id,
            own=folder.settings.party,
            random_bytes=random_bytes,
        )
        for line in lines:
            line.machine.resync.silence = silence_of(guard, line, store)
        sign_what_waits(store, folder.settings.party, keys.own_keys)
        core = NodeCore(
            party=folder.settings.party,
            desks=folder.settings.desks,
            language=folder.settings.language,
            key=first_key,
            keys=keys.own_keys,
            store=store,
            random_bytes=random_bytes,
        )
        pins = LivePins(peers, folder.peers_path)
        links: dict[str, list[PinnedLink]] = {}
        for peer, line in zip(peers.list(), lines, strict=True):
            core.add_line(line, clock.now())
            context = client_context(keys.chain, peer.invitation.tls_root_der)
            links[peer.line_id] = [
                PinnedLink(PeerClient(context, url, peer.spki_sha256), pins, peer.spki_sha256)
                for url in peer.urls
            ]
        with GroupCommitWriter(store, guard, reserve.make_room) as writer:
            runtime = Runtime(
                core, store, writer, links, clock, reserve.shortage, parts_folder=folder.parts_path
            )
            mediates = MediatorFiles(folder.private_path)
            keeping = PartKeeping(
                folder.parts_path,
                core.private_checks,
                runtime.parts,
                clock,
                lambda line_id: mediates.most_bytes(line_id, core.peer_of(line_id)),
            )
            runtime.parts.allowed = keeping.allowed
            mediator = Mediator(runtime, mediates, keeping.let_go)
            runtime.on_durable.append(mediator.move)
            runtime.beside.append(mediator.run)
            runtime.beside.append(keeping.run)
            core.asks_witnesses([one.key.name for one in folder.settings.witness], clock.now())
            for witness in folder.settings.witness:
                asking = Asking(witness, folder.path, core=core, store=store, driver=runtime)
                runtime.beside.append(asking.run)
            first, *more = folder.settings.peer_listens
            door = build_peer_server(
                runtime,
                context=server_context(
                    keys.chain, [peer.invitation.tls_root_der for peer in peers.list()]
                ),
                party_of=pins.party_by_spki,
                host=first.host,
                port=first.port,
                more=[(listen.host, listen.port) for listen in more],
            )
            counts = Pins(
                folder.settings.party,
                [(peer.line_id, peer.party) for peer in peers.list()],
                {party: next(iter(held.values())) for party, held in keys_by_party.items()},
                roots,
            )
            audits = Audits(
                store,
                folder.record_path,
                counts,
                files,
                before=None if kept is None else WentOnFrom(verified.before, kept.audited_ms),
                driver=_audit_driver(core, runtime),
                times=audit_times,
            )
            if kept is not None:
                audits.hold()
            inquiries = Inquiries(
                InquiryFiles(folder.inquiries_path, folder.record_path, files.reserve_bytes),
                counts,
                random_bytes,
            )
            backups = Backups(
                store,
                InquiryFiles(folder.path / "backups", folder.record_path, files.reserve_bytes),
            )
            private = PrivateRunner(
                core, runtime, PrivateFiles(folder.private_path), random_bytes=random_bytes
            )
            ending = Ending(
                core, runtime, read_validity(folder.path).end_ms, partial(shown_until, links)
            )
            runtime.beside += [audits.run, audits.watch, inquiries.run, backups.run]
            runtime.beside += [private.run, ending.run]
            node = Node(core, runtime, store, release_persons=folder.settings.release_persons)
            node.audit = audits.view
            node.inquiries = inquiries
            node.backups = backups
            node.private = private
            node.mediator = mediator
            node.look_at_certificates = partial(certificates_of, folder)
            yield OpenNode(node, runtime, door, verified)


def silence_of(guard: Guard, line: Line, store: Store) -> Silence:
    """Return what this node must not do on a line, as the guard tells it and the record itself."""
    mute = guard.mute(line.line_id, line.book.own)
    deaf = guard.mute(line.line_id, line.peer)
    heard = heard_last(store, line.line_id, line.book.own)
    if deaf is None and heard is not None:
        held = store.entry_at(line.line_id, line.peer, heard.epoch, heard.seq)
        if held is None or held.hash != heard.hash:
            # An own entry, brought back by the peer, receipts what was lost with the record.
            deaf = MuteReason.PEER_HOLDS_MORE
    # Where the guard knows of nothing that is lacking, it may be of the same copy as the record.
    return silence_at_start(line.machine.own_head, mute=mute, deaf=deaf)


def _prove_and_read(
    store: SqliteStore,
    keys_by_party: KeysByParty,
    roots: Mapping[str, Root],
    read: Callable[[RecordProof, KeptRecord | None], list[Line]],
    kept: KeptRecord | None,
) -> tuple[VerifiedRecord, list[Line]]:
    """Prove the record and read it in one go; what was read counts only when all is proven.

    Where something was kept of it, both from there on.
    """
    # What is restored lives as long as the node: looking for garbage in it, now and in every
    # later collection, is work for nothing and a pause for whoever waits for an alert.
    gc.disable()
    try:
        behind = () if kept is None else kept.chains
        with RecordProof(store, keys_by_party, roots=roots, behind=behind) as proof:
            lines = read(proof, kept)
            return proof.finish(), lines
    finally:
        gc.freeze()
        gc.enable()


def _kept(folder: NodeFolder, store: SqliteStore, files: AuditFiles) -> KeptRecord | None:
    """Return what a start can go on from; None where it reads the whole record."""
    try:
        kept = read_kept(folder.kept_path, store)
    except InvalidDocumentError as error:
        logger.warning("%s", error)
        return None
    if kept is not None and kept.chains and not has_room(folder.record_path, files):
        # Nobody could prove the rest of it soon.
        logger.warning("the disk has no room for a copy of the record: all of it is read now")
        return None
    return kept if kept is not None and kept.chains else None


def _audit_driver(core: NodeCore, runtime: Runtime) -> Driver:
    """Return what the audits ask of this node."""

    async def tell(standing: AuditStanding) -> None:
        work = core.audit_stands(standing, runtime.now())
        if not work.is_empty():
            await runtime.commit(work)

    async def keep(note: NoteRow) -> None:
        await runtime.commit(core.note_paper(note, runtime.now()))

    return Driver(runtime.now, keep, tell)


async def open_door(door: PeerServer) -> "asyncio.Task[None]":
    """Start the peers' server, knock at each of its addresses as a stranger would; return its task.

    An address that this machine does not have now (its cable is out) cannot be knocked at; its door
    is the same.

    Raises:
        ConfigurationError: it did not start, or a stranger was let in; then it is closed again.
    """
    task = await started(door)
    try:
        for host, port in addresses_of(door):
            if is_here(host):
                await probe_refuses_strangers(host, port, door.own_knocks)
            else:
                logger.warning("this machine does not have the address %s now", host)
    except BaseException:
        door.should_exit = True
        await task
        raise
    return task


async def started(server: uvicorn.Server) -> "asyncio.Task[None]":
    """Start a server and return its task once it listens.

    Raises:
        ConfigurationError: it did not come to listen, most often because the port is taken.
    """
    task = asyncio.create_task(_serve(server))
    deadline = asyncio.get_running_loop().time() + _START_S
    while not server.started:
        if task.done() or asyncio.get_running_loop().time() > deadline:
            server.should_exit = True
            await task
            raise ConfigurationError(
                "the node cannot listen",
                given=f"{server.config.host}:{server.config.port}",
                expected="a free port on an address of this machine",
                remedy="see who else listens on that port, or choose another in node.toml",
            )
        await asyncio.sleep(0.01)
    return task


def addresses_of(server: uvicorn.Server) -> list[tuple[str, int]]:
    """Return hosts and ports at which a server listens, the first one first.

    For port 0, the port it was given.
    """
    names = [one.sockets[0].getsockname() for one in server.servers]
    return [(str(name[0]), int(name[1])) for name in names]


async def _serve(server: uvicorn.Server) -> None:
    try:
        await server.serve()
    except SystemExit:
        # uvicorn ends the process when it cannot bind; a node says why instead.
        return


def _begin_lines(
    store: SqliteStore, party: str, peers: tuple[PinnedPeer, ...], clock: Clock
) -> None:
    rows = [
        LineRow(
            line_id=peer.line_id,
            own_party=party,
            peer_party=peer.party,
            created_utc_ms=clock.now().utc_ms,
        )
        for peer in peers
        if store.line(peer.line_id) is None
    ]
    if rows:
        store.commit(Batch(lines=rows))


def sign_what_waits(store: SqliteStore, party: str, keys: OwnKeys) -> None:
    """Sign own slots that were durable when an earlier run ended before it kept their signatures.

    Signing is deterministic, so if one was signed and sent before, these are the same bytes. Done
    before anything new is said: the signatures of later entries would else leave a gap behind,
    and a record with such a gap does not verify.
    """
    waiting = [row for line in store.lines() for row in store.unsigned(line.line_id, party)]
    if waiting:
        store.commit(
            Batch(
                signatures=[
                    SignatureRow(row.hash, sealed_again(row, keys).signature.value)
                    for row in waiting
                ]
            )
        )
