"""Data for the networks of the face, their training and their export (torch).

Nothing that runs imports it: trained networks are ONNX files, which `animator.motion` runs. Start with
``docs/motion.md``; the commands are in `animator.learn.commands`.
"""
