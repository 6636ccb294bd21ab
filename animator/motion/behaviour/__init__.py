"""How a face behaves: head, gaze, blinks, brows and passing expressions, modelled on people.

It does not know what is said, only how it sounds and what the control asks for. Start with
`animator.motion.behaviour.choice` (the available behaviours) and `animator.motion.behaviour.processes`, the default.
"""
