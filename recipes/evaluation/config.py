"""[eval]: how often and on how many examples a run is evaluated, and what a full evaluation adds."""

from __future__ import annotations

from pydantic import Field

from recipes.sections import Section


class EndpointConfig(Section):
    """An LLM behind an OpenAI-compatible endpoint."""

    url: str = Field("", description="base address, such as http://127.0.0.1:8000/v1; none: not used")
    model: str = Field("", description="the model's name at that endpoint")
    key_variable: str = Field("OPENAI_API_KEY", description="environment variable that holds the key")
    concurrency: int = Field(8, ge=1, description="requests at once")
    timeout: float = Field(60.0, gt=0, description="seconds before a request is tried again")
    retries: int = Field(4, ge=0, description="further tries after 429, 5xx, timeouts and unreadable answers")


class EvalConfig(Section):
    """[eval]"""

    every: int = Field(200, ge=1, description="steps between evaluations during training")
    examples_per_task: int = Field(200, ge=1, description="validation examples of each task, the same every time")
    batch_size: int = Field(8, ge=1, description="examples answered at once")
    max_new_tokens: int = Field(1024, ge=1, description="longest answer: the transcript of 120 s takes some 800")
    resamples: int = Field(1000, ge=100, description="bootstrap and randomization resamples")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="of the intervals")
    length_edges: tuple[float, ...] = Field((5.0, 15.0, 30.0, 60.0), description="seconds that part the length slices")
    snr_edges: tuple[float, ...] = Field((5.0, 15.0, 25.0), description="decibels that part the SNR slices")
    smallest_slice: int = Field(20, ge=1, description="slices with fewer examples are not shown")
    bertscore: str = Field("", description="model for BERTScore, where bert_score is installed; none: left out")
    judge: EndpointConfig = EndpointConfig()
    """Grades summaries."""
    cascade: EndpointConfig = EndpointConfig()
    """The text LLM of the cascade baseline; best another than the judge, which favours its own answers."""
