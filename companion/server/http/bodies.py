"""The bodies of requests, read within limits of size and time."""

import asyncio

from starlette.requests import Request

PIECE_S = 10.0  # s in which the next piece comes
WHOLE_S = 120.0  # s in which all of it does


class SlowError(Exception):
    """The body of a request does not arrive in time."""


async def body_of(request: Request, limit: int) -> bytes | None:
    """The request's body, or None when it is longer than ``limit`` (with some room for the form around a file).

    Raises SlowError, and Starlette's ClientDisconnect when the client has gone.
    """
    pieces: list[bytes] = []
    size = 0
    stream = aiter(request.stream())
    try:
        async with asyncio.timeout(WHOLE_S):
            while True:
                async with asyncio.timeout(PIECE_S):
                    piece = await anext(stream, None)
                if piece is None:
                    return b"".join(pieces)
                size += len(piece)
                if size > limit + 4096:
                    return None
                pieces.append(piece)
    except TimeoutError as error:
        raise SlowError from error
