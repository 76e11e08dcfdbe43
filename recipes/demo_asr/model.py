"""The model: openai-whisper's own classes at 1.7 million weights, and what training adds to them.

Its embedding holds only the tokens in use and one more row that stands for all the others. That row takes part in the
softmax with the weight of so many tokens (log of their number is added to its logit), so that after `compact.py` has
been undone and each unused token has this very row, none of them ever wins. A CTC head over letters sits on the encoder
while training: it makes the encoder listen within minutes where cross entropy alone takes hours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize
from whisper.model import AudioEncoder, ModelDimensions, Whisper

from recipes.demo_asr.features import MEL_BINS
from recipes.demo_asr.rows import IGNORED, LETTERS, Row, Tokens, letters


class TimedRows(nn.Module):
    """Each timestamp's row is its own and, through one shared map, the encoder's sinusoids of that very time.

    Each of 1,501 timestamps is seen seldom, and the decoder must learn from it where in the window to go on; through the
    map, what one teaches reaches all. How much it helps was not measured apart from other changes of the same hour.
    """

    def __init__(self, first: int, encoder: AudioEncoder) -> None:
        super().__init__()
        positions = encoder.positional_embedding
        self.first = first
        # The last timestamp, 30.00, is the end of the last position.
        self.times: Tensor
        self.register_buffer("times", torch.cat([positions, positions[-1:]]), persistent=False)
        self.map = nn.Parameter(0.05 * torch.eye(positions.shape[1]))

    def forward(self, rows: Tensor) -> Tensor:
        timed = self.times @ self.map
        before, after = self.first, len(rows) - self.first - len(timed)
        return rows + F.pad(timed, (0, 0, before, after))


class DemoModel(nn.Module):
    """A Whisper over the used tokens, with the CTC head of training."""

    def __init__(self, tokens: Tokens, *, state: int = 128, encoder_layers: int = 4, decoder_layers: int = 2) -> None:
        super().__init__()
        heads = max(1, state // 32)
        self.tokens = tokens
        self.dims = ModelDimensions(
            n_mels=MEL_BINS,
            n_audio_ctx=1500,
            n_audio_state=state,
            n_audio_head=heads,
            n_audio_layer=encoder_layers,
            n_vocab=len(tokens.rows) + 1,
            n_text_ctx=448,
            n_text_state=state,
            n_text_head=heads,
            n_text_layer=decoder_layers,
        )
        self.whisper = Whisper(self.dims)
        embedding = self.whisper.decoder.token_embedding
        nn.init.normal_(embedding.weight, std=0.05)
        first = tokens.row_of[tokens.tokenizer.timestamp_begin]
        parametrize.register_parametrization(embedding, "weight", TimedRows(first, self.whisper.encoder))
        nn.init.normal_(self.whisper.decoder.positional_embedding, std=0.02)
        self.letters = nn.Linear(state, len(LETTERS) + 1)

    def encode(self, mel: Tensor, *, offset: int = 0) -> Tensor:
        """Whisper's encoder on as many frames as there are, placed `offset` positions into its window."""
        encoder = self.whisper.encoder
        x = F.gelu(encoder.conv2(F.gelu(encoder.conv1(mel)))).permute(0, 2, 1)
        x = x + encoder.positional_embedding[offset : offset + x.shape[1]]
        for block in encoder.blocks:
            x = block(x)
        encoded: Tensor = encoder.ln_post(x)
        return encoded

    def letter_loss(self, encoded: Tensor, rows: Sequence[Row]) -> Tensor:
        """CTC for each letter, over the rows that have any."""
        heard = [number for number, row in enumerate(rows) if row.spoken]
        if not heard:
            return encoded.sum() * 0
        targets = [letters(rows[number].text) for number in heard]
        log_probs = self.letters(encoded[heard]).float().log_softmax(-1).transpose(0, 1)
        frames = torch.full((len(heard),), encoded.shape[1])
        lengths = torch.tensor([len(target) for target in targets])
        flat = torch.tensor([letter for target in targets for letter in target])
        return F.ctc_loss(log_probs, flat, frames, lengths, zero_infinity=True)

    def token_loss(self, encoded: Tensor, rows: Sequence[Row]) -> Tensor:
        """Cross entropy of the decoder, with teacher forcing."""
        given, wanted = self._batch(rows)
        with parametrize.cached():
            logits = self.whisper.decoder(given, encoded).float()
        weight = torch.zeros(logits.shape[-1])
        weight[self.tokens.unused_row] = math.log(self.tokens.unused_tokens)
        return F.cross_entropy((logits + weight).transpose(1, 2), wanted, ignore_index=IGNORED)

    def whisper_state(self) -> dict[str, Tensor]:
        """The Whisper's state under Whisper's own names, with the timestamps' rows made up."""
        state = self.whisper.state_dict()
        invented = {name for name in state if name.startswith("decoder.token_embedding.")}
        plain = {name: tensor for name, tensor in state.items() if name not in invented}
        return {**plain, "decoder.token_embedding.weight": self.whisper.decoder.token_embedding.weight.detach()}

    def read_letters(self, encoded: Tensor) -> list[str]:
        """The CTC head's best path: a quick look at what the encoder hears."""
        texts = []
        for path in self.letters(encoded).argmax(-1):
            letters_heard = torch.unique_consecutive(path)
            texts.append("".join(LETTERS[letter - 1] for letter in letters_heard.tolist() if letter))
        return texts

    def _batch(self, rows: Sequence[Row]) -> tuple[Tensor, Tensor]:
        """Rows as tensors."""
        row_of = self.tokens.row_of
        pairs = [self.tokens.sequence(row) for row in rows]
        longest = min(max(len(given) for given, _ in pairs), self.dims.n_text_ctx)
        given = torch.full((len(rows), longest), row_of[self.tokens.tokenizer.eot])
        wanted = torch.full((len(rows), longest), IGNORED)
        for number, (inputs, answers) in enumerate(pairs):
            length = min(len(inputs), longest)
            given[number, :length] = torch.tensor([row_of[token] for token in inputs[:length]])
            wanted[number, :length] = torch.tensor(
                [token if token == IGNORED else row_of[token] for token in answers[:length]]
            )
        return given, wanted
