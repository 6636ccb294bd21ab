"""Turns one picture into a `Portrait`, a face that can be animated. It is prepared once and then read from disk.

It does not know how a face moves or is drawn. Start with `animator.portrait.portrait`.
"""
