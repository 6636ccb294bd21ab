"""Training of the motion network: conversations made of clips, batches of them, the network, its weights (torch).

It does not know how clips came about. Start with `animator.learn.motion.train_motion`.
"""
