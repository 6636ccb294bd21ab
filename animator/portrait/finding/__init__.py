"""Where the face is, and what is special about it: landmarks, matte, glasses, occlusion.

It changes nothing in the picture. Start with `animator.portrait.finding.framing`, which puts the face in its frame.
"""
