"""Who speaks, and how: personas, what their replies begin with, what they express, what a small model is kept from.

It does not know the language model or the conversation: files of ``prompts/`` go in, rules and phrases come out. Start
with `companion.dialogue.personas.personas`, which reads all of them.
"""
