"""What a picture's own expression does to motion: eyes that are half shut in it are opened, lips that are parted shut.

It does not draw. Start with `animator.render.neutral.parted`.
"""
