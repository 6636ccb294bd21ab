"""Any picture file becomes pixels in sRGB, upright.

It does not know that there is a face in it. Start with `animator.portrait.picture.reading`.
"""
