import shutil

import numpy as np
import pytest
import tensorflow as tf

from tests.tiny_bert import (
    LAYERS,
    STRINGS,
    WIDTH,
    LengthEncoder,
    PairEncoder,
    Preprocessor,
    ScaledEncoder,
    save,
    tiny_bert,
)
from tfrs_app.contract.errors import ConfigError, DataError
from tfrs_app.layers.text import TextEncoder, encoder_fingerprint, load_encoder

pytestmark = pytest.mark.slow

PER_LAYER = 12
"""Variables of a transformer layer: four products and two norms, two each."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Handles of made-up SavedModels; nobody may write into them."""
    root = tmp_path_factory.mktemp("encoders")
    length = LengthEncoder()
    signature = tf.Module()
    signature.inner = length
    served = length.__call__.get_concrete_function()
    return {
        "tiny": save(tiny_bert(), root / "tiny"),
        "length": save(length, root / "length"),
        "signature": save(
            signature,
            root / "signature",
            signatures=tf.function(
                lambda text: {"embedding": served(text)}, input_signature=STRINGS
            ),
        ),
        "before": save(Preprocessor(), root / "before"),
        "pair": save(PairEncoder(), root / "pair"),
        "sequence": save(PairEncoder(["sequence_output"]), root / "sequence"),
        "empty": save(tf.Module(), root / "empty"),
    }


@pytest.mark.parametrize("name", ["length", "signature"])
def test_strings_become_vectors(folders, name):
    vectors = load_encoder(folders[name])(tf.constant(["", "ab", "über"]))
    assert vectors.dtype == tf.float32
    assert vectors.numpy().tolist() == [[1, 0], [1, 2], [1, 5]]


def test_an_encoder_works_inside_a_graph(folders):
    embed = tf.function(load_encoder(folders["length"]), input_signature=STRINGS)
    assert embed(tf.constant(["abc"])).numpy().tolist() == [[1, 3]]


def test_a_pair_gives_the_pooled_output(folders):
    embed = load_encoder(folders["pair"], folders["before"])
    codes = [-97.0, -970.0]  # minus the first letter's code, times 1 and 10
    assert embed(tf.constant(["ab", "a"])).numpy().tolist() == [codes, codes]


def test_a_pair_without_it_gives_the_mean_over_the_mask(folders):
    embed = load_encoder(folders["sequence"], folders["before"])
    vectors = embed(tf.constant(["ac", "a", ""])).numpy()
    assert vectors.tolist() == [[98, 980], [97, 970], [0, 0]]


@pytest.mark.parametrize(
    ("mode", "top_layers", "trained"),
    [
        ("frozen", None, 0),
        ("top_layers", 1, PER_LAYER),
        ("top_layers", LAYERS, LAYERS * PER_LAYER),
        ("full", None, LAYERS * PER_LAYER + 5),
    ],
)
def test_a_mode_chooses_the_trainable_variables(folders, mode, top_layers, trained):
    encoder = TextEncoder(folders["tiny"], mode=mode, top_layers=top_layers)
    assert len(encoder.trainable_variables) == trained
    assert len(encoder.variables) == LAYERS * PER_LAYER + 5
    assert encoder(tf.constant(["red hat"])).shape == (1, WIDTH)
    assert encoder.dim == WIDTH


def test_top_layers_are_the_last_ones_and_what_follows_them(folders):
    encoder = TextEncoder(folders["pair"], folders["before"], "top_layers", 1)
    assert [variable.name for variable in encoder.trainable_variables] == [
        "transformer/layer_1/output/kernel:0",
        "pooler_transform/kernel:0",
    ]


@pytest.mark.parametrize(
    ("mode", "top_layers", "moving"),
    [
        ("frozen", None, ()),
        ("top_layers", 2, ("layer_1/", "layer_2/")),
        ("full", None, ("layer_", "embeddings")),
    ],
)
def test_a_step_moves_what_the_mode_trains(folders, mode, top_layers, moving):
    encoder = TextEncoder(folders["tiny"], mode=mode, top_layers=top_layers)
    head = tf.keras.layers.Dense(1)
    model = tf.keras.Sequential([encoder, head])
    model.compile(optimizer=tf.keras.optimizers.SGD(0.5), loss="mse")
    before = {id(v): v.numpy() for v in encoder.variables}
    texts, labels = tf.constant(["red hat", "wool a b"]), tf.constant([[3.0], [-3.0]])
    model.fit(texts, labels, epochs=2, verbose=0)
    for variable in encoder.variables:
        moved = bool(np.any(variable.numpy() != before[id(variable)]))
        assert moved == any(part in variable.name for part in moving), variable.name


def test_no_gradient_reaches_a_frozen_encoder(folders):
    encoder = TextEncoder(folders["tiny"])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(encoder(tf.constant(["red hat"])) ** 3)
    assert tape.gradient(loss, encoder.variables) == [None] * len(encoder.variables)


