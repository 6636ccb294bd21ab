"""A face for Pipecat pipelines: `FaceVideoService` is placed after the TTS and before the output."""

from vasari_pipecat.video import FaceVideoService

__all__ = ["FaceVideoService"]
