"""The lists of faces, personas and voices to choose from: ``/v1/characters``, ``/v1/personas`` and ``/v1/voices``."""

import asyncio
from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from companion.avatar.portraits import PictureError, Portraits
from companion.dialogue.personas.personas import Persona
from companion.server.http.failures import failed
from companion.stages.protocols import TTS, described, own_voice


class Catalogue:
    """The routes. ``personas`` are listed in this order; ``default`` returns the name of the character listed first."""

    def __init__(
        self, *, portraits: Portraits, default: Callable[[], str], personas: Sequence[Persona], tts: TTS
    ) -> None:
        self._portraits, self._default, self._personas, self._tts = portraits, default, personas, tts

    def routes(self) -> list[Route]:
        return [
            Route("/v1/characters", self.characters),
            Route("/v1/characters/{name}/picture", self.picture),
            Route("/v1/personas", self.personas),
            Route("/v1/voices", self.voices),
        ]

    async def characters(self, request: Request) -> Response:
        """The faces as JSON, the default one first."""
        cards = [
            {"name": c.name, "title": c.title, "credit": c.credit, "picture": f"/v1/characters/{c.name}/picture"}
            for c in self._portraits.characters()
        ]
        cards.sort(key=lambda card: card["name"] != self._default())
        return JSONResponse({"characters": cards})

    async def picture(self, request: Request) -> Response:
        """The picture of one face; 404 for an unknown name."""
        try:
            data, kind = await asyncio.to_thread(self._portraits.picture, request.path_params["name"])
        except PictureError as error:
            return failed(404, error.code, str(error))
        return Response(data, media_type=kind, headers={"Cache-Control": "max-age=3600"})

    async def personas(self, request: Request) -> Response:
        """The personas as JSON, each with its own voice."""
        cards = [
            {"id": p.id, "name": p.name, "summary": p.summary, "voice": own_voice(self._tts, p.voice)}
            for p in self._personas
        ]
        return JSONResponse({"personas": cards})

    async def voices(self, request: Request) -> Response:
        """The voices as JSON, the default one first; none where there is no choice."""
        cards = [{"id": name, "summary": sounds} for name, sounds in described(self._tts).items()]
        return JSONResponse({"voices": cards})
