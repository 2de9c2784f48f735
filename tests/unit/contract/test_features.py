import hashlib
import itertools
import json

import pytest
from pydantic import ValidationError

from tfrs_app.contract.features import Feature, FeatureSpec, Kind, Role

ROLES = ["query", "candidate", "context", "label"]
KINDS = [
    "id", "id_sequence", "categorical", "numeric", "bucketized", "timestamp", "text",
]  # fmt: skip
ALLOWED = {
    ("query", "categorical"),
    ("query", "numeric"),
    ("query", "bucketized"),
    ("candidate", "categorical"),
    ("candidate", "numeric"),
    ("candidate", "bucketized"),
    ("candidate", "text"),
    ("context", "categorical"),
    ("context", "numeric"),
    ("context", "bucketized"),
    ("context", "timestamp"),
}


def feature(role="candidate", kind="categorical", name="shade", **more):
    return Feature(name=name, role=role, kind=kind, **more)


def spec_of(*features, **more):
    return FeatureSpec(features=features, **more)


@pytest.mark.parametrize(("role", "kind"), list(itertools.product(ROLES, KINDS)))
def test_only_some_kinds_can_be_declared_in_a_role(role, kind):
    name = "timestamp" if kind == "timestamp" else "shade"
    declared = feature(role, kind, name)
    if (role, kind) in ALLOWED:
        assert spec_of(declared).of(Role(role), Kind(kind)) == (declared,)
    else:
        with pytest.raises(ValidationError, match=f"role {role} with kind {kind}"):
            spec_of(declared)


@pytest.mark.parametrize("role", ["query", "candidate", "context"])
@pytest.mark.parametrize(
    "name",
    [
        "user_id", "item_id", "history_item_id", "history_event_type",
        "history_timestamp", "exclude", "k", "context_store", "timestamp",
    ],
)  # fmt: skip
def test_reserved_names_are_refused(role, name):
    with pytest.raises(ValidationError, match=f"{name!r} is taken; give"):
        spec_of(feature(role, "categorical", name))


@pytest.mark.parametrize(
    ("kind", "filters"),
    [
        ("categorical", ("allow_size", "block_size")),
        ("numeric", ("min_size", "max_size")),
        ("bucketized", ("min_size", "max_size")),
        ("text", ()),
    ],
)
def test_items_are_filtered_by_what_they_have(kind, filters):
    assert feature("candidate", kind, "size").filters == filters
    assert feature("query", "numeric", "size").filters == ()
    for name in filters:
        with pytest.raises(ValidationError, match="requests filter 'size' by; give"):
            spec_of(
                feature("candidate", kind, "size"), feature("context", "numeric", name)
            )


@pytest.mark.parametrize("name", ["event_type", "quantity", "price", "session_id"])
def test_event_columns_are_free_for_items_only(name):
    assert spec_of(feature("candidate", "numeric", name)).features[0].name == name
    for role in ("query", "context"):
        with pytest.raises(ValidationError, match="is taken"):
            spec_of(feature(role, "numeric", name))


@pytest.mark.parametrize("role", ["query", "context"])
@pytest.mark.parametrize("name", ["weight", "target", "query_row", "moment"])
def test_a_feature_cannot_be_named_like_what_a_training_batch_adds(role, name):
    """`training_batches` puts these beside the query's inputs, in the same dict."""
    with pytest.raises(ValidationError, match="is taken"):
        spec_of(feature(role, "numeric", name))


@pytest.mark.parametrize("name", ["target_start", "length"])
def test_a_query_feature_cannot_be_named_like_what_a_sequence_record_has(name):
    with pytest.raises(ValidationError, match="is taken"):
        spec_of(feature("query", "numeric", name))


@pytest.mark.parametrize("role", ["query", "context"])
@pytest.mark.parametrize("name", ["class", "from", "lambda"])
def test_an_input_cannot_be_a_keyword_of_python(role, name):
    """Signatures have the inputs as parameters, which can't be keywords."""
    with pytest.raises(ValidationError, match="name"):
        spec_of(feature(role, "categorical", name))


