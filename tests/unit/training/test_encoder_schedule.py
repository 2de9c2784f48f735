import pytest
import tensorflow as tf

from tfrs_app.training.encoder_schedule import LinearWarmUp


@pytest.mark.parametrize(
    ("warmup", "rates"),
    [(4, [2.5, 5, 7.5, 10, 10, 10]), (0, [10, 10, 10]), (1, [10, 10, 10])],
)
def test_rates_rise_and_then_stay(warmup, rates):
    schedule = LinearWarmUp(10.0, warmup)
    steps = tf.range(len(rates), dtype=tf.int64)
    assert [float(schedule(step)) for step in steps] == pytest.approx(rates)


def test_an_optimizer_follows_and_restores_it():
    optimizer = tf.keras.optimizers.SGD(LinearWarmUp(1.0, 2))
    weight = tf.Variable(0.0)
    for _ in range(3):
        optimizer.apply_gradients([(tf.constant(1.0), weight)])
    assert float(weight) == pytest.approx(-(0.5 + 1.0 + 1.0))
    schedule = LinearWarmUp(0.25, 3)
    same = LinearWarmUp.from_config(schedule.get_config())
    assert same.get_config() == {"peak": 0.25, "warmup_steps": 3}
