"""Talk to a Vasari server from Python: audio and text in, a voice and a face out.

`connect` opens a conversation, a `Talk`; the server's events are the dataclasses of `vasari_client.events`.
"""

from vasari_client.errors import LostError, RefusedError, ReplyError, ServerFullError, VasariError
from vasari_client.events import AudioDelta, Event, ServerEvent, Unknown, VideoDelta
from vasari_client.talk import Events, Resumed, Talk, connect

__all__ = [
    "AudioDelta",
    "Event",
    "Events",
    "LostError",
    "RefusedError",
    "ReplyError",
    "Resumed",
    "ServerEvent",
    "ServerFullError",
    "Talk",
    "Unknown",
    "VasariError",
    "VideoDelta",
    "connect",
]
