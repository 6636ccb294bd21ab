"""Pictures that visitors bring, over HTTP: ``/v1/portraits``."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from companion.engine import Engine
from companion.portraits import PictureError, Upload

PREPARING = 2  # pictures prepared at a time
WAITING = 8  # and waiting for it
LARGEST_LANDMARKS = 100_000  # bytes
_STATUS = {"unknown_portrait": 404, "picture_forgotten": 410, "picture_too_large": 413, "busy": 503}


class Uploads:
    """The routes, over one engine. ``refusal`` answers those who may not enter."""

    def __init__(self, engine: Engine, refusal: Callable[[Request], Response | None]) -> None:
        self._engine, self._refusal = engine, refusal
        self._preparing = asyncio.Semaphore(PREPARING)
        self._busy = 0

    def routes(self) -> list[Route]:
        one = "/v1/portraits/{id}"
        return [
            Route("/v1/portraits", self.add, methods=["POST"]),
            Route(f"{one}/landmarks", self.landmarks, methods=["GET"]),
            Route(f"{one}/landmarks", self.correct, methods=["PUT"]),
            Route(f"{one}/picture", self.picture, methods=["GET"]),
        ]

    async def add(self, request: Request) -> Response:
        """A picture, as the body or as a form's ``file`` beside ``landmarks``, becomes a face to choose."""
        if refused := self._refusal(request):
            return refused
        limit = self._engine.config.server.max_picture_bytes
        body = await body_of(request, limit + LARGEST_LANDMARKS)
        try:
            data, landmarks = (b"", None) if body is None else await _parts(request, body)
            if body is None or len(data) > limit:
                message = f"A picture has at most {limit // 1_000_000} MB. Send a smaller one."
                raise PictureError("picture_too_large", message)
        except PictureError as error:
            return _error(error)
        return await self._prepared(201, self._engine.portraits.add, data, landmarks)

    async def landmarks(self, request: Request) -> Response:
        """The points of the face, as found or corrected."""
        return self._refusal(request) or await self._prepared(
            200, self._engine.portraits.upload, request.path_params["id"]
        )

    async def correct(self, request: Request) -> Response:
        """Other points. Sessions that open this face from now on show it corrected."""
        if refused := self._refusal(request):
            return refused
        body = await body_of(request, LARGEST_LANDMARKS)
        if body is None:
            return _error(PictureError("invalid_landmarks", f"Landmarks have at most {LARGEST_LANDMARKS} bytes."))
        return await self._prepared(200, self._engine.portraits.correct, request.path_params["id"], body)

    async def picture(self, request: Request) -> Response:
        """The whole picture as a JPEG, upright, for browsers that cannot show the format that was sent."""
        if refused := self._refusal(request):
            return refused
        try:
            async with self._preparing:
                data = await asyncio.to_thread(self._engine.portraits.source, request.path_params["id"])
        except PictureError as error:
            return _error(error)
        return Response(data, media_type="image/jpeg", headers={"Cache-Control": "private, no-store"})

    async def _prepared(self, status: int, work: Callable[..., Upload], *arguments: Any) -> Response:
        """What ``work`` says of an upload, done in a thread when it is its turn."""
        if self._busy >= PREPARING + WAITING:
            return _error(PictureError("busy", "Too many pictures are being prepared. Try again in a few seconds."))
        self._busy += 1
        try:
            async with self._preparing:
                found = await asyncio.to_thread(work, *arguments)
        except PictureError as error:
            return _error(error)
        finally:
            self._busy -= 1
        return JSONResponse(asdict(found), status)


async def body_of(request: Request, limit: int) -> bytes | None:
    """The request's body, or None when it is longer than ``limit`` (with some room for the form around a file)."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit + 4096:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


async def _parts(request: Request, body: bytes) -> tuple[bytes, bytes | None]:
    """The picture and the landmarks, if any. Raises PictureError."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return body, None

    async def again() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        async with Request(request.scope, again).form(max_files=2, max_fields=8) as form:
            file, landmarks = form.get("file"), form.get("landmarks")
            points = await landmarks.read() if isinstance(landmarks, UploadFile) else landmarks
            if isinstance(file, UploadFile):
                return await file.read(), points.encode() if isinstance(points, str) else points
    except Exception as error:  # whatever a broken form makes the parser raise
        raise PictureError("invalid_form", "The form cannot be read; send one picture as `file`.") from error
    raise PictureError("invalid_form", "The form has no `file`; send one picture under that name.")


def _error(error: PictureError) -> JSONResponse:
    about = {"type": "invalid_request_error", "code": error.code, "message": str(error)}
    points = {"landmarks": error.landmarks} if error.landmarks else {}
    return JSONResponse({"error": about} | points, _STATUS.get(error.code, 422))
