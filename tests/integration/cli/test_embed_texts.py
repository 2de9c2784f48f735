"""`tfrs-app embed-texts`, and where `tfrs-app run` has it."""

import shlex
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from tests.conftest import SMOKE
from tests.program import process, refusal, tfrs_app
from tests.tiny_encoder import write_encoder
from tfrs_app.cli.stages import Stages
from tfrs_app.contract.errors import ArtifactError, ConfigError, DataError
from tfrs_app.contract.loading import load_config
from tfrs_app.data.dataset import Dataset
from tfrs_app.data.text_embeddings import TextEmbeddings


@pytest.fixture(scope="module")
def handle(tmp_path_factory):
    return write_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, toy_overrides, handle):
    """The overrides of a toy shop with an encoder, whose dataset is made."""
    root = tmp_path_factory.mktemp("toy")
    sets = [f"artifacts={root}", *toy_overrides, f"text.encoder={handle}"]
    done = tfrs_app("prepare", *options(sets))
    assert done.returncode == 0, done.stderr
    next_is(done, "embed-texts", sets)
    return sets


def options(sets):
    return ["-c", str(SMOKE), *(part for text in sets for part in ("--set", text))]


def next_is(done, command, sets):
    last = done.stdout.splitlines()[-1]
    assert last.startswith("next: ")
    assert last.endswith(shlex.join([*command.split(), *options(sets)]))


def test_the_vectors_of_all_items_where_the_stages_look_for_them(prepared, handle):
    done = process("embed-texts", *options(prepared))
    assert done.returncode == 0, done.stderr
    assert " from the cache, " in done.stderr
    next_is(done, "train retrieval", prepared)
    stages = stages_of(*prepared)
    found = TextEmbeddings.open(stages.text_embeddings_folder)
    titles = Dataset.open(stages.dataset_folder).catalogue["title"]
    expected = tf.saved_model.load(handle)(tf.constant(titles)).numpy()
    np.testing.assert_allclose(found.of("title"), expected, atol=1e-5)
    again = tfrs_app("embed-texts", *options(prepared))
    assert f"text embeddings unchanged: {stages.text_embeddings_folder}" in again.stderr


def test_without_an_encoder_there_is_nothing_to_do(prepared):
    told = refusal("embed-texts", *options([*prepared, "text=null"]))
    assert "text: this section is absent, so there is no encoder; add `text:" in told


def stages_of(*sets):
    return Stages(load_config(SMOKE, sets), Console(quiet=True))


def test_embedding_needs_a_dataset(prepared, tmp_path):
    with pytest.raises(ArtifactError, match="absent or unfinished"):
        stages_of(*prepared, f"artifacts={tmp_path}").embed_texts()


def test_embedding_needs_an_encoder(prepared, tmp_path):
    missing = f"text.encoder={tmp_path / 'none'}"
    with pytest.raises(DataError, match="there is no such folder"):
        stages_of(*prepared, missing).embed_texts()


def test_embedding_checks_the_runners_options(prepared):
    with pytest.raises(ConfigError, match="'DirectRunner' is not supported"):
        stages_of(*prepared).embed_texts(("--runner=DirectRunner",))


def test_a_shop_without_texts_has_nothing_to_look_up(prepared):
    stages = stages_of(*prepared, "features=[]", "data.users=null", "ranking=null")
    with pytest.raises(ConfigError, match="none has role candidate and kind text"):
        _ = stages.text_embeddings_folder


STEPS = ("prepare", "train", "train_ranking", "evaluate", "export", "embed_texts")


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("null", ["prepare", "train", "train_ranking", "evaluate", "export"]),
        (
            "{}",
            ["prepare", "embed_texts", "train", "train_ranking", "evaluate", "export"],
        ),
    ],
)
def test_a_run_embeds_between_prepare_and_train_if_texts_are_frozen(
    toy_overrides, monkeypatch, capsys, text, steps
):
    done = []
    for name in STEPS:
        monkeypatch.setattr(
            Stages, name, lambda self, *_, name=name: done.append(name) or Path(name)
        )
    sets = [*toy_overrides, f"text={text}"]
    assert Stages(load_config(SMOKE, sets), Console()).run() == Path("export")
    assert done == steps
    titles = [line for line in capsys.readouterr().out.splitlines() if "/" in line]
    numbers = [f"{number}/{len(steps)}" for number in range(1, len(steps) + 1)]
    assert [title.split()[0] for title in titles] == numbers
