"""The commands of ``companion`` that need more than a call: set-up, doctor, memory, persona, safety.

They print, ask and exit; what they do is done elsewhere, and nothing imports them but the entry point. Start with
`companion.__main__`, which names them all.
"""
