"""Headers as shops have them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrs_app.cli.init.names import is_german, rank, words_of

HEADERS = {
    "user_id": [
        "user_id", "UserID", "Customer ID", "customerId", "Kundennummer", "Kunden-Nr.",
        "KUNDEN_ID", "visitor_id", "user_pseudo_id", "household_id", "Shop Customer ID",
    ],
    "item_id": [
        "item_id", "itemId", "Product ID", "Lineitem sku", "Variant SKU", "SKU",
        "Artikelnummer", "Artikel-Nr", "StockCode", "product_id", "ASIN",
    ],
    "timestamp": [
        "timestamp", "event_timestamp", "Created at", "Order Date", "order_date",
        "Bestelldatum", "bestellt am", "InvoiceDate", "transaction_timestamp",
        "Zeitstempel", "Paid at",
    ],
    "event_type": ["event_type", "Event Name", "eventType", "Ereignistyp", "action"],
    "quantity": ["Quantity", "Lineitem quantity", "Menge", "Stückzahl", "qty"],
    "price": ["Price", "Lineitem price", "Einzelpreis", "unit_price", "Verkaufspreis"],
    "session_id": [
        "session_id", "ga_session_id", "Order ID", "Bestellnummer", "basket_id",
        "Invoice No",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("role", "header"),
    [(role, header) for role, headers in HEADERS.items() for header in headers],
)
def test_what_shops_call_a_column_is_known(role, header):
    ranks = {each: rank(header, each) for each in HEADERS}
    found = {each: place for each, place in ranks.items() if place is not None}
    assert min(found, key=found.get) == role


@pytest.mark.parametrize(
    "header", ["color", "Farbe", "Notes", "shipping", "", "🙂", "Discount Code"]
)
def test_other_headers_name_nothing(header):
    assert all(rank(header, role) is None for role in HEADERS)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("customerId", ["customer", "id"]),
        ("Lineitem sku", ["lineitem", "sku"]),
        ("STÜCKZAHL", ["stueckzahl"]),
        ("Größe (cm)", ["groesse", "cm"]),
        ("prénom", ["prenom"]),
    ],
)
def test_a_header_has_words(header, words):
    assert words_of(header) == words


def styled(name, style):
    parts = name.split("_")
    return {
        "snake": name,
        "upper": name.upper(),
        "title": " ".join(parts).title(),
        "kebab": "-".join(parts),
        "camel": parts[0] + "".join(part.title() for part in parts[1:]),
        "spaced": f" {' '.join(parts)} ",
        "dotted": ".".join(parts),
    }[style]


@given(
    st.sampled_from(["customer_id", "product_id", "created_at", "unit_price"]),
    st.sampled_from(["snake", "upper", "title", "kebab", "camel", "spaced", "dotted"]),
)
def test_how_a_header_is_written_does_not_matter(name, style):
    for role in HEADERS:
        assert rank(styled(name, style), role) == rank(name, role)


def test_german_headers_are_told_from_english_ones():
    assert is_german(["Kundennummer", "Artikelnummer", "Bestelldatum"])
    assert not is_german(["user_id", "item_id", "Datum"])
    assert not is_german([])


@given(st.text(max_size=30))
def test_any_text_may_be_a_header(header):
    words_of(header)
    for role in HEADERS:
        rank(header, role)
