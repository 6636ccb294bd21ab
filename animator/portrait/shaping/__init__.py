"""A fitted head and the 52 blendshapes of this face: depth, and lids and lips that close exactly.

It does not know which shapes are used when. Start with `animator.portrait.shaping.head_fit`.
"""
