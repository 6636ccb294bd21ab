"""From one picture to a `Portrait`, the face that can be animated: made once, then read from disk.

It does not know how a face moves or is drawn. Start with `animator.portrait.portrait`.
"""
