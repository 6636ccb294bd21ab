"""Recordings of conversations whose user consents: video, both voices, captions and a log of events, as files.

It knows nothing of sessions, nor who has consented. Start with `companion.filming.shoot`, which records one
conversation; `companion.filming.films` manages the files.
"""
