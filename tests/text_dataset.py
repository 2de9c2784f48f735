"""A dataset folder that holds nothing but a catalogue with texts."""

from pathlib import Path

import tensorflow as tf

from tfrs_app.contract.artifacts import write_manifest
from tfrs_app.contract.features import FeatureSpec

STORED = 3
"""Item files."""


def spec_of(names) -> FeatureSpec:
    texts = [{"name": n, "role": "candidate", "kind": "text"} for n in names]
    colour = {"name": "colour", "role": "candidate", "kind": "categorical"}
    return FeatureSpec.model_validate({"features": [colour, *texts]})


def write_dataset(folder: Path, texts: dict[str, list[str | None]]) -> Path:
    """Writes items; a text that is None is left out of its record, as is an empty."""
    (folder / "items").mkdir(parents=True)
    rows = list(zip(*texts.values(), strict=True))
    for part in range(STORED):
        path = folder / "items" / f"part-{part:05d}-of-{STORED:05d}.tfrecord"
        start, stop = (len(rows) * n // STORED for n in (part, part + 1))
        with tf.io.TFRecordWriter(str(path)) as writer:
            for number in range(start, stop):
                writer.write(
                    _record(number, dict(zip(texts, rows[number], strict=True)))
                )
    spec = spec_of(texts)
    (folder / "feature_spec.json").write_text(spec.model_dump_json())
    write_manifest(
        folder,
        kind="dataset",
        identity=folder.name,
        parent=None,
        spec_fingerprint=spec.fingerprint,
        counts={},
    )
    return folder


def _record(number, texts):
    values = {"item_id": f"i{number:06d}", "colour": "red", **texts}
    feature = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))
        for name, value in values.items()
        if value
    }
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    return example.SerializeToString()
