"""The inside of a mouth: teeth, gums, tongue, the picture's own smile, and where lips meet.

It knows how far lips are open, not what they say. Start with `animator.render.mouth.cavity`.
"""
