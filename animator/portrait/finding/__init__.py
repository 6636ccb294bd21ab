"""Finds the face in a picture and what is special about it: landmarks, matte, glasses, occlusion.

It changes nothing in the picture. Start with `animator.portrait.finding.framing`, which crops the view around the face.
"""
