"""Bytes for a connection that is over are nothing that a person must read."""

import asyncio
import logging
import socket

import pytest
import uvloop

from deconflict.node.loop_reports import report


async def _of_a_connection_that_is_over() -> RuntimeError:
    """Return what this uvloop says to whoever writes into a connection that is closed."""
    loop = asyncio.get_running_loop()
    here, there = socket.socketpair()
    with there:
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=here)
        transport.abort()
        await asyncio.sleep(0.01)
        with pytest.raises(RuntimeError) as raised:
            transport.write(b"x")
    return raised.value


def test_nobody_is_told_of_bytes_for_a_connection_that_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)

    async def write_late() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(report)
        error = await _of_a_connection_that_is_over()
        context = {"message": "Fatal error on SSL protocol", "exception": error}
        loop.call_exception_handler(context)
        assert caplog.records == []
        loop.set_exception_handler(None)
        loop.call_exception_handler(context)
        assert "Fatal error on SSL protocol" in caplog.text

    uvloop.run(write_late())


@pytest.mark.parametrize("error", [IndexError("a defect"), RuntimeError("a defect"), None])
def test_every_other_report_is_passed_on(
    error: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(report)
        loop.call_exception_handler({"message": "it broke", "exception": error})

    uvloop.run(fail())
    assert "it broke" in caplog.text
