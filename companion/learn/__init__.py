"""Trains the LoRA adapter of the embedded language model on dialogues that were written for it.

The running program knows nothing of it; it needs torch and gguf (extra ``train``). Start with
`companion.learn.train_words`; ``prompts/dialogues/README.md`` describes the dialogues.
"""
