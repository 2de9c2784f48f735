"""The messages are TF Serving's, byte for byte, beside the stock stubs or without."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.protocol import build, messages
from serving.tensor_codec import encode


def test_the_file_is_what_the_installed_package_says():
    written = build.DESCRIPTORS.read_bytes()
    assert written == build.serialized(), "run python -m serving.protocol.build"


def test_messages_cross_over_to_the_stock_stubs_and_back():
    ours = messages.PredictRequest()
    ours.model_spec.name = "m"
    ours.model_spec.version.value = 7
    ours.output_filter.append("y")
    encode(np.array([[1.5, -2.0]], np.float32), ours.inputs["x"])
    stock = predict_pb2.PredictRequest.FromString(ours.SerializeToString())
    assert (stock.model_spec.name, stock.model_spec.version.value) == ("m", 7)
    assert tf.make_ndarray(stock.inputs["x"]).tolist() == [[1.5, -2.0]]
    again = messages.PredictRequest.FromString(stock.SerializeToString())
    assert again == ours


def test_states_have_their_names():
    state = get_model_status_pb2.ModelVersionStatus.State
    assert messages.ModelVersionStatus.State.items() == state.items()


def test_methods_are_the_services_own():
    named = set()

    class Channel:
        def unary_unary(self, path, **_):
            named.add(path)

    prediction_service_pb2_grpc.PredictionServiceStub(Channel())
    model_service_pb2_grpc.ModelServiceStub(Channel())
    assert named >= {
        messages.PREDICT,
        messages.GET_MODEL_METADATA,
        messages.GET_MODEL_STATUS,
    }


@pytest.mark.slow
def test_both_live_in_one_process_whichever_comes_first():
    code = """
import importlib.util
from serving.protocol import messages
from tensorflow_serving.apis import predict_pb2
source = importlib.util.find_spec("serving.protocol.messages")
again = importlib.util.module_from_spec(source)
source.loader.exec_module(again)  # as if imported after the stubs
for ours in (messages, again):
    request = ours.PredictRequest()
    request.model_spec.name = "m"
    stock = predict_pb2.PredictRequest.FromString(request.SerializeToString())
    assert stock.model_spec.name == "m"
    assert type(stock) is not type(request)
"""
    command = [sys.executable, "-c", code]
    finished = subprocess.run(command, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
