"""The face mesh: its points and triangles, which of them are lips, lids and brows; and head poses.

It does not look at pictures. Start with `animator.portrait.geometry.topology`.
"""