@pytest.mark.parametrize("name", ["", "Shade", "1st", "a-b", "a b", "_a", "é", "a\n"])
def test_a_name_is_a_small_identifier(name):
    with pytest.raises(ValidationError, match="pattern"):
        feature(name=name)


def test_names_are_unique_across_roles():
    with pytest.raises(ValidationError, match=r"unique, received twice: \['shade'\]"):
        spec_of(feature("query"), feature("candidate"))


def test_the_moment_is_called_timestamp():
    assert spec_of(feature("context", "timestamp", "timestamp"))
    with pytest.raises(ValidationError, match=r"called 'timestamp'.*\['instant'\]"):
        spec_of(feature("context", "timestamp", "instant"))


def test_a_feature_reads_the_column_of_its_name_unless_told_otherwise():
    assert feature().columns == ("shade",)
    assert feature(columns=["colour"]).columns == ("colour",)


def test_only_text_joins_columns():
    assert feature(kind="text", columns=["a", "b"]).columns == ("a", "b")
    with pytest.raises(ValidationError, match="reads one column"):
        feature(kind="numeric", columns=["a", "b"])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dim", 0), ("dim", 1025), ("dim", "8"), ("buckets", 1), ("min_count", 0),
        ("role", "item"), ("kind", "words"), ("shape", 3),
    ],
)  # fmt: skip
def test_impossible_features_cannot_be_built(key, value):
    with pytest.raises(ValidationError, match=key):
        Feature(**{"name": "a", "role": "query", "kind": "numeric", key: value})


def test_a_feature_is_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        feature().dim = 3


@pytest.mark.parametrize("weight", [0, -1.0, float("nan")])
def test_event_weights_are_positive(weight):
    with pytest.raises(ValidationError, match="greater than 0"):
        spec_of(event_weights={"view": weight})


def test_there_is_an_event_type():
    with pytest.raises(ValidationError, match="at least one event type"):
        spec_of(event_weights={})


def test_event_types_keep_their_order():
    weights = {"view": 0.1, "purchase": 1, "basket": 0.5}
    assert spec_of(event_weights=weights).event_types == ("view", "purchase", "basket")


def test_of_selects_by_role_and_kind():
    a = feature("candidate", "categorical", "a")
    b = feature("candidate", "numeric", "b")
    c = feature("query", "numeric", "c")
    spec = spec_of(a, b, c)
    assert spec.of(Role.CANDIDATE) == (a, b)
    assert spec.of(Role.CANDIDATE, Kind.NUMERIC, Kind.TEXT) == (b,)
    assert spec.of(Role.CONTEXT) == ()


@pytest.mark.parametrize(
    ("kind", "is_string"),
    [
        ("id", True), ("id_sequence", True), ("categorical", True), ("text", True),
        ("numeric", False), ("bucketized", False), ("timestamp", False),
    ],
)  # fmt: skip
def test_kinds_are_strings_or_numbers(kind, is_string):
    assert Kind(kind).is_string is is_string


SPEC = spec_of(
    feature("candidate", "text", "title", columns=["a", "b"]),
    feature("query", "bucketized", "age", buckets=7),
    event_weights={"view": 0.25, "purchase": 1},
)


def test_the_spec_survives_json():
    text = SPEC.model_dump_json()
    back = FeatureSpec.model_validate_json(text)
    assert back == SPEC
    assert back.fingerprint == SPEC.fingerprint
    assert json.loads(text)["features"][0]["columns"] == ["a", "b"]


def test_the_fingerprint_is_the_digest_of_the_canonical_json():
    canonical = b'{"event_weights": {"purchase": 1.0}, "features": []}'
    assert FeatureSpec().fingerprint == hashlib.sha256(canonical).hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        spec_of(*SPEC.features[::-1], event_weights=SPEC.event_weights),
        spec_of(*SPEC.features, event_weights={"view": 0.5, "purchase": 1}),
        spec_of(SPEC.features[0], event_weights=SPEC.event_weights),
        spec_of(
            SPEC.features[0],
            feature("query", "bucketized", "age", buckets=8),
            event_weights=SPEC.event_weights,
        ),
    ],
)
def test_the_fingerprint_tells_specs_apart(other):
    assert other.fingerprint != SPEC.fingerprint
