"""Trains the networks that turn speech into mouth motion: the mouth, closing and articulation networks (torch).

They know nothing of head, eyes or emotions. Start with `animator.learn.speech.train_mouth`; the model card beside the
networks has the commands.
"""
