"""What is heard of a voice: the mouth that says it, lips that touch, melody and phrases.

It does not know the words, nor what else the face does. Start with `animator.motion.voice.voices`, a frame of each
voice; the networks have their card beside them.
"""
