"""One conversation over one websocket."""

import asyncio
import json
import uuid
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self, cast
from urllib.parse import quote, urlsplit
from weakref import WeakSet

import websockets.asyncio.client as websocket
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from vasari_client import messages
from vasari_client.errors import LostError, RefusedError, ReplyError, ServerFullError, VasariError
from vasari_client.events import (
    Error,
    Event,
    Json,
    Problem,
    ResponseDone,
    SessionCreated,
    SessionUpdated,
)

RATE = 24_000  # samples/s, of the sound that is sent and of the sound that comes
FULL = ("session_limit_reached", "server_busy", "server_draining")  # codes of refusals that time heals
PIECE = 2 * RATE  # bytes of sound in one message: a second
FINAL = (1000, 1008, 4000)  # close codes of a server that does not want this line to come back
WAITS = (0.2, 0.5, 1.0, 2.0, 4.0)  # s before one attempt after the other to come back; the last one holds for all later


@dataclass(frozen=True, slots=True)
class Resumed:
    """Among the events: a line was lost, and the conversation goes on over another one. A reply that was on its way
    comes to its end in another response."""


class Events:
    """What the server sends from now on, for one reader: ``async for event in events``. What is not read waits in
    memory. Ends with the conversation; raises LostError when the line is lost, after what came before."""

    def __init__(self) -> None:
        self._waiting: deque[Event | Resumed] = deque()
        self._arrived = asyncio.Event()
        self._over = False
        self._lost: LostError | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event | Resumed:
        while not self._waiting:
            if self._lost:
                raise self._lost
            if self._over:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.popleft()

    def put(self, event: Event | Resumed) -> None:
        self._waiting.append(event)
        self._arrived.set()

    def end(self, lost: LostError | None) -> None:
        self._over, self._lost = True, lost
        self._arrived.set()


