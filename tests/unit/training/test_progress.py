import numpy as np
import pytest
import tensorflow as tf

from tfrs_app.training.optimizers import LazyAdam
from tfrs_app.training.progress import TrainingProgress


def model_at(value):
    tf.keras.utils.set_random_seed(1)
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(1,))])
    set_to(model, value)
    return model


def progress_of(model, folder, patience=2):
    return TrainingProgress(model, LazyAdam(0.01), folder, patience)


def set_to(model, value):
    model.set_weights([np.array([[value]]), np.array([value])])


def value_of(model):
    return float(model.get_weights()[0][0, 0])


def run(folder, metrics, patience=2, epochs=100, start=0):
    """Plays a training whose weights are the number of the epoch."""
    model = model_at(-1.0)
    progress = progress_of(model, folder, patience)
    while not progress.finished(epochs) and progress.epochs_done < len(metrics):
        set_to(model, progress.epochs_done + 1.0)
        progress.record(metrics[progress.epochs_done])
    return model, progress


@pytest.mark.parametrize(
    ("metrics", "patience", "best", "done"),
    [
        ([0.1, 0.2, 0.3], 2, 3, 3),
        ([0.3, 0.2, 0.1, 0.9], 2, 1, 3),
        ([0.1, 0.3, 0.3, 0.3, 0.9], 2, 2, 4),  # equal is not better
        ([0.0, 0.0, 0.9], 1, 1, 2),
        ([0.1, 0.0, 0.0, 0.2, 0.1, 0.1, 0.1, 0.9], 3, 4, 7),
        ([0.5], 5, 1, 1),
    ],
)
def test_it_stops_early_and_brings_the_best_epoch_back(
    tmp_path, metrics, patience, best, done
):
    model, progress = run(tmp_path, metrics, patience)
    assert progress.epochs_done == done
    assert progress.best_epoch == best
    assert progress.best == metrics[best - 1]
    progress.restore_best()
    assert value_of(model) == best
    assert progress.epochs_done == done


def test_it_stops_at_the_last_epoch(tmp_path):
    _, progress = run(tmp_path, [0.1, 0.2, 0.3, 0.4], epochs=2)
    assert progress.epochs_done == 2
    assert progress.finished(2)
    assert not progress.finished(3)


def test_record_tells_whether_an_epoch_is_the_best(tmp_path):
    progress = progress_of(model_at(0.0), tmp_path)
    assert [progress.record(metric) for metric in (0.0, 0.2, 0.2, 0.3)] == [
        True, True, False, True,
    ]  # fmt: skip


def test_nothing_is_done_at_first(tmp_path):
    progress = progress_of(model_at(0.0), tmp_path)
    assert (progress.epochs_done, progress.best_epoch) == (0, 0)
    assert not progress.finished(1)


@pytest.mark.parametrize("killed_after", [1, 2, 3])
def test_it_goes_on_where_it_was_killed(tmp_path, killed_after):
    metrics = [0.1, 0.4, 0.3, 0.2, 0.9]
    run(tmp_path, metrics[:killed_after])
    model = model_at(-1.0)
    assert progress_of(model, tmp_path).epochs_done == killed_after
    assert value_of(model) == killed_after
    model, progress = run(tmp_path, metrics)
    assert (progress.epochs_done, progress.best_epoch) == (4, 2)
    progress.restore_best()
    assert value_of(model) == 2


def test_only_checkpoints_that_can_still_be_needed_are_kept(tmp_path):
    run(tmp_path, [0.1, 0.2, 0.3, 0.4, 0.5], patience=2)
    assert len(list(tmp_path.glob("*.index"))) == 3


def take_step(model, optimizer):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model(tf.ones([8, 1])) ** 2)
    variables = model.trainable_variables
    gradients = tape.gradient(loss, variables)
    optimizer.apply_gradients(zip(gradients, variables, strict=True))


def test_the_optimiser_is_restored_too(tmp_path):
    model, optimizer = model_at(1.0), LazyAdam(0.01)
    progress = TrainingProgress(model, optimizer, tmp_path, 2)
    take_step(model, optimizer)
    progress.record(0.5)
    resumed, another = model_at(1.0), LazyAdam(0.01)
    TrainingProgress(resumed, another, tmp_path, 2)
    take_step(model, optimizer)
    take_step(resumed, another)
    np.testing.assert_array_equal(model.get_weights()[0], resumed.get_weights()[0])
    assert int(another.iterations) == int(optimizer.iterations) == 2
