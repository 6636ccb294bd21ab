"""Makes training data for the face's networks, trains them, and exports them to ONNX (torch).

It knows nothing of rendering, and nothing at run time imports it: `animator.motion` runs the ONNX files.
Start with ``docs/motion.md``; the commands are in `animator.learn.commands`.
"""
