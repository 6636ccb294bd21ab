"""Reads the bodies of requests within limits of size and time."""

import asyncio

from starlette.requests import Request

PIECE_S = 10.0  # s that the next chunk may take
WHOLE_S = 120.0  # s that the whole body may take


class SlowError(Exception):
    """The body of a request did not arrive in time."""


async def body_of(request: Request, limit: int) -> bytes | None:
    """Read the request's body -> its bytes, or None when it is longer than ``limit`` bytes.

    The form around an uploaded file may add 4096 bytes. Raises SlowError when it takes too long, and Starlette's
    ClientDisconnect when the client has gone.
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
