"""Renders the inside of the mouth: teeth, gums, tongue, the picture's own smile, and the contact of the lips.

It knows how far the lips are open, not what they say. Start with `animator.render.mouth.cavity`.
"""
