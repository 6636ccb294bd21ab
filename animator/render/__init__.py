"""A portrait and a motion row -> a frame, on one CPU thread."""

from animator.render.renderer import Renderer, warm

__all__ = ["Renderer", "warm"]
