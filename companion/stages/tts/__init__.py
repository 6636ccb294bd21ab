"""Voices: one sentence becomes sound at 24 kHz, in pieces, with the times of its words where the engine tells them.

They do not know when they are heard, or interrupted: who closes the iterator stops them. Start with `hibari`, the
default one; a class of your own with `speak` is named in a configuration by its import string.
"""

from companion.stages.tts.coqui import Coqui
from companion.stages.tts.hibari import Hibari
from companion.stages.tts.kokoro import Kokoro
from companion.stages.tts.remote_voice import RemoteVoice

__all__ = ["Coqui", "Hibari", "Kokoro", "RemoteVoice"]
