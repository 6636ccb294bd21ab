"""What a tracker sees in a video: faces, lips, irises, teeth, frame by frame.

It does not know how the video was made, nor what its figures should be. Start with `animator.evaluate.tracking.track`.
"""
