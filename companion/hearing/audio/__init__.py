"""A microphone's sound: resampled, rid of the face's own voice, and cut into the turns that somebody speaks.

It does not know about words, transcripts or a conversation. Start with `companion.hearing.audio.microphone`; when a
turn starts and stops is arithmetic on probabilities of speech, in `companion.hearing.audio.turns`.
"""
