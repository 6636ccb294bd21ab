"""Drawn faces: whether a face is drawn in flat colours, and where its eyes, brows and mouth are, by their outlines.

It runs no network. Start with `animator.portrait.drawn.drawing`.
"""
