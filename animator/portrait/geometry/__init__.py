"""The face mesh: its points and triangles, which of them are lips, lids and brows, and how a head is turned.

It knows no picture. Start with `animator.portrait.geometry.topology`.
"""
