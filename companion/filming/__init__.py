"""A conversation on film, for who has agreed to it: both voices, the face's pictures and captions, in files.

It does not know sessions, nor who agrees. Start with `Films`.
"""
