"""A portrait and a row of motion become a frame, on one CPU thread.

It does not know sound, time or wishes: the same row gives the same frame. Start with `animator.render.renderer`; what
a row says about a portrait is worked out in `animator.render.moment`.
"""

from animator.render.renderer import Renderer, warm

__all__ = ["Renderer", "warm"]
