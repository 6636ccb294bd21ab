"""Training data on disk: clips of speech, shards with the motion of whole faces, tracking of videos, augmentation.

It does not know the networks. Start with `animator.learn.clips.clips` and `animator.learn.clips.shards`.
"""
