"""Language models of Hugging Face ``transformers`` in this process. Needs ``pip install "vasari[transformers]"``."""

# torch and transformers are an extra, and their types are not there without it:
# pyright: reportMissingImports=false, reportUntypedBaseClass=false, reportUnknownParameterType=false

from typing import Any

import torch
from pydantic import PrivateAttr
from transformers import AutoModelForCausalLM, AutoTokenizer, StoppingCriteria, StoppingCriteriaList, TextStreamer

from companion.stages.llm.local import LocalChat, OnDelta, Turns


class Transformers(LocalChat):
    """Any causal language model with a chat template.

    LangChain's own class for local pipelines blocks while it streams and cannot be stopped; this one streams from a
    worker thread and can be.
    """

    model: str  # a repository on the Hugging Face hub, or a folder
    device: str = "auto"  # "cpu", "cuda", "cuda:1"; "auto" spreads the model over the devices there are
    dtype: str = "auto"  # "bfloat16", "float32"; "auto" is that of the weights
    max_new_tokens: int = 150  # per reply: a spoken answer is short
    temperature: float = 0.7  # 0 is greedy decoding
    gguf_file: str | None = None  # a GGUF file in the repository or folder, in place of its other weights

    _model: Any = PrivateAttr()
    _tokenizer: Any = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        super().model_post_init(context)
        self._tokenizer = AutoTokenizer.from_pretrained(self.model, gguf_file=self.gguf_file)
        self._model = AutoModelForCausalLM.from_pretrained(
            self.model, gguf_file=self.gguf_file, device_map=self.device, dtype=self.dtype
        )

    @property
    def _llm_type(self) -> str:
        return "transformers"

    def _complete(self, turns: Turns, stop: list[str], on_delta: OnDelta) -> None:
        begun = bool(turns) and turns[-1]["role"] == "assistant"
        prompt = self._tokenizer.apply_chat_template(
            turns,
            add_generation_prompt=not begun,
            continue_final_message=begun,
            return_tensors="pt",
            return_dict=True,
        )
        streamer = _Streamer(self._tokenizer, on_delta)
        sampling: dict[str, Any] = {"do_sample": True, "temperature": self.temperature}
        with torch.inference_mode():
            self._model.generate(
                **prompt.to(self._model.device),
                max_new_tokens=self.max_new_tokens,
                streamer=streamer,
                stopping_criteria=StoppingCriteriaList([streamer.criterion]),
                stop_strings=stop or None,
                tokenizer=self._tokenizer,
                **(sampling if self.temperature > 0 else {"do_sample": False}),
            )


class _Streamer(TextStreamer):
    """Passes on text as soon as it is final; ``criterion`` stops the generation once ``on_delta`` returns True."""

    def __init__(self, tokenizer: Any, on_delta: OnDelta) -> None:
        super().__init__(tokenizer, skip_prompt=True, skip_special_tokens=True)
        self._on_delta = on_delta
        self.criterion = _Asked()

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        if text:
            self.criterion.to_end = self._on_delta(text) or self.criterion.to_end


class _Asked(StoppingCriteria):
    to_end = False

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor, **kwargs: Any) -> torch.BoolTensor:
        return torch.full((input_ids.shape[0],), self.to_end, dtype=torch.bool, device=input_ids.device)  # pyright: ignore
