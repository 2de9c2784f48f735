"""CSV of any dialect, and what is none."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrs_app.cli.init.dialect import dialect_of
from tfrs_app.contract.data_config import CsvConfig
from tfrs_app.contract.errors import DataError

LINES = "Kunde;Größe;Preis\nu1;groß;1,50\nu2;klein;2,50\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter):
    text = "\n".join(delimiter.join(row) for row in (["who", "what"], ["u1", "i1"]))
    assert dialect_of(text.encode(), "x.csv") == CsvConfig(delimiter=delimiter)


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("cp1252", "cp1252"),
     ("utf-16", "utf-16")],
)  # fmt: skip
def test_the_encoding_is_found(encoding, expected):
    found = dialect_of(LINES.encode(encoding), "x.csv")
    assert found == CsvConfig(delimiter=";", encoding=expected)


def test_a_head_that_ends_inside_a_character_is_no_other_encoding():
    assert dialect_of("who,what\nu1,ä".encode()[:-1], "x.csv").encoding == "utf-8"


def test_commas_inside_quotes_cut_nothing():
    text = 'who;what\nu1;"red, green, blue"\nu2;"a, b, c"\n'
    assert dialect_of(text.encode(), "x.csv").delimiter == ";"
    single = "who,what\nu1,'red, green'\nu2,'a, b'\n"
    assert dialect_of(single.encode(), "x.csv").quote == "'"


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"user_id\nu1\nu2\n", "has one column"),
        (b"u1,i1,2024-01-01\nu2,i2,2024-01-02\n", "looks like data"),
        (b"u1,1\nu2,2\n", "looks like data"),
        (b"a,a\nu1,i1\n", "looks like data"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "is no text"),
        (b"who,what\n\x81\x8d\xff\xfe,\x90\n", "is no text"),
    ],
)
def test_what_is_no_table_is_refused_in_a_sentence(head, told):
    with pytest.raises(DataError, match=told) as error:
        dialect_of(head, "x.csv")
    assert str(error.value).startswith("x.csv: ")
    assert ";" in str(error.value)  # the remedy


@given(st.binary(max_size=300))
def test_any_bytes_give_a_dialect_or_a_sentence(head):
    with suppress(DataError):
        dialect_of(head, "x.csv")


def test_a_quotation_mark_that_never_ends_is_told():
    endless = b'who,what\nu1,"' + b"x" * 200_000
    with pytest.raises(DataError, match="cannot be cut into columns"):
        dialect_of(endless, "x.csv")
