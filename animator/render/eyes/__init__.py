"""Renders eyes: irises, lids and their skin, glasses, and the eyes of drawings.

They know where the eye looks and how far it is shut, but not why. Start with `animator.render.eyes.eyeball`.
"""
