"""Text to speech: a sentence becomes audio at 24 kHz, in pieces, with word timings if the engine gives them.

A voice knows nothing of playout or barge-in: closing its iterator stops it. Start with `hibari`, the default; a class
of your own with `speak` is named in a configuration by its import string.
"""

from companion.stages.tts.coqui import Coqui
from companion.stages.tts.hibari import Hibari
from companion.stages.tts.kokoro import Kokoro
from companion.stages.tts.polyglot import Polyglot
from companion.stages.tts.remote_voice import RemoteVoice

__all__ = ["Coqui", "Hibari", "Kokoro", "Polyglot", "RemoteVoice"]
