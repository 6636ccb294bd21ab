"""Trains the motion network: conversations assembled from clips, batches, the network, the export of weights (torch).

It does not know how the clips were made. Start with `animator.learn.motion.train_motion`.
"""
