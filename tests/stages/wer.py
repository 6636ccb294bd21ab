import re

from companion.bench.word_errors import distance


def word_error_rate(said: str, heard: str) -> float:
    """Edits between the words, per word that was said; case and punctuation do not count."""
    a, b = (re.sub(r"[^\w\s']", " ", text.lower()).split() for text in (said, heard))
    return distance(a, b) / len(a)
