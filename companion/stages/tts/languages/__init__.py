"""How other languages than English are read: text -> Kokoro's alphabet.

By rules where the spelling tells (`spelling`, `devanagari`), by a dictionary where it does not (`chinese`, `japanese`).
`companion.stages.tts.polyglot` knows who reads which.
"""
