import re


def word_error_rate(said: str, heard: str) -> float:
    """Edits between the words, per word that was said; case and punctuation do not count."""
    a, b = (re.sub(r"[^\w\s']", " ", text.lower()).split() for text in (said, heard))
    row = list(range(len(b) + 1))
    for i, word in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (word != other))
    return row[-1] / len(a)
