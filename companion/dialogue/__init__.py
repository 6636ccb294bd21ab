"""What is said: the language model's words, guided by safety, memory, a lesson and tools.

It does not know about audio, faces or connections: messages go in, deltas of text come out. Start with
`companion.dialogue.mind`; ``personas`` is who speaks and how, and the texts themselves are files in ``prompts/``.
"""
