"""Which column is which, on exports as shop systems write them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.cli.init.shops import (
    ITEMS,
    csv_bytes,
    cycle,
    events,
    everything,
    items,
    moments,
)
from tfrs_app.cli.init.mapping import choices_for, mapped
from tfrs_app.cli.init.sample import sample_of
from tfrs_app.contract.errors import DataError


def write(folder, name, table, **dialect):
    path = folder / f"{name}.csv"
    path.write_bytes(csv_bytes(table, **dialect))
    return sample_of(name, str(path))


def chosen(folder, events_table, items_table, asked=None, **dialect):
    samples = {
        "events": write(folder, "events", events_table, **dialect),
        "items": write(folder, "items", items_table, **dialect),
    }
    found = choices_for(samples, asked)
    columns = {role: choice.column for role, choice in found["events"].items()}
    return columns, found["items"]["item_id"].column, found, samples


SHOPIFY = (
    events(
        "Email", "Lineitem sku", "Created at",
        **{
            "Name": cycle([f"#{n}" for n in range(1001, 1201)]),
            "Paid at": moments(),
            "Lineitem quantity": cycle(["1", "2"]),
            "Lineitem price": cycle(["9.90", "19.00"]),
            "Shipping": cycle(["4.90", "0.00"]),
        },
    ),
    items(
        "Variant SKU",
        Handle=[f"handle-{n}" for n in range(ITEMS)],
        Title=[f"A fine thing no {n}" for n in range(ITEMS)],
    ),
    ("Email", "Lineitem sku", "Created at", None, "Lineitem quantity", "Lineitem price",
     None, "Variant SKU"),
)  # fmt: skip
WOOCOMMERCE = (
    events(
        "Customer ID", "SKU", "Order Date",
        **{
            "Order Number": cycle([str(n) for n in range(5000, 5150)]),
            "Quantity": cycle(["1", "3"]),
            "Item Price": cycle(["5", "7.5"]),
        },
    ),
    items("SKU", ID=[str(n) for n in range(ITEMS)], Name=["A long name"] * ITEMS),
    ("Customer ID", "SKU", "Order Date", None, "Quantity", "Item Price",
     "Order Number", "SKU"),
)  # fmt: skip
GA4 = (
    events(
        "user_pseudo_id", "item_id", "event_timestamp",
        user_id=[""] * 299 + ["u001"],
        event_name=cycle(["view_item", "add_to_cart", "purchase", "session_start"]),
        event_date=cycle(["20240101", "20240102"]),
        ga_session_id=cycle([str(n) for n in range(90)]),
    ),
    items("item_id", item_name=[f"The thing {n}" for n in range(ITEMS)]),
    ("user_pseudo_id", "item_id", "event_timestamp", "event_name", None, None,
     "ga_session_id", "item_id"),
)  # fmt: skip
GERMAN = (
    events(
        "Kundennummer", "Artikelnummer", "Bestelldatum",
        **{
            "Menge": cycle(["1", "2"]),
            "Einzelpreis": cycle(["9,90", "19,00"]),
            "Bestellnummer": cycle([str(n) for n in range(9000, 9100)]),
            "Liefer Datum": moments(),
        },
    ),
    items("Artikelnr", Bezeichnung=[f"Schöne Sache Nummer {n}" for n in range(ITEMS)]),
    ("Kundennummer", "Artikelnummer", "Bestelldatum", None, "Menge", None,
     "Bestellnummer", "Artikelnr"),
)  # fmt: skip
ROLES = (
    "user_id", "item_id", "timestamp", "event_type", "quantity", "price", "session_id",
)  # fmt: skip
SHOPS = pytest.mark.parametrize(
    "shop",
    [SHOPIFY, WOOCOMMERCE, GA4, GERMAN],
    ids=["shopify", "woocommerce", "ga4", "german"],
)


@SHOPS
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_an_export_is_understood(shop, delimiter, tmp_path):
    events_table, items_table, expected = shop
    columns, item, _, _ = chosen(
        tmp_path, events_table, items_table, delimiter=delimiter
    )
    assert (*(columns[role] for role in ROLES), item) == expected


def test_of_two_times_one_is_chosen_by_name_and_the_other_told(tmp_path):
    _, _, found, _ = chosen(tmp_path, *SHOPIFY[:2])
    choice = found["events"]["timestamp"]
    assert choice.why == "by its name; 'Paid at' would fit too"


def test_a_price_with_decimal_commas_is_told_and_left_out(tmp_path):
    _, _, found, _ = chosen(tmp_path, *GERMAN[:2])
    choice = found["events"]["price"]
    assert choice.why == "'Einzelpreis' holds texts that are no numbers"


def test_ids_that_agree_beat_names(tmp_path):
    """The log has a number of its own too, by the better name."""
    log = events("customer", "sku", "date", product_id=cycle(["x1", "x2", "x3"]))
    goods = items("Variant SKU", product_id=everything("p", ITEMS))
    columns, item, found, _ = chosen(tmp_path, log, goods)
    assert (columns["item_id"], item) == ("sku", "Variant SKU")
    told = "100% of the ids seen are in both tables"
    assert found["events"]["item_id"].why == told


def test_ids_that_agree_need_no_name(tmp_path):
    log = events("customer", "ref", "date", note=cycle(["a", "b"]))
    columns, item, _, _ = chosen(tmp_path, log, items("SKU"))
    assert (columns["item_id"], item) == ("ref", "SKU")


def test_a_chance_agreement_does_not_beat_a_name(tmp_path):
    log = events("customer", "item_id", "date", sku=cycle(["p001", "x1", "x2", "x3"]))
    log["item_id"] = cycle(["j1", "j2", "j3"])
    goods = {"item_id": everything("p", ITEMS), "title": ["A thing"] * ITEMS}
    columns, _, found, _ = chosen(tmp_path, log, goods)
    assert columns["item_id"] == "item_id"
    assert "few ids seen are in both tables" in found["events"]["item_id"].why


def test_an_optional_name_that_is_not_meant_is_declared_null(tmp_path):
    log = events("user_id", "item_id", "timestamp", price=cycle(["1,5", "2,5"]))
    _, _, found, samples = chosen(tmp_path, log, items("item_id"))
    assert mapped(samples["events"], found["events"]) == {"price": None}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"u": None}, "no column names the user"),
        ({"i": None}, "no column names the item"),
        ({"t": None}, "no column names the time"),
    ],
)
def test_a_missing_column_is_told_with_its_remedy(change, told, tmp_path):
    names = {"u": "user_id", "i": "item_id", "t": "timestamp"}
    table = events(*names.values(), colour=cycle(["red", "blue"]))
    del table[names[next(iter(change))]]
    with pytest.raises(DataError, match=told) as error:
        chosen(tmp_path, table, items("item_id"))
    assert "say which it is with --column" in str(error.value)
    assert "\n" not in str(error.value)


def test_days_written_the_german_way_are_refused(tmp_path):
    table = events("Kundennummer", "Artikelnummer", "x")
    del table["x"]
    table["Bestelldatum"] = cycle(["31.12.2024 14:00", "30.12.2024 09:00"])
    with pytest.raises(DataError, match=r"'Bestelldatum' holds .*31.12.2024.*ISO 8601"):
        chosen(tmp_path, table, items("Artikelnummer"))


def test_an_asked_column_must_be_there(tmp_path):
    with pytest.raises(DataError, match="has no column 'who'"):
        chosen(tmp_path, *WOOCOMMERCE[:2], {"events.user_id": "who"})


USER = st.sampled_from(["user_id", "Customer ID", "kundenNr", "visitorId", "KUNDE"])
ITEM = st.sampled_from(["item_id", "Product ID", "artikelNummer", "SKU", "asin"])
TIME = st.sampled_from(["timestamp", "Order Date", "createdAt", "Bestelldatum", "ts"])
SESSION = st.sampled_from(["session_id", "Order ID", "bestellNr", "basket_id"])


@given(user=USER, item=ITEM, time=TIME, session=SESSION, seed=st.randoms())
@settings(max_examples=25, deadline=None)
def test_renamed_and_shuffled_columns_are_found_again(
    tmp_path_factory, user, item, time, session, seed
):
    table = events(user, item, time, **{session: cycle([f"s{n}" for n in range(70)])})
    table |= {"note": cycle(["a", "b", "c"]), "amount due": cycle(["1", "2"])}
    order = list(table)
    seed.shuffle(order)
    shuffled = {name: table[name] for name in order}
    folder = tmp_path_factory.mktemp("shop")
    columns, goods, _, _ = chosen(folder, shuffled, items(item))
    found = (columns["user_id"], columns["item_id"], columns["timestamp"], goods)
    assert found == (user, item, time, item)
    assert columns["session_id"] == session
