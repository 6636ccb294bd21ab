"""A network between a client and a server: a TCP proxy on this machine that delays, throttles, loses and is cut."""

import asyncio
import random
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from companion.stages.streams import ended

SEGMENT = 1448  # bytes of a TCP segment
RETRANSMIT_S = 0.2  # s that everything waits for a lost segment, beside its second journey
ROOM = 64 * 1024  # bytes that the network holds in each direction; then the sender has to wait


@dataclass(frozen=True, slots=True)
class Network:
    """What a network does to each direction. ``delay_s`` and ``jitter_s``: of a segment, the latter at most and evenly
    distributed; ``bytes_s``: throughput, 0 is any; ``loss``: share of segments that must be sent again. What was sent
    first arrives first, as TCP has it."""

    delay_s: float = 0.0
    jitter_s: float = 0.0
    bytes_s: float = 0.0
    loss: float = 0.0


class Proxy:
    """Made by `proxy`. ``port``: where to connect instead of the server's."""

    def __init__(self, network: Network, server: int, seed: int) -> None:
        self.network = network
        self.port = 0
        self._server = server
        self._rng = random.Random(seed)
        self._open = asyncio.Event()
        self._open.set()

    def cut(self) -> None:
        """Nothing arrives any more, and nobody is told."""
        self._open.clear()

    def mend(self) -> None:
        """What waited arrives."""
        self._open.set()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what one client and the server say to each other, until either has ended."""
        first = b""
        if not self._open.is_set():
            await self._open.wait()
            first = await reader.read(SEGMENT)
            if reader.at_eof():  # who has given up meanwhile never came through
                writer.close()
                return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._server, limit=ROOM // 2)
        except OSError:  # nobody is at home
            writer.close()
            return
        _hold_little(back)
        back.write(first)
        ways = [asyncio.create_task(self._carry(*way)) for way in ((reader, back), (there, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await ended(*ways)
            for end in (back, writer):
                end.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One direction."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(ROOM // SEGMENT)
        delivering = asyncio.create_task(self._deliver(under_way, writer))
        loop, free, arrives = asyncio.get_running_loop(), 0.0, 0.0
        try:
            while data := await reader.read(SEGMENT):
                network = self.network
                free = max(free, loop.time()) + (len(data) / network.bytes_s if network.bytes_s else 0.0)
                arrives = max(arrives, free + self._journey(network))
                await under_way.put((arrives, data))
            await under_way.join()
        except OSError:
            pass
        finally:
            await ended(delivering)

    def _journey(self, network: Network) -> float:
        once = network.delay_s + self._rng.uniform(0.0, network.jitter_s)
        return once + (RETRANSMIT_S + network.delay_s if self._rng.random() < network.loss else 0.0)

    async def _deliver(self, under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        with suppress(OSError):
            while True:
                arrives, data = await under_way.get()
                await asyncio.sleep(max(0.0, arrives - loop.time()))
                await self._open.wait()
                writer.write(data)
                await writer.drain()
                under_way.task_done()


def _hold_little(writer: asyncio.StreamWriter) -> None:
    """What a network cannot take has to wait at the sender, not in a buffer of this machine."""
    end: socket.socket = writer.get_extra_info("socket")
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM // 2)


@asynccontextmanager
async def proxy(network: Network, server: int, seed: int = 0) -> AsyncGenerator[Proxy]:
    """``network`` in front of the server at the port ``server`` of this machine."""
    made = Proxy(network, server, seed)
    talking: set[asyncio.Task[None]] = set()
    listener = await asyncio.start_server(_kept(made.connect, talking), "127.0.0.1", 0, limit=ROOM // 2)
    made.port = listener.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        listener.close()
        await ended(*talking)


def _kept(
    connect: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], talking: set[asyncio.Task[None]]
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def talk() -> None:
            await connect(reader, writer)

        task = asyncio.create_task(talk())
        talking.add(task)
        task.add_done_callback(talking.discard)

    return begin
