"""What shops call the columns of the contract: exports of shop systems, two languages.

Lists are in the order of preference: of two columns that fit, the earlier name wins.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from tfrs_app.contract.dataset import (
    EVENT_TYPE,
    PRICE,
    QUANTITY,
    SESSION_ID,
    TIMESTAMP,
)
from tfrs_app.contract.features import ITEM_ID, USER_ID

_ENGLISH = {
    USER_ID: (
        "user_id customer_id client_id visitor_id household_id member_id account_id "
        "shopper_id buyer_id cust_id customer_number customer_no user_pseudo_id "
        "customer_key user_key user customer visitor client buyer shopper member "
        "customer_email email e_mail"
    ),
    ITEM_ID: (
        "item_id product_id article_id lineitem_sku variant_sku sku item_sku "
        "product_sku stock_code product_code item_code article_number item_number "
        "product_number asin gtin ean upc isbn product item article handle"
    ),
    TIMESTAMP: (
        "timestamp event_timestamp event_time occurred_at created_at ordered_at "
        "order_date purchased_at purchase_date transaction_timestamp transaction_time "
        "transaction_date invoice_date order_time order_created_at date_created_gmt "
        "date_created processed_at paid_at paid_date datetime date_time time ts when "
        "date day event_date"
    ),
    EVENT_TYPE: (
        "event_type event_name interaction_type activity_type event action "
        "event_action interaction activity behavior behaviour type kind"
    ),
    QUANTITY: "quantity qty lineitem_quantity item_quantity order_quantity units",
    PRICE: (
        "price unit_price item_price lineitem_price product_price sale_price "
        "sales_value line_price amount revenue value"
    ),
    SESSION_ID: (
        "session_id ga_session_id basket_id order_id cart_id transaction_id visit_id "
        "receipt_id invoice_id order_number invoice_number invoice_no order_no invoice "
        "basket session"
    ),
}
_GERMAN = {
    USER_ID: (
        "kunden_id kundennummer kunden_nr kundennr kunden_nummer nutzer_id benutzer_id "
        "besucher_id kunde nutzer benutzer besucher"
    ),
    ITEM_ID: (
        "artikel_id artikelnummer artikel_nr artikelnr artikel_nummer produkt_id "
        "produktnummer produkt_nr artikel produkt"
    ),
    TIMESTAMP: (
        "zeitstempel zeitpunkt bestelldatum bestellt_am bestellzeitpunkt kaufdatum "
        "gekauft_am auftragsdatum rechnungsdatum erstellt_am datum zeit"
    ),
    EVENT_TYPE: "ereignistyp ereignis ereignisart aktion vorgang art",
    QUANTITY: "menge anzahl stueckzahl bestellmenge",
    PRICE: "preis einzelpreis stueckpreis verkaufspreis artikelpreis betrag umsatz",
    SESSION_ID: (
        "sitzungs_id sitzung warenkorb_id bestell_id bestellnummer bestell_nr "
        "auftragsnummer rechnungsnummer bon_nr"
    ),
}
_KNOWN = {role: (_ENGLISH[role] + " " + _GERMAN[role]).split() for role in _ENGLISH}
_PARTLY = 1000
"""Added to the rank of a header of which only the last words are a known name."""
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def words_of(header: str) -> list[str]:
    """Returns the words of a header, in lower-case ASCII: `orderID` is order, id."""
    text = unicodedata.normalize("NFC", header)
    text = re.sub(r"(?<=[a-z0-9äöü])(?=[A-ZÄÖÜ])", "_", text).lower()
    text = text.translate(_UMLAUTS)
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.findall(r"[a-z0-9]+", text)


def rank(header: str, role: str) -> int | None:
    """Returns how well a header names a contract column: 0 is best, None not at all.

    Args:
        header: of a file.
        role: column of the contract.
    """
    words = words_of(header)
    compact = "".join(words)
    for place, name in enumerate(_KNOWN[role]):
        if name.replace("_", "") == compact:
            return place
    for place, name in enumerate(_KNOWN[role]):
        parts = name.split("_")
        if len(parts) < len(words) and words[-len(parts) :] == parts:
            return _PARTLY + place
    return None


def is_id(header: str) -> bool:
    """Tells whether a header is nothing but `id`, as tables call their own key."""
    return words_of(header) in (["id"], ["nr"], ["nummer"], ["number"], ["key"])


def is_german(headers: Iterable[str]) -> bool:
    """Tells whether most of the headers that name a contract column are German ones."""
    german = [
        name.replace("_", "") for names in _GERMAN.values() for name in [*names.split()]
    ]
    found = ["".join(words_of(header)) in german for header in headers]
    return bool(found) and 2 * sum(found) > len(found)
