"""The face's sound in the format that the client wants."""

from collections.abc import Callable
from dataclasses import replace

from animator.units import from_pcm16
from companion.hearing.audio.resampling import Resampler
from companion.protocol import formats
from companion.protocol.events import AudioDelta, ServerEvent
from companion.protocol.settings import SoundFormat
from companion.stages.protocols import SPEAK_RATE

OURS = SoundFormat()


class Outlet:
    """``send`` takes events; ``wanted`` gives the format that holds now. Called with events as the session makes
    them."""

    def __init__(self, send: Callable[[ServerEvent], None], wanted: Callable[[], SoundFormat]) -> None:
        self._send, self._wanted = send, wanted
        self._of: tuple[str, SoundFormat] = "", OURS  # response, format
        self._resample = Resampler(SPEAK_RATE, SPEAK_RATE)

    def __call__(self, event: ServerEvent) -> None:
        if isinstance(event, AudioDelta) and (wanted := self._wanted()) != OURS:
            if self._of != (event.response_id, wanted):
                self._of, self._resample = (event.response_id, wanted), Resampler(SPEAK_RATE, wanted.rate)
            event = replace(event, delta=formats.coded(self._resample(from_pcm16(event.delta)), wanted))
        self._send(event)
