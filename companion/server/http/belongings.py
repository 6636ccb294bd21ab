"""All data stored about a user, wherever it is: exported and deleted in one place."""

import asyncio
import base64
from collections.abc import Awaitable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from companion.avatar.faces.consent import Consents
from companion.avatar.portraits import PictureError, Portraits
from companion.errors import StageError
from companion.filming.films import Films, Recorded
from companion.memory.resumables import Resumables
from companion.safety.allowance import Allowance
from companion.stages.protocols import Kept, Memory, keeps

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Belongings:
    """The stores that hold users' data. ``resumables`` is None where conversations cannot be resumed, ``films`` where
    they cannot be recorded, ``portraits`` and ``allowance`` where this process has none."""

    memory: Memory
    consents: Consents
    resumables: Resumables | None = None
    portraits: Portraits | None = None
    allowance: Allowance | None = None
    films: Films | None = None

    async def export(self, user: str) -> Json:
        """All data of ``user`` as one JSON object with self-explanatory keys; pictures are data URLs. Raises StageError
        when a store fails."""
        open_until = await self.resumables.until(user) if self.resumables else []
        return {
            "user": user,
            "exported_at": _time(datetime.now(UTC).timestamp()),
            "memories": [plain(one) for one in await self.memory.memories(user)] if keeps(self.memory) else None,
            "conversations_that_can_be_resumed": [{"kept_until": _time(until)} for until in open_until],
            "consents": [asdict(entry) for entry in await asyncio.to_thread(self.consents.of, user)],
            "time_talked": self.allowance and self.allowance.told(user),
            "pictures": await asyncio.to_thread(self._pictures, user),
            "recordings": await asyncio.to_thread(self._recordings, user),
        }

    async def forget(self, user: str) -> int:
        """Delete all data of ``user`` -> the number of deleted things.

        The time talked, pictures, recordings, consents, resumable conversations and memories are each tried even if
        another fails.
        Raises the error of one that failed: StageError ``no_memories`` for a memory stage that cannot delete, else the
        store's own.
        """
        ways = (self._forget_time, self._forget_pictures, self._forget_recordings, self.consents.forget)
        work: list[Awaitable[int]] = [asyncio.to_thread(way, user) for way in ways]
        if self.resumables:
            work.append(self.resumables.forget(user))
        work.append(self._forget_memories(user))
        results = await asyncio.gather(*work, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return sum(result for result in results if isinstance(result, int))

    async def _forget_memories(self, user: str) -> int:
        if not keeps(self.memory):
            raise StageError("no_memories", "This server's memory cannot be listed or changed.")
        return await self.memory.forget(user)

    def _pictures(self, user: str) -> list[Json]:
        return [self._picture(id) for id in self.portraits.of(user)] if self.portraits else []

    def _picture(self, id: str) -> Json:
        """``jpeg`` is a data URL, or None where the server keeps only the prepared face."""
        assert self.portraits
        try:
            jpeg = "data:image/jpeg;base64," + base64.b64encode(self.portraits.source(id)).decode()
        except PictureError:
            jpeg = None
        return {"id": id, "jpeg": jpeg}

    def _recordings(self, user: str) -> list[Json]:
        """Of each the words; its files are had by their addresses."""
        return [self._recording(one, user) for one in self.films.of(user)] if self.films else []

    def _recording(self, one: Recorded, user: str) -> Json:
        assert self.films
        captions = self.films.file(user, one.id, "vtt")
        files = [f"/v1/recordings/{one.id}.{kind}" for kind in one.files]
        return {"id": one.id, "at": one.at, "captions": captions and captions.read_text("utf-8"), "files": files}

    def _forget_recordings(self, user: str) -> int:
        try:
            return self.films.forget(user) if self.films else 0
        except OSError as error:
            raise StageError("recordings_kept", "The recordings cannot be deleted now. Try again later.") from error

    def _forget_pictures(self, user: str) -> int:
        if self.portraits is None:
            return 0
        ids = self.portraits.of(user)
        for id in ids:
            self.portraits.forget(id)
        return len(ids)

    def _forget_time(self, user: str) -> int:
        return self.allowance.forget(user) if self.allowance else 0


def plain(memory: Kept) -> Json:
    """A stored memory as a JSON object; ``at`` is ISO 8601 in UTC."""
    return asdict(memory) | {"at": f"{memory.at.isoformat(timespec='seconds')}Z"}


def _time(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
