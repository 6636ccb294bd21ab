"""The animator: one picture and a voice in, a living face out.

It knows nothing of conversations, servers or language models: it never imports `companion`, and is useful alone. Start
with `animator.face`: `Face.step` takes 40 ms of sound and a wish, and gives the frame that belongs to them.
"""
