"""SASRec of RecTools: a transformer over each user's last purchases."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator

import pytorch_lightning as pl
import torch
from rectools.models import SASRecModel
from rectools.models.nn.item_net import IdEmbeddingsItemNet

from benchmarks.peers.models.rectools_models import RecToolsModel, events_of
from benchmarks.peers.rival import SEED, THREADS, Data, Setting

PACKAGES = ("rectools", "torch", "pytorch-lightning")
EPOCHS_A_ROUND = 5
SETTINGS = tuple(
    {
        "session_max_len": length,
        "n_factors": width,
        "n_blocks": blocks,
        "loss": loss,
        "n_negatives": negatives,
        "lr": rate,
        "purchases": purchases,
        "epochs": 40,
    }
    for length, width, blocks, loss, negatives, rate, purchases in (
        (100, 64, 1, "gBCE", 16, 0.003, "first"),
        (100, 64, 2, "gBCE", 16, 0.001, "each"),
        (100, 64, 1, "sampled_softmax", 64, 0.003, "first"),
        (200, 32, 1, "gBCE", 16, 0.003, "first"),
    )
)


def fit(data: Data, setting: Setting) -> Iterator[RecToolsModel]:
    """Yields the model after every five epochs."""
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    torch.set_num_threads(THREADS)
    pl.seed_everything(SEED)
    dataset = events_of(data.once() if setting["purchases"] == "first" else data)
    model = SASRecModel(
        n_blocks=setting["n_blocks"],
        n_heads=2,
        n_factors=setting["n_factors"],
        session_max_len=setting["session_max_len"],
        loss=setting["loss"],
        n_negatives=setting["n_negatives"],
        gbce_t=0.75,
        lr=setting["lr"],
        batch_size=64,
        deterministic=True,
        item_net_block_types=(IdEmbeddingsItemNet,),
        recommend_torch_device="cpu",
        recommend_n_threads=THREADS,
    )
    for _ in range(setting["epochs"] // EPOCHS_A_ROUND):
        model.fit_partial(dataset, min_epochs=EPOCHS_A_ROUND, max_epochs=EPOCHS_A_ROUND)
        yield RecToolsModel(model, dataset)
