"""Who speaks, and how: personas, openers and backchannels, the emotion of sentences, corrections of a small model.

It does not run a language model or a turn: files of ``prompts/`` go in, rules and phrases come out. Start with
`companion.dialogue.personas.personas`, which reads all of these files.
"""
