"""The REST API as curl and a bare HTTP client see it; bodies are literals."""

import gzip
import json
import subprocess

import httpx
import pytest


def curl(*arguments):
    """Returns status, content type and body."""
    command = ["curl", "-s", "-w", "\n%{http_code} %{content_type}", *arguments]
    output = subprocess.run(
        command, check=True, capture_output=True, timeout=30, text=True
    ).stdout
    body, _, trailer = output.rpartition("\n")
    status, _, content_type = trailer.partition(" ")
    return int(status), content_type, body


def test_curl_predicts(server):
    status, content_type, body = curl(
        "-d", '{"instances": [1.0, 2.0, 5.0]}', f"{server.rest}/v1/models/hp2:predict"
    )
    assert (status, content_type) == (200, "application/json")
    assert json.loads(body) == {"predictions": [2.5, 3.0, 4.5]}


def test_curl_reads_the_status(server):
    assert curl(f"{server.rest}/v1/models/hp2") == (
        200,
        "application/json",
        '{"model_version_status":[{"version":"123","state":"AVAILABLE",'
        '"status":{"error_code":"OK","error_message":""}}]}',
    )


def test_curl_gets_the_error_as_json(server):
    assert curl("-d", '{"instances": [1]}', f"{server.rest}/v1/models/x:predict") == (
        404,
        "application/json",
        '{"error":"Servable not found for request: Latest(x)"}',
    )


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("hp2:predict", '{"instances": [1, NaN]}', '{"predictions":[2.5,NaN]}'),
        ("hp2:predict", '{"inputs": [1]}', '{"outputs":[2.5]}'),
        ("hp2:predict", '{"inputs": {"x": [1]}}', '{"outputs":[2.5]}'),
        ("hp2:predict", '{"inputs": []}', '{"outputs":[]}'),
        ("hp2/versions/123:predict", '{"inputs": {"x": [1]}}', '{"outputs":[2.5]}'),
        ("hp2:predict", '{"instances": [{"x": 1}]}', '{"predictions":[2.5]}'),
        (
            "hp2:predict",
            '{"signature_name": "any_rank", "instances": [[1,2],[3,4]]}',
            '{"predictions":[[2.5,3.0],[3.5,4.0]]}',
        ),
        (
            "hp2:predict",
            '{"signature_name": "any_rank", "inputs": 5}',
            '{"outputs":4.5}',
        ),
        (
            "hp2:predict",
            '{"signature_name": "total", "inputs": [[1,2],[3,4]]}',
            '{"outputs":10.0}',
        ),
        ("hp2:predict", '{"signature_name": "total", "inputs": []}', '{"outputs":0.0}'),
    ],
)  # fmt: skip
def test_predicts(server, path, body, expected):
    response = httpx.post(f"{server.rest}/v1/models/{path}", content=body)
    assert (response.status_code, response.text) == (200, expected)


WORDS = '"words": [["a", "b", "c"], ["h\\u00fc", "d", "e"]], "weight": [1, 2]'


@pytest.mark.parametrize(
    ("extra", "joined"),
    [
        ("", ["ab!", "hüd!"]),
        (', "k": 3', ["abc!", "hüde!"]),
        (', "suffix": ["?"]', ["ab?", "hüd?"]),
        (', "k": 1, "suffix": ["x", "y"]', ["ax", "hüy"]),
    ],
)
def test_inputs_with_defaults_may_be_left_out(server, extra, joined):
    body = '{"inputs": {' + WORDS + extra + "}}"
    answer = httpx.post(f"{server.rest}/v1/models/words:predict", content=body.encode())
    assert answer.json()["outputs"]["joined"] == joined


