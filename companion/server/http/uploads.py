"""Uploaded pictures and their landmarks: ``/v1/portraits``."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartParser
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from companion.avatar.faces.consent import SEEN, Consents
from companion.avatar.faces.liveness import Liveness
from companion.avatar.portraits import PictureError, Portraits, Upload
from companion.server.http.bodies import body_of
from companion.server.http.failures import reason
from companion.server.http.users import user_of
from companion.session.client.visitor import Visitor

MOST_PREPARED = 2  # pictures prepared at a time
MOST_WAITING = 8  # further requests that wait for their turn, or are still being received
MOST_PER_ADDRESS = 8  # requests at a time from one address
RETRY_AFTER_S = 5  # s after which a client that was refused should try again
LARGEST_LANDMARKS = 100_000  # bytes
LARGEST_CLIP = 12_000_000  # bytes
_STATUS = {
    "unknown_portrait": 404, "picture_forgotten": 410, "picture_too_large": 413, "busy": 503, "no_room": 503,
    "ground_missing": 400, "picture_denied": 403, "consent_unwritten": 503, "asr_failed": 503,
}  # fmt: skip


class _Who(NamedTuple):
    """Who sends a picture. ``owner``: whose share of the storage it takes, which a header cannot choose; ``user``: the
    user whom it belongs to, "" if not known; ``address``: the client's IP address."""

    owner: str
    user: str
    address: str

    @property
    def name(self) -> str:
        """Their name in the record of consents."""
        return self.user or self.address


class _Form(MultiPartParser):
    """Keeps files in memory, since their size is limited already; Starlette's parser writes large ones to disk."""

    spool_max_size = 0  # 0 means no limit


class Uploads:
    """The routes. A picture has at most ``largest`` bytes; ``visitor`` returns who sent a request, or the response to
    somebody who may not enter."""

    def __init__(
        self,
        *,
        portraits: Portraits,
        consents: Consents,
        liveness: Liveness,
        largest: int,
        visitor: Callable[[Request], Visitor | Response],
    ) -> None:
        self._portraits, self._consents, self._liveness = portraits, consents, liveness
        self._largest, self._visitor = largest, visitor
        self._preparing = asyncio.Semaphore(MOST_PREPARED)
        self._busy: Counter[str] = Counter()  # requests at a time, by address

    def routes(self) -> list[Route]:
        one = "/v1/portraits/{id}"
        return [
            self._route("/v1/portraits", "POST", self._add),
            self._route(one, "DELETE", self._withdraw),
            self._route(f"{one}/landmarks", "GET", self._landmarks),
            self._route(f"{one}/landmarks", "PUT", self._correct),
            self._route(f"{one}/picture", "GET", self._picture),
            self._route(f"{one}/presence", "POST", self._ask),
            self._route(f"{one}/presence", "PUT", self._appear),
        ]

    def _route(self, path: str, method: str, answer: Callable[[Request], Awaitable[Response]]) -> Route:
        """A route that limits how many requests are in progress at a time, in all and per address. A request counts
        from before its body is read."""

        async def respond(request: Request) -> Response:
            found = user_of(request, self._visitor)
            if isinstance(found, Response):
                return found
            visitor, user = found
            address = request.client.host if request.client else ""
            request.state.who = _Who(visitor.user or address, user, address)
            if self._busy.total() >= MOST_PREPARED + MOST_WAITING or self._busy[address] >= MOST_PER_ADDRESS:
                message = "Too many pictures are being prepared. Try again in a few seconds."
                return _error(PictureError("busy", message))
            self._busy[address] += 1
            try:
                return await answer(request)
            except PictureError as error:
                return _error(error)
            finally:
                self._busy[address] -= 1
                self._busy = +self._busy

        return Route(path, respond, methods=[method])

    async def _add(self, request: Request) -> Response:
        """Make a face of a picture, which is the body or a form's ``file``, optionally with ``landmarks``."""
        limit = self._largest
        body = await body_of(request, limit + LARGEST_LANDMARKS)
        data, landmarks = (b"", None) if body is None else await _parts(request, body)
        if body is None or len(data) > limit:
            message = f"A picture has at most {limit // 1_000_000} MB. Send a smaller one."
            raise PictureError("picture_too_large", message)
        ground = request.query_params.get("ground", "")
        return await self._prepared(201, self._consented, data, landmarks, ground, request.state.who)

    def _consented(self, data: bytes, landmarks: bytes | None, ground: str, who: _Who) -> Upload:
        sha256 = self._consents.admit(data, ground)
        added = self._portraits.add(data, landmarks, who.owner, who.user)
        try:
            if self._liveness.required(ground):
                added = self._portraits.wait(added.id)
            self._consents.given(sha256, ground, who.name)
            self._consents.admit(data, ground)  # again: consent may have been withdrawn while the face was prepared
        except PictureError:
            self._portraits.forget(added.id)
            raise
        return added

    async def _withdraw(self, request: Request) -> Response:
        """Withdraw consent to this picture: all uploads of the same file are deleted at once and refused from now on,
        and sessions that show them stop using them."""
        sha256 = self._portraits.sha256(request.path_params["id"])
        try:
            await asyncio.to_thread(self._consents.withdraw, sha256, request.state.who.name)
        finally:  # last, so that a copy uploaded meanwhile is either refused or deleted here
            self._portraits.forget_file(sha256)
        return Response(status_code=204)

    async def _landmarks(self, request: Request) -> Response:
        """The landmarks of the face, as detected or corrected."""
        return await self._prepared(200, self._portraits.upload, request.path_params["id"])

    async def _correct(self, request: Request) -> Response:
        """Correct the landmarks. Sessions that open this face from now on use the corrected ones."""
        body = await body_of(request, LARGEST_LANDMARKS)
        if body is None:
            raise PictureError("invalid_landmarks", f"Landmarks have at most {LARGEST_LANDMARKS} bytes.")
        return await self._prepared(200, self._portraits.correct, request.path_params["id"], body)

    async def _picture(self, request: Request) -> Response:
        """The whole picture as an upright JPEG, for browsers that cannot display the uploaded format."""
        async with self._preparing:
            data = await asyncio.to_thread(self._portraits.source, request.path_params["id"])
        return Response(data, media_type="image/jpeg", headers={"Cache-Control": "private, no-store"})

    async def _ask(self, request: Request) -> Response:
        """A sentence for the person in the picture to say before the camera."""
        upload = await asyncio.to_thread(self._portraits.upload, request.path_params["id"])
        return JSONResponse(asdict(self._liveness.ask(upload.id)), 201)

    async def _appear(self, request: Request) -> Response:
        """Compare a clip, which is the body, with picture and sentence: the face can then be used."""
        clip = await body_of(request, LARGEST_CLIP)
        if clip is None:
            raise PictureError("presence_unread", f"A clip has at most {LARGEST_CLIP // 1_000_000} MB.")
        upload = await asyncio.to_thread(self._portraits.upload, request.path_params["id"])
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        async with self._preparing:
            source = await asyncio.to_thread(self._portraits.source, upload.id)
            await self._liveness.check(upload, source, clip, kind)
        sha256 = self._portraits.sha256(upload.id)
        await asyncio.to_thread(self._consents.given, sha256, SEEN, request.state.who.name)
        return JSONResponse(asdict(self._portraits.seen(upload)))

    async def _prepared(self, status: int, work: Callable[..., Upload], *arguments: Any) -> Response:
        """Run ``work`` in a thread, at most `MOST_PREPARED` at a time -> its upload as JSON, with HTTP ``status``."""
        async with self._preparing:
            found = await asyncio.to_thread(work, *arguments)
        return JSONResponse(asdict(found), status)


