import re

import grpc
import orjson
import pytest

from serving.server.operations.metrics.exposition import exposition
from serving.server.operations.metrics.families import (
    Family,
    Kind,
    Series,
    exponential,
    from_plain,
    merged,
    to_plain,
)
from serving.server.operations.metrics.peers import Metrics
from serving.server.operations.metrics.server_metrics import ServerMetrics
from serving.server.operations.observer import Call, Entrypoint

COUNTER = Family(":test:path:total", Kind.COUNTER, ("name",))


def ended(code=grpc.StatusCode.OK, **known):
    defaults = {
        "api": "Predict",
        "entrypoint": Entrypoint.REST,
        "model": "shop",
        "version": 3,
        "signature": "recommend",
        "seconds": 0.0005,
        "runtime_seconds": 0.0002,
    }
    return Call(code=code, **(defaults | known))


def page_of(metrics):
    return exposition(metrics.snapshot()).splitlines()


def test_a_counter_has_tf_servings_text():
    series = Series(COUNTER)
    series.add('"abc\\"\n', by=2)
    assert exposition({COUNTER: series.values()}) == (
        '# TYPE :test:path:total counter\n:test:path:total{name="\\"abc\\\\\\"\\n"} 2\n'
    )


def test_a_histogram_has_cumulative_buckets_sum_and_count():
    family = Family(":t:h", Kind.HISTOGRAM, ("status",), exponential(1, 2, 4))
    series = Series(family)
    for value in (2, 5.5, 20):
        series.observe(value, "good")
    assert exposition({family: series.values()}).splitlines() == [
        "# TYPE :t:h histogram",
        ':t:h_bucket{status="good",le="1"} 0',
        ':t:h_bucket{status="good",le="2"} 1',
        ':t:h_bucket{status="good",le="4"} 1',
        ':t:h_bucket{status="good",le="8"} 2',
        ':t:h_bucket{status="good",le="+Inf"} 3',
        ':t:h_sum{status="good"} 27.5',
        ':t:h_count{status="good"} 3',
    ]


def test_families_are_told_before_their_first_series():
    lines = page_of(ServerMetrics())
    assert "# TYPE :tensorflow:serving:request_count counter" in lines
    assert all(line.startswith("# TYPE ") for line in lines)


def test_an_answered_call_has_upstreams_names_and_labels():
    metrics = ServerMetrics()
    metrics(ended())
    lines = page_of(metrics)
    assert ':tensorflow:serving:request_count{model_name="shop",status="OK"} 1' in lines
    labels = 'model_name="shop",API="Predict",entrypoint="REST"'
    latency = ":tensorflow:serving:request_latency_{}{{" + labels
    buckets = [s for s in lines if s.startswith(latency.format("bucket"))]
    limits = [re.search(r'le="(.*)"', s).group(1) for s in buckets]
    assert limits[:4] == ["10", "18", "32.4", "58.32"]
    assert limits[-2:] == ["1.47476e+09", "+Inf"]
    assert len(limits) == 34
    assert latency.format("sum") + "} 500" in lines
    assert (
        ':tensorflow:serving:runtime_latency_sum{model_name="shop",API="Predict",'
        'runtime="TF1"} 200' in lines
    )
    assert (
        'tfrs_app:call_count{model_name="shop",version="3",signature="recommend",'
        'API="Predict",entrypoint="REST",code="OK"} 1' in lines
    )


def test_a_failed_call_counts_without_latency():
    metrics = ServerMetrics()
    metrics(ended(grpc.StatusCode.NOT_FOUND, model="x", version=None, signature=""))
    values = [line for line in page_of(metrics) if not line.startswith("#")]
    assert values == [
        ':tensorflow:serving:request_count{model_name="x",status="NOT_FOUND"} 1',
        'tfrs_app:call_count{model_name="x",version="",signature="",API="Predict",'
        'entrypoint="REST",code="NOT_FOUND"} 1',
    ]


def test_metadata_and_status_are_ours_alone():
    metrics = ServerMetrics()
    metrics(ended(api="GetModelStatus"))
    assert [line for line in page_of(metrics) if line.startswith(":")] == []


