from collections.abc import Iterator

import apache_beam as beam
import numpy as np
import pytest
from apache_beam import window
from apache_beam.transforms.userstate import BagStateSpec

from beam.shapes import check_linear


class Finishing(beam.DoFn):
    def process(self, element):
        yield element

    def finish_bundle(self):
        yield window.GlobalWindows.windowed_value(0)


class Batching(beam.DoFn):
    def process_batch(self, batch: np.ndarray) -> Iterator[np.ndarray]:
        yield batch

    def infer_output_type(self, input_type):
        return input_type


class Remembering(beam.DoFn):
    SEEN = BagStateSpec("seen", beam.coders.VarIntCoder())

    def process(self, element, seen=beam.DoFn.StateParam(SEEN)):  # noqa: B008
        yield element


class OwnParDo(beam.ParDo):
    pass


def pairs(pipeline):
    return pipeline | "C" >> beam.Create([(1, 2), (1, 3)])


def identity():
    return beam.Map(lambda element: element)


def two_roots(p):
    pairs(p)
    p | "Wrong" >> beam.Create([1])


def two_consumers(p):
    source = pairs(p)
    source | "A" >> identity()
    source | "Wrong" >> identity()


def a_late_branch(p):
    source = pairs(p)
    first = source | "A" >> identity()
    source | "Wrong" >> identity()
    first | "B" >> identity()


def flattened(p):
    first = pairs(p) | "A" >> identity()
    (first, first) | "Wrong" >> beam.Flatten()


def side_input(p):
    source = pairs(p)
    source | "Wrong" >> beam.Map(lambda x, side: x, beam.pvalue.AsList(source))


def tagged_main(p):
    tagged = pairs(p) | "Wrong" >> identity().with_outputs("tag", main="main")
    tagged.main | "A" >> identity()


@pytest.mark.parametrize(
    ("build", "fault"),
    [
        (two_roots, "is a second root"),
        (two_consumers, "is a branch"),
        (a_late_branch, "is a branch"),
        (flattened, "is a Flatten"),
        (side_input, "has side inputs"),
        (tagged_main, "is a _MultiParDo"),
        (lambda p: pairs(p) | "Wrong" >> identity().with_outputs("t"), "_MultiParDo"),
        (lambda p: p | "Wrong" >> beam.Impulse(), "is a Impulse"),
        (lambda p: pairs(p) | "Wrong" >> beam.Reshuffle(), "is a Reshuffle"),
        (lambda p: pairs(p) | "Wrong" >> beam.CombinePerKey(sum), "is a Combine"),
        (lambda p: pairs(p) | "Wrong" >> beam.BatchElements(), "is a BatchElements"),
        (
            lambda p: pairs(p) | "Wrong" >> beam.WindowInto(window.FixedWindows(1)),
            "is a WindowInto",
        ),
        (lambda p: pairs(p) | "Wrong" >> OwnParDo(Finishing()), "is a OwnParDo"),
        (
            lambda p: pairs(p) | "Wrong" >> beam.ParDo(Finishing()),
            "has a DoFn with finish_bundle",
        ),
        (
            lambda p: (
                pairs(p)
                | beam.Map(sum).with_output_types(np.int64)
                | "Wrong" >> beam.ParDo(Batching())
            ),
            "has a DoFn with process_batch",
        ),
        (
            lambda p: pairs(p) | "Wrong" >> beam.ParDo(Remembering()),
            "has a DoFn with state",
        ),
    ],
)
def test_a_graph_that_an_engine_gets_wrong_is_refused_by_name(build, fault):
    pipeline = beam.Pipeline("FnApiRunner")
    build(pipeline)
    with pytest.raises(RuntimeError, match=f"transform 'Wrong[^']*' .*{fault}"):
        check_linear(pipeline)


def test_a_line_of_the_three_transforms_passes():
    pipeline = beam.Pipeline("FnApiRunner")
    (
        pairs(pipeline)
        | "A" >> beam.Map(lambda pair, constant: pair, 5)
        | beam.GroupByKey()
        | beam.FlatMap(lambda pair: [pair])
    )
    check_linear(pipeline)
