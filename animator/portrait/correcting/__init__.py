"""What people may correct: named points of a face, whether it is drawn; and what they are told of a picture.

It does not find faces by itself. Start with `animator.portrait.correcting.named`.
"""