def test_invented_names_fill_no_memory():
    metrics = ServerMetrics()
    for number in range(1000):
        metrics(ended(grpc.StatusCode.NOT_FOUND, model=f"m{number}"))
    metrics(ended(model="loaded later"))
    lines = [
        s for s in page_of(metrics) if s.startswith(":tensorflow:serving:request_c")
    ]
    assert len(lines) == 256 + 1 + 1
    assert (
        ':tensorflow:serving:request_count{model_name="other",status="other"} 744'
        in lines
    )
    assert (
        ':tensorflow:serving:request_count{model_name="loaded later",status="OK"} 1'
        in lines
    )
    total = sum(int(line.rsplit(" ", 1)[1]) for line in lines)
    assert total == 1001


def test_queues_states_warm_up_and_log_records():
    metrics = ServerMetrics()
    metrics.queued("shop", 0.00025)
    metrics.watch_queues(lambda: [("shop", 7)])
    metrics.watch_states(lambda: [("shop", 3, "AVAILABLE"), ("shop", 2, "END")])
    metrics.warmed_up("/m/3", grpc.StatusCode.OK, 2e-5)
    metrics.logged("shop")
    metrics.log_dropped("shop", "queue_full", 5)
    lines = page_of(metrics)
    states = "tfrs_app:model_version_state"
    warmup = ':tensorflow:serving:model_warmup_latency_bucket{model_path="/m/3"'
    logged = ':tensorflow:serving:request_log_count{model_name="shop"'
    queuing = ":tensorflow:serving:batching_session:queuing_latency"
    assert len([line for line in lines if line.startswith(f"{queuing}_bucket")]) == 53
    for line in (
        f'{queuing}_sum{{thread_pool_name="shop"}} 250',
        'tfrs_app:queue_depth{queue="shop"} 7',
        f'{states}{{model_name="shop",version="2",state="END"}} 1',
        f'{states}{{model_name="shop",version="3",state="AVAILABLE"}} 1',
        f'{warmup},status="OK",le="18"}} 0',
        f'{warmup},status="OK",le="32.4"}} 1',
        f'{logged},status_code="OK"}} 1',
        f'{logged},status_code="RESOURCE_EXHAUSTED"}} 5',
        'tfrs_app:request_log_dropped_count{model_name="shop",reason="queue_full"} 5',
    ):
        assert line in lines


def test_snapshots_add_up_and_survive_json():
    one, two = ServerMetrics(), ServerMetrics()
    for metrics, calls in ((one, 2), (two, 3)):
        for _ in range(calls):
            metrics(ended())
    two(ended(model="other shop"))
    sent = from_plain(orjson.loads(orjson.dumps(to_plain(two.snapshot()))))
    lines = exposition(merged([one.snapshot(), sent])).splitlines()
    requests = ":tensorflow:serving:request_count"
    assert f'{requests}{{model_name="shop",status="OK"}} 5' in lines
    assert f'{requests}{{model_name="other shop",status="OK"}} 1' in lines
    assert any(re.search(r'latency_sum.*"shop".*REST"} 2500$', line) for line in lines)


def test_a_snapshot_stays_as_it_was():
    metrics = ServerMetrics()
    metrics(ended())
    before = metrics.snapshot()
    text = exposition(before)
    metrics(ended())
    assert exposition(before) == text


@pytest.fixture
def workers(tmp_path):
    return Metrics(tmp_path / "peers"), Metrics(tmp_path / "peers")


def test_any_worker_tells_the_sum_of_all(workers):
    one, two = workers
    two.watch_queues(lambda: [("q", 4)])
    two(ended())
    one(ended())
    with one.shared(), two.shared():  # both write as they begin
        page = one.page()
    assert 'request_count{model_name="shop",status="OK"} 2\n' in page
    assert 'queue_depth{queue="q"} 4\n' in page


def test_what_a_dead_worker_counted_stays_but_not_its_queue(workers):
    one, two = workers
    two.watch_queues(lambda: [("q", 4)])
    with one.shared():
        with two.shared():
            two(ended())
        page = one.page()
    assert 'request_count{model_name="shop",status="OK"} 1\n' in page
    assert "queue_depth{" not in page
