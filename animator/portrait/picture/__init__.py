"""Any picture file becomes pixels in sRGB, upright; and the points of a face that a person may name in it.

It does not look for a face. Start with `animator.portrait.picture.reading`.
"""
