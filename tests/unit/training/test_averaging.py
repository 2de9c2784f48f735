import numpy as np
import pytest
import tensorflow as tf

from tfrs_app.training.averaging import AveragedWeights
from tfrs_app.training.progress import TrainingProgress

STEPS = [[4.0, 0.0], [2.0, 8.0], [0.0, 1.0], [7.0, 3.0]]


def followed(decay, steps=STEPS):
    weight = tf.Variable([1.0, 1.0])
    average = AveragedWeights([weight], decay)
    for number, value in enumerate(steps, start=1):
        weight.assign(value)
        average.update(tf.constant(number, tf.int64))
    return weight, average


@pytest.mark.parametrize("decay", [0.0, 0.05, 0.99])
def test_older_steps_fade(decay):
    mean = np.array([1.0, 1.0])
    for number, value in enumerate(STEPS, start=1):
        kept = min(decay, number / (10 + number))
        mean = kept * mean + (1 - kept) * np.array(value)
    weight, average = followed(decay)
    average.give()
    np.testing.assert_allclose(weight, mean, rtol=1e-6)


def test_without_decay_the_last_step_counts():
    weight, average = followed(0.0)
    average.give()
    assert weight.numpy().tolist() == STEPS[-1]


def test_what_was_lent_comes_back():
    weight, average = followed(0.99)
    with average.lent():
        assert weight.numpy().tolist() != STEPS[-1]
    assert weight.numpy().tolist() == STEPS[-1]


def test_a_resumed_training_goes_on_with_the_mean(tmp_path):
    def begun():
        layer = tf.keras.layers.Dense(1)
        layer.build([None, 2])
        optimizer = tf.keras.optimizers.Adam(0.1)
        average = AveragedWeights(layer.trainable_variables, 0.9)
        progress = TrainingProgress(layer, optimizer, tmp_path, 2, average=average)
        return average, progress

    average, progress = begun()
    for step in (1, 2, 3):
        average.update(tf.constant(step, tf.int64))
    progress.record(0.5)
    again, _ = begun()
    for kept, mean in zip(again.means, average.means, strict=True):
        np.testing.assert_array_equal(kept, mean)