def test_a_layer_survives_saving(folders, tmp_path):
    model = tf.keras.Sequential([TextEncoder(folders["tiny"], mode="full")])
    texts = tf.constant(["red hat", ""])
    expected = model(texts).numpy()
    tf.saved_model.save(model, str(tmp_path / "saved"))
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    np.testing.assert_allclose(loaded(texts), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("handle", "preprocessor", "mode", "top_layers", "sentence"),
    [
        ("tiny", None, "top_layers", LAYERS + 1, "has 3 layers; give 1 to 3"),
        ("tiny", None, "top_layers", None, "top_layers is None but"),
        ("length", None, "full", None, "lists no trainable variables, so mode full"),
        ("signature", None, "top_layers", 1, "lists no trainable variables"),
        ("pair", None, "frozen", None, "if it takes word ids, name its preprocessor"),
        ("length", "before", "frozen", None, "must take what the preprocessor"),
        ("before", None, "frozen", None, r"its outputs are \['input_mask'"),
        ("pair", "length", "frozen", None, "use the pair that belongs together"),
        ("empty", None, "frozen", None, r"is not callable .* \(signatures: \[\]\)"),
    ],
)
def test_unfit_encoders_are_refused(
    folders, handle, preprocessor, mode, top_layers, sentence
):
    before = None if preprocessor is None else folders[preprocessor]
    with pytest.raises(ConfigError, match=sentence) as error:
        TextEncoder(folders[handle], before, mode, top_layers)
    assert repr(folders[handle]) in str(error.value)
    assert "\n" not in str(error.value)


def test_layers_without_names_cannot_be_chosen(tmp_path):
    handle = save(ScaledEncoder(), tmp_path / "unnamed")
    with pytest.raises(ConfigError, match=r"told apart.*'scale:0'.*mode frozen or ful"):
        TextEncoder(handle, mode="top_layers", top_layers=1)
    assert len(TextEncoder(handle, mode="full").trainable_variables) == 1


@pytest.mark.parametrize("shape", ["matrix", "scalar", "one"])
def test_other_shapes_than_vectors_are_refused(tmp_path, shape):
    module = tf.Module()
    answers = {
        "matrix": lambda texts: tf.zeros([tf.shape(texts)[0], 2, 2]),
        "scalar": lambda texts: tf.zeros([]),
        "one": lambda texts: tf.zeros([1, 4]),
    }
    call = tf.function(answers[shape], input_signature=STRINGS)
    handle = save(module, tmp_path / "odd", signatures=call)
    with pytest.raises(ConfigError, match="for 2 texts; it must map string"):
        load_encoder(handle)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda folder: None, "there is no such folder; name the folder"),
        (lambda folder: folder.write_text("x"), "there is no such folder"),
        (lambda folder: folder.mkdir(), "is no SavedModel, it lacks saved_model.pb"),
    ],
)
def test_bad_folders_are_named(tmp_path, make, sentence):
    folder = tmp_path / "encoder"
    make(folder)
    for function in (load_encoder, encoder_fingerprint):
        with pytest.raises(DataError, match=sentence) as error:
            function(str(folder))
        assert repr(str(folder)) in str(error.value)


def test_a_damaged_one_is_named(folders, tmp_path):
    handle = shutil.copytree(folders["tiny"], tmp_path / "tiny")
    (handle / "saved_model.pb").write_bytes(b"damaged")
    with pytest.raises(DataError, match=r"cannot be loaded .* copy or build it"):
        load_encoder(str(handle))


def test_one_without_its_variables_is_named(folders, tmp_path):
    handle = shutil.copytree(folders["tiny"], tmp_path / "tiny")
    shutil.rmtree(handle / "variables")
    with pytest.raises(DataError, match="cannot be loaded"):
        load_encoder(str(handle))


def test_an_unreachable_url_is_named():
    url = "http://127.0.0.1:9/bert/1"  # the discard port: nothing listens
    with pytest.raises(DataError, match="check the URL and the network") as error:
        load_encoder(url)
    assert repr(url) in str(error.value)


def test_a_fingerprint_is_of_the_content(folders, tmp_path):
    original = encoder_fingerprint(folders["tiny"])
    copy = shutil.copytree(
        folders["tiny"], tmp_path / "copy", copy_function=shutil.copy
    )
    (copy / "manifest.json").write_text("{}", encoding="utf-8")
    assert encoder_fingerprint(str(copy)) == original
    assert len(original) == 64


@pytest.mark.parametrize(
    "part",
    ["saved_model.pb", "variables/variables.data-00000-of-00001", "assets/vocab.txt"],
)
def test_a_changed_part_changes_the_fingerprint(folders, tmp_path, part):
    copy = shutil.copytree(folders["tiny"], tmp_path / "copy")
    path = copy / part
    path.write_bytes((path.read_bytes() if path.exists() else b"") + b"x")
    assert encoder_fingerprint(str(copy)) != encoder_fingerprint(folders["tiny"])


def test_fingerprints_tell_handles_apart(folders):
    urls = ["https://example.org/bert/1", "https://example.org/bert/2"]
    prints = {
        encoder_fingerprint(folders["tiny"]),
        encoder_fingerprint(folders["pair"]),
        encoder_fingerprint(folders["pair"], folders["before"]),
        encoder_fingerprint(folders["before"], folders["pair"]),
        encoder_fingerprint(urls[0]),
        encoder_fingerprint(urls[1]),
        encoder_fingerprint(urls[0], urls[1]),
        encoder_fingerprint(urls[1], urls[0]),
    }
    assert len(prints) == 8
