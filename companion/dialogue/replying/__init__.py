"""What one reply is made of: the question to the language model, how it begins, tools, and what of it may be said.

It does not know when a reply is wanted, nor how it sounds. Start with `companion.dialogue.replying.thinking`, which
lets the language model speak; `companion.dialogue.mind` decides whether it does.
"""
