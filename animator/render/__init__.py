"""Renders a frame from a portrait and a row of motion, on one CPU thread.

It knows neither audio nor time: the same row gives the same frame. Start with `animator.render.renderer`;
`animator.render.moment` computes what a row means for a portrait.
"""

from animator.render.renderer import Renderer, warm

__all__ = ["Renderer", "warm"]
