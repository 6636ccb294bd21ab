"""The commands of ``animator`` that need more than a call, and what all of them share.

They read options, print and exit, and do none of the work themselves. Start with `animator.__main__`, which names them
all.
"""
