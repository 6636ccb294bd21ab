"""The commands of ``animator`` that need more than one call, and what all of them share.

They parse, print and exit, and know nothing of how the work is done. Start with `animator.__main__`, which registers
all of them.
"""
