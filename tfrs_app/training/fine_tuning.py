"""What it takes to train the text encoder together with the towers."""

from __future__ import annotations

from dataclasses import dataclass

from tfrs_app.contract.text_config import TextConfig
from tfrs_app.contract.text_embeddings import EncoderRecord
from tfrs_app.layers.fine_tuned_texts import FineTunedTexts
from tfrs_app.layers.text import TextEncoder
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.training.encoder_schedule import LinearWarmUp
from tfrs_app.training.optimizers import LazyAdam


@dataclass(frozen=True)
class FineTuning:
    """Names the encoder that a training starts from, and how it is trained."""

    encoder: EncoderRecord
    text: TextConfig

    def texts(self, encoded: EncodedDataset, seed: int) -> FineTunedTexts:
        """Returns the dataset's texts behind the encoder.

        Raises:
            DataError: the encoder's handle leads to no SavedModel.
            ConfigError: the mode does not fit the encoder.
        """
        encoder = TextEncoder(
            self.encoder.handle,
            self.encoder.preprocessor,
            self.text.mode,
            self.text.top_layers,
        )
        return FineTunedTexts(
            encoder, encoded.distinct_texts, self.text.texts_per_step, seed
        )

    def optimizer(self) -> LazyAdam:
        """Returns what trains the encoder's variables."""
        return LazyAdam(LinearWarmUp(self.text.learning_rate, self.text.warmup_steps))
