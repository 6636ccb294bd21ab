"""Training of the networks that hear speech: the mouth, touching lips, and articulation (torch).

They know sound and the mouth that said it, and nothing of head, eyes or feelings. Start with
`animator.learn.speech.train_mouth`; the model card beside the networks has the commands.
"""
