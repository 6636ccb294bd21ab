"""Coqui's real loading path, with a tiny VITS of random weights that is built here."""

import numpy as np
import pytest

from companion.errors import StageError
from companion.stages.protocols import SPEAK_RATE
from companion.stages.tts import Coqui

pytest.importorskip("TTS", reason='needs pip install "vasari[coqui]"')
pytestmark = pytest.mark.filterwarnings("ignore")  # torch and Coqui warn about their own insides


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> tuple[str, str]:
    """(model.pth, config.json) of a VITS with a few thousand weights, at 16 kHz."""
    import torch
    from TTS.config.shared_configs import BaseAudioConfig
    from TTS.tts.configs.vits_config import VitsArgs, VitsConfig
    from TTS.tts.models.vits import Vits

    folder = tmp_path_factory.mktemp("vits")
    size = {"hidden_channels": 16, "hidden_channels_ffn_text_encoder": 32, "num_heads_text_encoder": 2}
    layers = {"num_layers_text_encoder": 1, "num_layers_flow": 1, "num_layers_posterior_encoder": 1}
    decoder = {"upsample_initial_channel_decoder": 32, "use_sdp": False}
    config = VitsConfig(
        model_args=VitsArgs(**size, **layers, **decoder),
        audio=BaseAudioConfig(sample_rate=16_000, hop_length=256, win_length=1024),
        use_phonemes=False,
        text_cleaner="basic_cleaners",
    )
    torch.manual_seed(0)
    model = Vits.init_from_config(config)
    model.config.save_json(str(folder / "config.json"))
    torch.save({"model": model.state_dict()}, folder / "model.pth")
    return str(folder / "model.pth"), str(folder / "config.json")


async def test_a_model_on_disk_is_loaded_and_speaks_at_our_rate(tiny):
    voice = Coqui(model_path=tiny[0], config_path=tiny[1])
    said = [piece async for piece in voice.speak("Hello there. How are you?")]
    assert len(said) == 2, "a sentence a piece"
    for piece in said:
        assert piece.audio.dtype == np.float32
        assert len(piece.audio) > 0.1 * SPEAK_RATE
        assert np.isfinite(piece.audio).all()
        assert 0 < np.abs(piece.audio).max() <= 1


async def test_nothing_to_say_is_silence(tiny):
    voice = Coqui(model_path=tiny[0], config_path=tiny[1])
    assert [piece async for piece in voice.speak(" ... ")] == []


def test_a_broken_model_is_refused(tiny, tmp_path):
    (tmp_path / "model.pth").write_bytes(b"not a model")
    with pytest.raises(StageError, match=r"model\.pth"):
        Coqui(model_path=str(tmp_path / "model.pth"), config_path=tiny[1])
