"""How a face behaves: head, gaze, blinks, brows and passing expressions, as people's move.

It does not know what is said, only how it sounds and what is wished for. Start with
`animator.motion.behaviour.choice`, which behaviours there are, and `animator.motion.behaviour.processes`, the default
one.
"""
