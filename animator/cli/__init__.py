"""The commands of ``animator`` that need more than a call, and what all of them share.

They read options, print and exit; the work is done elsewhere. Start with `animator.__main__`, which names them all.
"""
