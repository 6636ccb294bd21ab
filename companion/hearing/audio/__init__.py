"""Microphone audio: resampled, freed from the echo of the face's voice, and cut into turns of speech.

It does not know about words, transcripts or a conversation. Start with `companion.hearing.audio.microphone`; when a
turn starts and stops is computed from probabilities of speech in `companion.hearing.audio.turns`.
"""
