"""`AutoModelForSequenceClassification`: one label, several labels, or a comparison of two sentences."""

from collections.abc import Sequence

import torch

from auditor.models.contract import Encoded, Question, Text
from auditor.models.text import TextModel
from auditor.records.types import Document

NEVER_A_TOKEN = -1


class TextClassification(TextModel):
    """A classification head over a text model; offers `Classifies` and `Attends`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        # Heads on causal models pool the last token that is not padding. Without a padding token they refuse batches;
        # batches of equal length need none, and an id that no token has makes them pool the very last position.
        config = self.model.config.get_text_config()
        self.needs_equal_lengths = config.pad_token_id is None
        if self.needs_equal_lengths:
            config.pad_token_id = NEVER_A_TOKEN
        self.question = Question(self.identity.labels)

    def ask(self, documents: Sequence[Document]) -> list[Question]:
        """The same question for every document: which label."""
        return [self.question] * len(documents)

    def encode(self, texts: Sequence[Text]) -> list[Encoded]:
        """Token ids, cut to what the model can see."""
        batch = self.tokenize(texts)
        return [self.encoded(batch, i) for i in range(len(texts))]

    def outputs(self, encoded: Sequence[Encoded], questions: Sequence[Question]) -> torch.Tensor:  # noqa: ARG002
        """Logits (B, K), float32, on the host."""

        def forward(batch: list[int]) -> list[torch.Tensor]:
            texts = [encoded[i] for i in batch]
            ids, mask = self.padded([text.ids for text in texts])
            with torch.inference_mode():
                return [self.model(input_ids=ids, attention_mask=mask, **self.type_ids(texts)).logits.float()]

        lengths = [len(text.ids) for text in encoded]
        return self.batcher.run(lengths, forward, equal_lengths=self.needs_equal_lengths)[0]

    def probabilities(self, outputs: torch.Tensor, question: Question) -> torch.Tensor:  # noqa: ARG002
        """Softmax over the labels; a sigmoid each where a text may have several. Float64."""
        logits = outputs.double()
        return logits.sigmoid() if self.identity.multi_label else logits.softmax(dim=-1)

    def continuation(self, question: Question) -> str | None:  # noqa: ARG002
        """None: a classification head does not speak."""
        return None