class Talk:
    """A conversation, as `connect` begins it. ``async for event in talk`` gives what the server sends from then on, to
    as many readers as there are; `ask` and `say` do not need one. ``session`` is the configuration in effect.

    Every method raises LostError when the line is lost. Where `connect` was told to resume, `ask` and `say` raise it
    for a reply that did not come whole; what is sent waits for the next line, and the conversation goes on."""

    def __init__(self, line: websocket.ClientConnection, again: "Again | None" = None) -> None:
        self._line, self._again = line, again
        self._there = asyncio.Event()  # a line, or the end
        self._there.set()
        self._token = ""
        self._readers: WeakSet[Events] = WeakSet()
        self._updating = asyncio.Lock()
        self._asking = asyncio.Lock()  # what asks for one reply is sent together
        self._over = False
        self._lost: LostError | None = None
        self._problem: Problem | None = None  # the last error: it may say why the line is closed
        self.session: Json = {}

    def __aiter__(self) -> Events:
        events = Events()
        if self._over:
            events.end(self._lost)
        self._readers.add(events)
        return events

    async def ask(self, text: str) -> str:
        """Ask in writing, interrupting what is being said -> the text of the reply, when all of it was said; of one
        that is interrupted, what was said until then. Raises ReplyError."""
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
        return await self._reply({}, item)

    async def say(self, text: str) -> str:
        """Let the face say ``text`` word for word, interrupting what is being said -> what was said of it, at its end.
        Raises ReplyError."""
        content = [{"type": "text", "text": text}]
        message = {"type": "message", "role": "assistant", "content": content}
        return await self._reply({"pre_generated_assistant_message": message})

    async def listen(self, pcm: bytes) -> None:
        """Let the server hear sound: little-endian int16, mono, 24 kHz, any length; in pieces of 20 to 100 ms from a
        microphone. The server finds out when something was said, and answers. Raises ValueError for half a sample."""
        if len(pcm) % 2:
            raise ValueError("Sound is int16: an even number of bytes.")
        for start in range(0, len(pcm), PIECE):
            await self._write(messages.encode({"type": "input_audio_buffer.append"}, pcm[start : start + PIECE]))

    async def interrupt(self) -> None:
        """Silence, at once."""
        async with self._asking:
            await self.send("output_audio_buffer.clear")

    async def update(self, session: Mapping[str, Any]) -> Json:
        """Change settings: the ``session`` of a ``session.update`` -> the configuration that is then in effect. Raises
        RefusedError, and then nothing has changed."""
        async with self._updating:
            events = aiter(self)
            sent = await self.send("session.update", session=dict(session))
            async for event in events:
                if isinstance(event, Resumed):
                    raise LostError("connection_lost", "The line was lost; the settings may be as they were.")
                if isinstance(event, SessionUpdated):
                    return event.session
                if problem := _problem(event, sent):
                    raise RefusedError(problem.code, problem.message)
        raise _left()

    async def send(self, kind: str, **fields: Any) -> str:
        """Send any event of the protocol -> its ``event_id``, which an `Error` about it repeats."""
        sent = f"event_{uuid.uuid4().hex}"
        await self._write(messages.encode({"type": kind, "event_id": sent, **fields}))
        return sent

    async def run(self) -> None:
        """Receive until the conversation ends. `connect` does it."""
        try:
            while not self._over:
                await self._receive()
        finally:
            self._end(None)
            await self._line.close()

    async def _receive(self) -> None:
        """Until the line ends, and another one is there if there can be."""
        try:
            while True:
                self._take(messages.decode(await self._line.recv()))
        except ConnectionClosed:
            lost = self._why()
        except ValueError as error:
            return self._end(LostError("connection_lost", f"The server sent what cannot be read: {error}."))
        self._there.clear()
        wanted = self._token and lost.close_code not in FINAL
        found = await self._again(self._token) if self._again and wanted else None
        if found is None:
            return self._end(lost)
        self._line, begun = found
        self._take(Resumed())
        self._take(begun)
        return self._there.set()

    async def _reply(self, response: Json, *items: Json) -> str:
        events = aiter(self)
        async with self._asking:
            await self.send("output_audio_buffer.clear")
            for item in items:
                await self.send("conversation.item.create", item=item)
            asked = uuid.uuid4().hex
            sent = await self.send("response.create", response={**response, "metadata": {"ask": asked}})
        return _text(await _response(events, asked, sent))

    async def _write(self, message: str | bytes) -> None:
        await self._there.wait()
        try:
            await self._line.send(message)
        except ConnectionClosed:
            raise self._lost or self._why() from None

    def _take(self, event: Event | Resumed) -> None:
        if isinstance(event, SessionCreated):
            self._token = event.session.pop("resume", {}).get("token", "")
        if isinstance(event, SessionCreated | SessionUpdated):
            self.session = event.session
        elif isinstance(event, Error):
            self._problem = event.error
        for events in list(self._readers):
            events.put(event)

    def _end(self, lost: LostError | None) -> None:
        if self._over:
            return
        self._over, self._lost = True, lost
        self._there.set()
        for events in list(self._readers):
            events.end(lost)

    def _why(self) -> LostError:
        """Why the other side has closed the line, or the line is cut."""
        code, reason = self._line.close_code, self._line.close_reason
        if self._problem and reason and self._problem.message.startswith(reason):
            return LostError(self._problem.code, self._problem.message, code)
        return LostError("connection_lost", reason or "The connection to the server is lost.", code)


@asynccontextmanager
async def connect(  # noqa: PLR0913 - all are a caller's to leave out
    url: str,
    *,
    key: str = "",
    persona: str = "",
    character: str = "",
    session: Mapping[str, Any] | None = None,
    within: float = 30.0,
    resume: float = 0.0,
) -> AsyncGenerator[Talk]:
    """A conversation with the server at ``url`` (``ws://127.0.0.1:8765/v1/realtime``), until the block is left.

    ``key`` is the server's or a client secret; ``persona`` who answers and ``character`` whose face is shown, both by
    the server's names. Without a character (and without ``session["avatar"]``) there is sound and no picture.
    ``session`` are further settings, as in ``session.update``. All of the
    beginning may take ``within`` seconds. A line that is lost is replaced by another one for ``resume`` seconds, if the
    server keeps the conversation for so long: readers are told by `Resumed`.

    Raises RefusedError, ServerFullError, LostError when there is no server or it does not answer, and ValueError for
    an address that is none.
    """
    wished = dict(session or {})
    if character:
        wished["avatar"] = {**cast(Json, wished.get("avatar") or {}), "character": character}
    address = _address(url, persona)
    talk = Talk(await _opened(address, key, within), _comebacks(address, key, within, resume) if resume else None)
    events = aiter(talk)
    receiving = asyncio.create_task(talk.run(), name="vasari receive")
    try:
        await _begin(talk, events, wished, within)
        del events
        yield talk
    finally:
        receiving.cancel()
        await asyncio.gather(receiving, return_exceptions=True)


