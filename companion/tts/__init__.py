"""Speech synthesis. A new engine is a class with `speak`, named in the config by its import string."""

from companion.tts.coqui import Coqui
from companion.tts.hibari import Hibari
from companion.tts.kokoro import Kokoro

__all__ = ["Coqui", "Hibari", "Kokoro"]
