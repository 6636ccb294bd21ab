"""Tracks faces, lips, irises and teeth in a video, frame by frame.

It does not know how the video was made, nor what the figures should be. Start with `animator.evaluate.tracking.track`.
"""
