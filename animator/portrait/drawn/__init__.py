"""Drawn faces: is a face drawn in flat colours, and where its eyes and mouth are, by their outlines.

It runs no network. Start with `animator.portrait.drawn.drawing`.
"""
