import grpc
import pytest

from serving.server.errors import ServingError, code_of_number, cut


@pytest.mark.parametrize(
    ("name", "number", "status"),
    [
        ("OK", 0, 200),
        ("CANCELLED", 1, 499),
        ("UNKNOWN", 2, 500),
        ("INVALID_ARGUMENT", 3, 400),
        ("DEADLINE_EXCEEDED", 4, 504),
        ("NOT_FOUND", 5, 404),
        ("ALREADY_EXISTS", 6, 409),
        ("PERMISSION_DENIED", 7, 403),
        ("RESOURCE_EXHAUSTED", 8, 429),
        ("FAILED_PRECONDITION", 9, 400),
        ("ABORTED", 10, 409),
        ("OUT_OF_RANGE", 11, 400),
        ("UNIMPLEMENTED", 12, 501),
        ("INTERNAL", 13, 500),
        ("UNAVAILABLE", 14, 503),
        ("DATA_LOSS", 15, 500),
        ("UNAUTHENTICATED", 16, 401),
    ],
)
def test_maps_codes(name, number, status):
    code = getattr(grpc.StatusCode, name)
    assert code_of_number(number) is code
    assert ServingError(code, "").http_status == status


def test_calls_a_number_that_grpc_lacks_unknown():
    assert code_of_number(99) is grpc.StatusCode.UNKNOWN


def test_cuts_long_messages_by_bytes():
    assert cut("x" * 1024) == "x" * 1024
    assert cut("x" * 1025) == "x" * 1024 + "...TRUNCATED"
    assert cut("x" + "ü" * 600) == "x" + "ü" * 511 + "...TRUNCATED"