async def _parts(request: Request, body: bytes) -> tuple[bytes, bytes | None]:
    """The picture, and the landmarks if a form has any; without a form the body is the picture. Raises PictureError."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return body, None
    form = await form_of(request, body, ("file", "landmarks"))
    if form is None:
        raise PictureError("invalid_form", "The form cannot be read; send one picture as `file`.")
    if (file := form["file"]) is None:
        raise PictureError("invalid_form", "The form has no `file`; send one picture under that name.")
    return file, form["landmarks"]


class FormParts(dict[str, bytes | None]):
    """The contents of a form's parts by their names; None for a missing part. ``names`` has the file names, "" for
    parts that are not files."""

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, str] = {}


async def form_of(request: Request, body: bytes, names: Sequence[str]) -> FormParts | None:
    """Parse a multipart form, in memory only -> its parts with these ``names``; None if it is malformed."""

    async def again() -> AsyncGenerator[bytes]:
        yield body

    found = FormParts()
    try:
        form = await _Form(request.headers, again(), max_files=2, max_fields=8).parse()
        try:
            for name in names:
                part = form.get(name)
                found[name] = await _content(part)
                found.names[name] = (part.filename or "") if isinstance(part, UploadFile) else ""
        finally:
            await form.close()
    except Exception:  # whatever a broken form makes the parser raise
        return None
    return found


async def _content(part: UploadFile | str | None) -> bytes | None:
    """The content of a part of a form, be it a file or a text."""
    return await part.read() if isinstance(part, UploadFile) else part if part is None else part.encode()


def _error(error: PictureError) -> JSONResponse:
    points = {"landmarks": error.landmarks} if error.landmarks else {}
    headers = {"Retry-After": str(RETRY_AFTER_S)} if error.code == "busy" else None
    return JSONResponse({"error": reason(error.code, str(error))} | points, _STATUS.get(error.code, 422), headers)
