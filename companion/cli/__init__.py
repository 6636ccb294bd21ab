"""The commands of ``companion`` that need more than one call: setup, doctor, memory, persona, safety, trace.

They parse, print and exit, and know nothing of how the work is done; only `companion.__main__` imports them. Start
there: it registers all of them.
"""
