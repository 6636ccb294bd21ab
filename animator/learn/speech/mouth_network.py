"""The mouth network: convolutions over 360 ms of log-mel, a GRU for longer context, one output per frame."""

# torch is an extra, and its types are not there without it:
# pyright: reportMissingImports=false, reportUntypedBaseClass=false, reportUnknownParameterType=false

import torch
from torch import Tensor, nn

from animator.media.mel import MELS
from animator.motion.voice.mouth_net import CHANNELS, HIDDEN_SIZE

SYNTHETIC_HEAD, CAPTURED_HEAD = 0, 1  # heads


def listener() -> nn.Sequential:
    """Layers (batch, MELS, 36 + 4 (frames - 1)) -> (batch, HIDDEN_SIZE, frames), the sound around each frame."""
    return nn.Sequential(
        nn.Conv1d(MELS, 96, 4, stride=2), nn.SiLU(),
        nn.Conv1d(96, 128, 3, stride=2), nn.SiLU(),
        nn.Conv1d(128, 160, 4), nn.SiLU(),
        nn.Conv1d(160, HIDDEN_SIZE, 5), nn.SiLU(),
    )  # fmt: skip


class MouthNetwork(nn.Module):
    """Two heads on one trunk: one learns exact closures from synthetic speech, the other real mouths from captures."""

    def __init__(self) -> None:
        super().__init__()
        self.listen = listener()
        self.gru = nn.GRU(HIDDEN_SIZE, HIDDEN_SIZE, batch_first=True)
        self.heads = nn.ModuleList(nn.Linear(2 * HIDDEN_SIZE, len(CHANNELS)) for _ in range(2))

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(batch, 36 + 4 (frames - 1), MELS), (1, batch, HIDDEN_SIZE) -> the mouths of both heads (batch, frames,
        channels), the GRU's state, and the features that the heads read, (batch, frames, 2 * HIDDEN_SIZE)."""
        heard = self.listen(features.transpose(1, 2)).transpose(1, 2)
        recalled, state = self.gru(heard, state)
        both = torch.cat([heard, recalled], dim=2)
        return self.heads[SYNTHETIC_HEAD](both), self.heads[CAPTURED_HEAD](both), state, both


class Shipped(nn.Module):
    """The exported graph, for one frame of one stream: the heads are blended, and each channel is scaled by its
    gain."""

    def __init__(self, network: MouthNetwork, captured: float, gain: Tensor) -> None:
        super().__init__()
        self.network = network
        share = torch.full((len(CHANNELS),), captured)
        share[CHANNELS.index("mouthClose")] = 0.0
        self.register_buffer("share", share)
        self.register_buffer("gain", gain)

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(1, 36, MELS), (1, 1, HIDDEN_SIZE) -> (1, 1, channels), (1, 1, HIDDEN_SIZE), (1, 1, 2 * HIDDEN_SIZE)."""
        synthetic, captured, state, both = self.network(features, state)
        return (synthetic + self.share * (captured - synthetic)) * self.gain, state, both
