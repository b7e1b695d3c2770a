"""Running a third witness: its ledger and its door."""

import asyncio
import signal
import sys
import time
from contextlib import closing

import click
import uvloop

from deconflict.cli.output import clean, write_json
from deconflict.errors import ConfigurationError
from deconflict.node import loop_reports
from deconflict.node.opening import addresses_of, started
from deconflict.node.settings import Endpoint
from deconflict.node.witness.door import build_witness_server
from deconflict.node.witness.folder import WitnessFolder
from deconflict.node.witness.service import WitnessService

__all__ = ["serve_witness"]


def serve_witness(folder: WitnessFolder, *, as_json: bool) -> None:
    """Run the witness of this folder until a signal ends it, or until its disk fails.

    Raises:
        DeconflictError: it cannot start, or its disk failed.
    """
    uvloop.run(_serve(folder, as_json=as_json))


async def _serve(folder: WitnessFolder, *, as_json: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(loop_reports.report)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with closing(folder.ledger()) as ledger:
        service = WitnessService(
            ledger, name=folder.settings.name, key=folder.key, now_s=lambda: int(time.time())
        )
        server = build_witness_server(folder, service)
        door = await started(server)
        _say_running(folder, addresses_of(server)[0], as_json=as_json)
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({stopping, door}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            server.should_exit = True
            await door
    if server.failed is not None:
        raise server.failed
    if not stop.is_set():
        raise ConfigurationError(
            "the server of the witness ended by itself",
            remedy="start it again; look whether the machine has run out of files or memory",
        )


def _say_running(folder: WitnessFolder, address: tuple[str, int], *, as_json: bool) -> None:
    at = f"https://{Endpoint(*address)}"
    if as_json:
        vkey = folder.note_key.to_text()
        write_json({"name": folder.settings.name, "vkey": vkey, "address": at})
    else:
        click.echo(f"The witness {clean(folder.settings.name)} is running at {at}.")
        click.echo("Ctrl-C ends it.")
    sys.stdout.flush()
