"""Running a node: its record, its door for peers and its address for operators."""

import asyncio
import gc
import os
import signal
import sys
from contextlib import closing

import click
import uvloop

from deconflict.api.accounts import Accounts
from deconflict.api.app import build_operator_app
from deconflict.api.server import build_operator_server
from deconflict.cli.output import clean, write_json
from deconflict.console import add_console
from deconflict.errors import ConfigurationError
from deconflict.node import loop_reports
from deconflict.node.folder import NodeFolder, UnlockedKeys
from deconflict.node.keeping.standing import DEFAULT_TIMES, AuditTimes
from deconflict.node.key_watch import watch_keys
from deconflict.node.opening import OpenNode, addresses_of, open_door, open_node, started
from deconflict.node.runtime import SystemClock
from deconflict.node.settings import Endpoint
from deconflict.node.witness.client import witness_context
from deconflict.store.verify import VerifiedRecord

__all__ = ["serve_folder"]

# The writer's thread asks for the interpreter's lock at each statement and at each system call of a
# commit, some fifteen times, and waits so long each time for an event loop that is busy: beside one
# that never rests a commit of 4 ms lasts 29 with 2 ms here, 9 with 0.5 and 5 with this. Asked at
# every row, as it once was, the two would spend more on taking turns than on anything else.
_SWITCH_S = 0.0002
# A full collection walks all that a node remembers: 70 to 190 ms, which an alert waited for every
# 8 s under load, to find next to nothing (0 to 35 objects). Young garbage is still collected often;
# a full walk comes after ten million objects more.
_GARBAGE = (5_000, 20, 100)


def serve_folder(
    folder: NodeFolder,
    keys: UnlockedKeys,
    *,
    as_json: bool,
    audit_times: AuditTimes = DEFAULT_TIMES,
) -> None:
    """Run the node of this folder until a signal ends it, or until it cannot go on safely.

    Args:
        folder: the node's.
        keys: its own.
        as_json: say what is running as JSON.
        audit_times: how long the audits of its record wait for what.

    Raises:
        DeconflictError: it cannot start, or its disk failed.
    """
    sys.setswitchinterval(_SWITCH_S)
    gc.set_threshold(*_GARBAGE)
    uvloop.run(_serve(folder, keys, as_json=as_json, audit_times=audit_times))


async def _serve(
    folder: NodeFolder, keys: UnlockedKeys, *, as_json: bool, audit_times: AuditTimes
) -> None:
    clock = SystemClock()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(loop_reports.report)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with open_node(
        folder, keys, clock=clock, random_bytes=os.urandom, audit_times=audit_times
    ) as opened:
        accounts = Accounts(
            folder.accounts_path,
            now=lambda: clock.now().utc_ms,
            random_bytes=os.urandom,
            language=folder.settings.language,
        )
        with closing(accounts):
            await _run(folder, keys, opened, accounts, stop, as_json=as_json)


async def _run(
    folder: NodeFolder,
    keys: UnlockedKeys,
    opened: OpenNode,
    accounts: Accounts,
    stop: asyncio.Event,
    *,
    as_json: bool,
) -> None:
    settings = folder.settings
    app = build_operator_app(
        opened.node,
        accounts,
        now=lambda: opened.runtime.now().utc_ms,
        random_bytes=os.urandom,
        release_persons=settings.release_persons,
    )
    opened.node.look_also(app.state.services.waiting)
    add_console(app)
    operators = build_operator_server(
        app, settings.operators_listen.host, settings.operators_listen.port
    )
    running = asyncio.create_task(opened.runtime.run())
    watching = asyncio.create_task(
        watch_keys(folder.path / "keys", keys.take_up, opened.runtime.nudge)
    )
    try:
        door = await open_door(opened.door)
        desk = await started(operators)
    except BaseException:
        # Before the writer is closed under it, or its failure would hide the one that counts.
        running.cancel()
        watching.cancel()
        await asyncio.gather(running, watching, return_exceptions=True)
        raise
    _say_running(folder, opened, as_json=as_json)
    _warn_of_witnesses(folder)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, stopping, door, desk}, return_when=asyncio.FIRST_COMPLETED)
        alone = not stop.is_set() and not running.done()
    finally:
        stopping.cancel()
        watching.cancel()
        # Streams end first, so that neither server waits for a reader that would wait for ever.
        opened.runtime.stop()
        operators.should_exit = opened.door.should_exit = True
        await asyncio.gather(door, desk, return_exceptions=True)
    await running
    if alone:
        # A node without a door, or without an address for its desk, must not look as if told to.
        raise ConfigurationError(
            "a server of the node ended by itself, so the node has stopped",
            remedy="start it again; look whether the machine has run out of files or memory",
        )


def _say_running(folder: NodeFolder, opened: OpenNode, *, as_json: bool) -> None:
    settings, verified = folder.settings, opened.verified
    peers_at = [f"https://{Endpoint(host, port)}" for host, port in addresses_of(opened.door)]
    if as_json:
        write_json(
            {
                "party": settings.party,
                "peer_address": peers_at[0],
                "peer_addresses": peers_at,
                "operators_address": f"http://{settings.operators_listen}",
                "entries_verified": verified.entries,
                "entries_kept": verified.before,
                "lines": [line.peer for line in opened.node.lines()],
            }
        )
    else:
        peers = ", ".join(line.peer for line in opened.node.lines()) or "none pinned yet"
        click.echo(f"{settings.party} is running. Lines: {peers}.")
        click.echo(f"  record    {_proven(verified)}")
        click.echo(f"  operators http://{settings.operators_listen}  (console; API under /docs)")
        click.echo(f"  peers     {' and '.join(peers_at)}")
        click.echo("Ctrl-C ends it.")
    sys.stdout.flush()


def _warn_of_witnesses(folder: NodeFolder) -> None:
    """Say which third witnesses cannot even be asked; the node runs on without them."""
    for witness in folder.settings.witness:
        try:
            witness_context(folder.path / witness.trust)
        except ConfigurationError as error:
            warning = click.style("warning: ", fg="yellow")
            name, why = clean(witness.key.name), clean(str(error))
            click.echo(f"{warning}witness {name} signs nothing for this node: {why}", err=True)


def _proven(verified: VerifiedRecord) -> str:
    if not verified.before:
        return f"{verified.entries:,} entries verified"
    since = verified.entries - verified.before
    return (
        f"{verified.entries:,} entries: {since:,} verified now, {verified.before:,} earlier and"
        " again while it runs"
    )
