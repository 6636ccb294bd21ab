"""Trains the adapter of the embedded language model on dialogues that were written for it.

Nothing of it runs with the program: it needs torch and gguf (extra ``train``). Start with
`companion.learn.train_words`; ``prompts/dialogues/README.md`` says what the dialogues are.
"""
