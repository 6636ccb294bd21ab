"""Training of the networks that hear speech: the mouth, touching lips, and articulation.

They know sound and the mouth that said it, and nothing of head, eyes or feelings. Start with
`animator.learn.speech.corpus`, the data; the model card beside the networks has the commands.
"""
