"""A face for agents of LiveKit: `join` shows it from the agent's own process, `serve` from a worker of its own."""

from vasari_livekit.avatar import FaceVideo, join, serve

__all__ = ["FaceVideo", "join", "serve"]
