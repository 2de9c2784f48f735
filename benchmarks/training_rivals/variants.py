"""Settings of TensorFlow that a training may run under."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Variant:
    """Holds settings of a whole process.

    Args:
        jit_compile: whether XLA compiles the step.
        policy: of Keras' mixed precision, or None.
        threads: within an operation and between operations; 0: TensorFlow's choice.
        environment: variables that TensorFlow reads when it is imported.
    """

    jit_compile: bool = False
    policy: str | None = None
    threads: tuple[int, int] = (0, 0)
    environment: Mapping[str, str] = field(default_factory=dict)

    def apply(self) -> None:
        """Sets what has to be set before the first operation."""
        import tensorflow as tf

        within, between = self.threads
        tf.config.threading.set_intra_op_parallelism_threads(within)
        tf.config.threading.set_inter_op_parallelism_threads(between)
        if self.policy is not None:
            tf.keras.mixed_precision.set_global_policy(self.policy)


AS_IT_IS = "as it is"
VARIANTS = {
    AS_IT_IS: Variant(),
    "jit_compile": Variant(jit_compile=True),
    "mixed_bfloat16": Variant(policy="mixed_bfloat16"),
    # Products of float32 in bfloat16, sums in float32; needs no change of the model.
    "oneDNN bfloat16": Variant(environment={"TF_SET_ONEDNN_FPMATH_MODE": "BF16"}),
    "without oneDNN": Variant(environment={"TF_ENABLE_ONEDNN_OPTS": "0"}),
    "threads 1 + 1": Variant(threads=(1, 1)),
    "threads 1 + 2": Variant(threads=(1, 2)),
    "threads 2 + 1": Variant(threads=(2, 1)),
    "threads 2 + 4": Variant(threads=(2, 4)),
}
