"""What is learned from, on disk: clips of speech, shards of whole faces, tracked videos; and how sound is varied.

It does not know the networks. Start with `animator.learn.clips.clips` and `animator.learn.clips.shards`.
"""
