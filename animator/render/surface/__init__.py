"""Renders the skin of the face and what is behind it: pose, mesh, light, wrinkles, the static background.

It leaves the holes of eyes and mouth to `animator.render.eyes` and `animator.render.mouth`. Start with
`animator.render.surface.body` (the mesh) and `animator.render.surface.deform`, which moves it.
"""
