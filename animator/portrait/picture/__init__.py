"""Reads any picture file as upright sRGB pixels, and the landmarks that a person gives with it.

It does not look for a face. Start with `animator.portrait.picture.reading`.
"""
