import pytest
import tensorflow as tf

from tfrs_app.training.encoder_schedule import LinearWarmUp


@pytest.mark.parametrize(
    ("warmup", "total", "rates"),
    [
        (4, None, [2.5, 5, 7.5, 10, 10, 10, 10, 10]),
        (0, None, [10, 10, 10, 10, 10, 10, 10, 10]),
        (4, 8, [2.5, 5, 7.5, 10, 10, 7.5, 5, 2.5]),
        (0, 4, [10, 7.5, 5, 2.5, 0, 0, 0, 0]),
        (1, 5, [10, 10, 7.5, 5, 2.5, 0, 0, 0]),
    ],
)
def test_rates_rise_and_then_stay_or_fall(warmup, total, rates):
    schedule = LinearWarmUp(10.0, warmup, total)
    steps = tf.range(len(rates), dtype=tf.int64)
    assert [float(schedule(step)) for step in steps] == pytest.approx(rates)


def test_an_optimizer_follows_and_restores_it():
    optimizer = tf.keras.optimizers.SGD(LinearWarmUp(1.0, 2, 10))
    weight = tf.Variable(0.0)
    for _ in range(3):
        optimizer.apply_gradients([(tf.constant(1.0), weight)])
    assert float(weight) == pytest.approx(-(0.5 + 1.0 + 1.0))
    schedule = LinearWarmUp(0.25, 3, 9)
    assert LinearWarmUp.from_config(schedule.get_config()).get_config() == {
        "peak": 0.25,
        "warmup_steps": 3,
        "total_steps": 9,
    }


def test_a_total_within_the_warm_up_is_refused():
    with pytest.raises(ValueError, match="total_steps 5 must exceed warmup_steps 5"):
        LinearWarmUp(1.0, 5, 5)
