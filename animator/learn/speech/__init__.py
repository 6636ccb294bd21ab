"""Trains the networks that turn speech into mouth shapes: the mouth, closing and articulation networks (torch).

They know sound and the mouth that made it, and nothing of head, eyes or emotions. Start with
`animator.learn.speech.train_mouth`; the model card beside the networks has the commands.
"""
