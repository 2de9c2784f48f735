import pytest

from serving.server.errors import ServingError
from serving.server.rest.path import Target, Verb, is_api_path, parse


@pytest.mark.parametrize(
    ("method", "path", "target"),
    [
        ("GET", "/v1/models/m", Target(Verb.STATUS, "m")),
        ("GET", "/V1/MODELS/m", Target(Verb.STATUS, "m")),
        ("GET", "/v1/models/m/versions/007", Target(Verb.STATUS, "m", 7)),
        ("GET", "/v1/models/m/labels/a%2Fb", Target(Verb.STATUS, "m", label="a/b")),
        ("GET", "/v1/models/a%2Fb%3A1", Target(Verb.STATUS, "a/b:1")),
        ("GET", "/v1/models/m/metadata", Target(Verb.METADATA, "m")),
        ("GET", "/v1/models/m/METADATA", Target(Verb.STATUS, "m")),
        ("GET", "/v1/models/metadata", Target(Verb.STATUS, "metadata")),
        ("GET", "/v1/models/m/versions/1/metadata", Target(Verb.METADATA, "m", 1)),
        ("POST", "/v1/models/m:predict", Target(Verb.PREDICT, "m")),
        ("POST", "/v1/models/m/versions/1:regress", Target(Verb.REGRESS, "m", 1)),
        (
            "POST",
            "/v1/models/m/versions/9223372036854775807:predict",
            Target(Verb.PREDICT, "m", 9223372036854775807),
        ),
        (
            "POST",
            "/v1/models/m/labels/stable:classify",
            Target(Verb.CLASSIFY, "m", label="stable"),
        ),
    ],
)
def test_reads_the_grammar(method, path, target):
    assert parse(method, path) == target


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/foo"),
        ("POST", "/v1/foo"),
        ("GET", "/v1/models/"),
        ("POST", "/v1/models"),
        ("GET", "/v1/models/m:predict"),
        ("PUT", "/v1/models/m:predict"),
        ("DELETE", "/v1/models/m"),
        ("POST", "/v1/models/m/metadata"),
        ("POST", "/v1/models/m:Predict"),
        ("POST", "/v1/models/m:predict/"),
        ("POST", "/v1/models/m:explain"),
        ("GET", "/v1/models/debug/model_name"),
        ("POST", "/v1/models/foo/version/50:regress"),
        ("POST", "/v1/models/foo/versions/HELLO:regress"),
        ("POST", "/v1/models/foo/versions/-1:predict"),
        ("POST", "/v1/models/foo/versions/50/labels/a:regress"),
    ],
)
def test_calls_everything_else_malformed(method, path):
    with pytest.raises(ServingError) as caught:
        parse(method, path)
    assert caught.value.message == f"Malformed request: {method} {path}"
    assert caught.value.http_status == 400


@pytest.mark.parametrize(
    "digits", ["18446744073709551615", "9223372036854775808", "9" * 6000]
)
def test_refuses_versions_beyond_int64(digits):
    with pytest.raises(ServingError, match="Failed to convert version"):
        parse("POST", f"/v1/models/m/versions/{digits}:predict")


@pytest.mark.parametrize(
    "path",
    ["", "/versions/1", "/labels/a", "/versions/1/metadata", "/labels/a/metadata"],
)
def test_asks_for_a_model_name(path):
    with pytest.raises(ServingError, match=r"Missing model name in request\."):
        parse("GET", f"/v1/models{path}")


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/v1/x", True), ("/V1/", True), ("/v1", False), ("/", False), ("/status", False)],
)
def test_knows_what_lies_outside_the_api(path, expected):
    assert is_api_path(path) is expected
