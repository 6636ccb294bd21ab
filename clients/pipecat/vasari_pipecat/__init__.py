"""A face for pipelines of Pipecat: `FaceVideoService` stands behind the voice and before the output."""

from vasari_pipecat.video import FaceVideoService

__all__ = ["FaceVideoService"]
