"""The obvious server: grpcio, the signature called eagerly, TensorFlow's own codec.

    python naive.py VERSION_FOLDER CORE

Prints its port as JSON once it answers; ends with its standard input.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import tensorflow as tf
from scann.scann_ops.py import scann_ops  # noqa: F401 - registers ScaNN's ops
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

THREADS = 8


class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers Predict as an example on the web would."""

    def __init__(self, folder: str) -> None:
        self.model = tf.saved_model.load(folder)
        saved = saved_model_pb2.SavedModel()
        saved.ParseFromString((Path(folder) / "saved_model.pb").read_bytes())
        self.defaults = {
            signature: {
                name: tf.constant(tf.make_ndarray(proto))
                for name, proto in definition.defaults.items()
            }
            for signature, definition in saved.meta_graphs[0].signature_def.items()
        }

    def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Runs one signature; what is left out gets the signature's default."""
        run = self.model.signatures[request.model_spec.signature_name]
        given = {
            name: tf.constant(tf.make_ndarray(proto))
            for name, proto in request.inputs.items()
        }
        given = {**self.defaults[request.model_spec.signature_name], **given}
        response = predict_pb2.PredictResponse()
        for name, value in run(**given).items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value.numpy()))
        return response


def main() -> None:
    """Serves until standard input ends."""
    folder, core = sys.argv[1:]
    os.sched_setaffinity(0, {int(core)})
    server = grpc.server(ThreadPoolExecutor(THREADS))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        Service(folder), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(json.dumps({"port": port}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.stop(0)


if __name__ == "__main__":
    main()