Line = tuple[websocket.ClientConnection, SessionCreated]  # and how its session began
Again = Callable[[str], Awaitable[Line | None]]


def _comebacks(address: str, key: str, within: float, resume: float) -> Again:
    """From a token to another line of its conversation, sought for ``resume`` seconds; None where there is none."""

    async def again(token: str) -> Line | None:
        waits = iter(WAITS)
        with suppress(TimeoutError, RefusedError):
            async with asyncio.timeout(resume):
                while True:
                    await asyncio.sleep(next(waits, WAITS[-1]))
                    with suppress(LostError, ServerFullError, ConnectionClosed):
                        return await _resumed(await _opened(address, key, within, token))
        return None

    return again


def _address(url: str, persona: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ValueError("The address of a server is like ws://127.0.0.1:8765/v1/realtime.")
    query = "&".join(filter(None, [parts.query, persona and f"persona={quote(persona, safe='')}"]))
    return parts._replace(query=query, fragment="").geturl()


async def _opened(url: str, key: str, within: float, token: str = "") -> websocket.ClientConnection:
    offered = [messages.SUBPROTOCOL, *([f"vasari-resume.{token}"] if token else [])]
    try:
        return await websocket.connect(
            url,
            subprotocols=[Subprotocol(name) for name in offered],
            additional_headers={"Authorization": f"Bearer {key}"} if key else {},
            compression=None,  # media is compressed already
            max_size=None,
            open_timeout=within,
        )
    except InvalidStatus as error:
        raise _refused(error.response.status_code, error.response.body) from None
    except (OSError, InvalidHandshake) as error:
        raise LostError("connection_lost", f"The server cannot be reached: {error or type(error).__name__}.") from error


async def _resumed(line: websocket.ClientConnection) -> Line | None:
    """None where the server does not have the conversation any more. Raises RefusedError and ServerFullError."""
    while not isinstance(event := messages.decode(await line.recv()), SessionCreated):
        if isinstance(event, Error):
            raise _no_session(event.error)
    if event.session.get("resume", {}).get("resumed"):
        return line, event
    await line.close()
    return None


async def _begin(talk: Talk, events: Events, session: Json, within: float) -> None:
    try:
        async with asyncio.timeout(within):
            await _created(events)
            if session:
                await talk.update(session)
    except TimeoutError:
        raise LostError("connection_lost", f"The server did not begin a conversation within {within:g} s.") from None


async def _created(events: Events) -> None:
    async for event in events:
        if isinstance(event, SessionCreated):
            return
        if isinstance(event, Error):
            raise _no_session(event.error)


async def _response(events: Events, asked: str, sent: str) -> Json:
    """The response, when it is over, that was ``asked`` for by the event ``sent``."""
    async for event in events:
        if isinstance(event, Resumed):
            raise LostError("connection_lost", "The line was lost while the reply came; the conversation goes on.")
        if isinstance(event, ResponseDone) and (event.response.get("metadata") or {}).get("ask") == asked:
            return event.response
        if problem := _problem(event, sent):
            raise ReplyError(problem.code, problem.message)
    raise _left()


def _text(response: Json) -> str:
    """What was said in a response that is over. Raises ReplyError."""
    if response["status"] == "failed":
        problem: Json = (response.get("status_details") or {}).get("error") or {}
        raise ReplyError(problem.get("code", "failed"), problem.get("message", "The reply failed."))
    said = [item for item in response["output"] if item.get("role") == "assistant"]
    parts = [part for item in said for part in item["content"]]
    return " ".join((part.get("transcript") or part.get("text") or "").strip() for part in parts)


def _problem(event: Event | Resumed, sent: str) -> Problem | None:
    """What was wrong with the event ``sent``, if that is what an event tells."""
    return event.error if isinstance(event, Error) and event.error.event_id == sent else None


def _left() -> VasariError:
    return LostError("connection_lost", "The conversation was left before the answer came.")


def _no_session(problem: Problem) -> VasariError:
    kind = ServerFullError if problem.code in FULL else RefusedError
    return kind(problem.code, problem.message)


def _refused(status: int, body: bytes | bytearray | None) -> VasariError:
    """The answer of a server that opened no websocket."""
    try:
        problem = json.loads(body or b"")["error"]
        code, message = str(problem["code"]), str(problem["message"])
    except (ValueError, KeyError, TypeError):
        code, message = "refused", f"The server refused the connection with HTTP status {status}."
    return RefusedError(code, message)