def test_rows_hold_an_object_for_several_outputs(server):
    body = b'{"instances": [{"words": ["a", "b"], "weight": 0.5}]}'
    answer = httpx.post(f"{server.rest}/v1/models/words:predict", content=body)
    assert answer.json() == {
        "predictions": [
            {
                "joined": "ab!",
                "joined_bytes": {"b64": "YWIh"},
                "length": 3,
                "weight": 0.5,
            }
        ]
    }


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "error"),
    [
        ("GET", "/statuspage", "", 404, "Not Found"),
        ("GET", "/v1", "", 404, "Not Found"),
        ("GET", "/monitoring/prometheus/metrics", "", 404, "Not Found"),
        ("GET", "/v1/foo", "", 400, "Malformed request: GET /v1/foo"),
        ("GET", "/v1/models", "", 400, "Missing model name in request."),
        ("POST", "/v1/models", "", 400, "Malformed request: POST /v1/models"),
        ("PUT", "/v1/models/hp2:predict", "", 400, "Malformed request: PUT"),
        ("GET", "/v1/models/hp2:predict", "", 400, "Malformed request: GET"),
        ("POST", "/v1/models/hp2:Predict", "", 400, "Malformed request: POST"),
        ("OPTIONS", "/v1/models/hp2:predict", "", 400, "Origin"),
        (
            "POST", "/v1/models/hp2/versions/18446744073709551615:predict", "{}", 400,
            "Failed to convert version",
        ),
        ("GET", "/v1/models/a%2Fb%3A1", "", 404, "versions of model a/b:1"),
        ("GET", "/v1/models/no", "", 404, "Could not find any versions of model no"),
        (
            "GET", "/v1/models/hp2/versions/9", "", 404,
            "Could not find version 9 of model hp2",
        ),
        ("GET", "/v1/models/no/metadata", "", 404, "request: Latest(no)"),
        (
            "POST", "/v1/models/hp2/versions/9:predict", '{"instances": [1]}', 404,
            "Servable not found for request: Specific(hp2, 9)",
        ),
        (
            "POST", "/v1/models/hp2/labels/nope:predict", '{"instances": [1]}', 400,
            "Unrecognized servable version label: nope",
        ),
        (
            "GET", "/v1/models/hp2/labels/nope/metadata", "", 400,
            "Unrecognized servable version label: nope",
        ),
        ("POST", "/v1/models/hp2:predict", "", 400, "The document is empty"),
        ("POST", "/v1/models/no:predict", "{", 400, "JSON Parse error"),
        ("POST", "/v1/models/hp2:predict", '{"instances": ["a"]}', 400, "type: float"),
        (
            "POST", "/v1/models/hp2:predict", '{"instances": [[1]]}', 400,
            'input "x" has shape [1, 1], expected [?]',
        ),
        (
            "POST", "/v1/models/hp2:predict",
            '{"signature_name": "total", "inputs": [[1,2,3]]}', 400,
            'input "x" has shape [1, 3], expected [?, 2]',
        ),
        (
            "POST", "/v1/models/hp2:predict",
            '{"signature_name": "total", "instances": [[1,2]]}', 400,
            "sum has no shape information",
        ),
        (
            "POST", "/v1/models/hp2:predict",
            '{"signature_name": "zzz", "instances": [1]}', 400,
            'Serving signature name: "zzz" not found in signature def',
        ),
        (
            "POST", "/v1/models/hp2:predict",
            '{"signature_name": "no_nan", "instances": [NaN]}', 400, "mmm",
        ),
        (
            "POST", "/v1/models/words:predict",
            '{"inputs": {"words": [["a"]]}}', 400, "Missing named input: weight",
        ),
        ("POST", "/v1/models/hp2:classify", "{}", 400, "key 'examples' is expected"),
    ],
)  # fmt: skip
def test_answers_faults_in_json(server, method, path, body, status, error):
    response = httpx.request(method, server.rest + path, content=body)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert list(response.json()) == ["error"]
    assert error in response.json()["error"]


def test_status_does_not_look_at_a_label(server):
    answer = httpx.get(f"{server.rest}/v1/models/hp2/labels/anything").json()
    assert [entry["version"] for entry in answer["model_version_status"]] == ["123"]


def test_options_with_an_origin_is_ok(server):
    headers = {"Origin": "https://shop.example"}
    response = httpx.options(f"{server.rest}/v1/models/hp2:predict", headers=headers)
    assert response.status_code == 200


def test_metadata(server):
    answer = httpx.get(f"{server.rest}/v1/models/words/metadata").json()
    assert answer["model_spec"] == {
        "name": "words",
        "signature_name": "",
        "version": "1",
    }
    definition = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert definition["method_name"] == "tensorflow/serving/predict"
    assert definition["inputs"]["words"] == {
        "name": "serving_default_words:0",
        "dtype": "DT_STRING",
        "tensor_shape": {
            "dim": [{"size": "-1", "name": ""}, {"size": "-1", "name": ""}],
            "unknown_rank": False,
        },
    }
    assert not definition.get("defaults")


def post(server, content, **headers):
    return httpx.post(
        f"{server.rest}/v1/models/hp2:predict", content=content, headers=headers
    )


def test_inflates_gzip(server):
    body = gzip.compress(b'{"instances": [1]}')
    answer = post(server, body, **{"Content-Encoding": "gzip"})
    assert answer.json() == {"predictions": [2.5]}


@pytest.mark.parametrize("cut", [0, 12])
def test_takes_broken_gzip_for_an_empty_body(server, cut):
    body = gzip.compress(b'{"instances": [1]}')[:cut] or b"no gzip"
    answer = post(server, body, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 400
    assert "document is empty" in answer.json()["error"]


def test_refuses_a_gzip_bomb(server):
    bomb = gzip.compress(b" " * (101 << 20), compresslevel=1)
    answer = post(server, bomb, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 413
    assert "inflates to over 104857600 bytes" in answer.json()["error"]


def test_refuses_a_body_over_the_limit(server):
    answer = post(server, (b" " * (1 << 20) for _ in range(65)))
    assert answer.status_code == 413
    assert "longer than 67108864 bytes" in answer.json()["error"]


def test_a_fault_of_the_server_is_told_and_logged(server, monkeypatch, caplog):
    def break_down(_body):
        raise RuntimeError("a path that nobody outside should read")

    monkeypatch.setattr("serving.server.rest.predict.parse_body", break_down)
    answer = post(server, b"{}")
    assert answer.status_code == 500
    assert answer.json() == {"error": "RuntimeError"}
    assert "a path that nobody outside should read" in caplog.text
