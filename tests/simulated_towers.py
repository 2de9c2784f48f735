"""Two towers of a made shop, trained in seconds."""

from tfrs_app.evaluation.retrieval_scorer import RetrievalScorer
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.training.retrieval import train_retrieval
from tfrs_app.training.runs import load_retrieval

QUICK = {
    "batch_size": 256, "uniform_negatives": 64, "embedding_dim": 32, "epochs": 3,
    "learning_rate": 0.005,
}  # fmt: skip


def quick_towers(dataset, retrieval, folder) -> RetrievalScorer:
    """Trains in a folder by a shop's retrieval config, made quick."""
    config, encoded = retrieval.model_copy(update=QUICK), EncodedDataset.of(dataset)
    train_retrieval(encoded, config, folder, lambda line: None)
    model = load_retrieval(folder, encoded)
    return RetrievalScorer(model, encoded.reader(config.history_length))
