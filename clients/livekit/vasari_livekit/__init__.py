"""A face for LiveKit agents: `join` shows it from the agent's own process, `serve` from a separate worker."""

from vasari_livekit.avatar import FaceVideo, join, serve

__all__ = ["FaceVideo", "join", "serve"]
