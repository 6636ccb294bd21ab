"""Speech synthesis. A new engine is a class with `speak`, named in the config by its import string."""

from companion.stages.tts.coqui import Coqui
from companion.stages.tts.hibari import Hibari
from companion.stages.tts.kokoro import Kokoro

__all__ = ["Coqui", "Hibari", "Kokoro"]
