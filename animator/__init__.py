"""The animator: animates a face from one picture by audio and control input.

It knows nothing of conversations, servers or language models: it never imports `companion`, and is useful alone. Start
with `animator.face`: `Face.step` takes 40 ms of audio and a `Control`, and returns the frame for them.
"""
