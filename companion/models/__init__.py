"""The embedded models: what they are, where their files lie, and how they get here, checked to the byte.

It does not know which stage uses a model or how. Start with `companion.models.manifest`, the list, and
`companion.models.locate`, which finds a model on this machine.
"""
