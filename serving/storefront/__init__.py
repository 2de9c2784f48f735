"""A page that shows what a model server recommends; it knows the server by its client.

It loads no model: whoever starts it hands over a `Catalogue`, which holds the texts of
the items, and the address of a server.
"""

from __future__ import annotations

from serving.storefront.app import storefront
from serving.storefront.catalogue import (
    Catalogue,
    Category,
    Event,
    Example,
    Number,
    ProfileField,
)
from serving.storefront.models import Models
from serving.storefront.site import listening, serve_page, serving_page

__all__ = [
    "Catalogue",
    "Category",
    "Event",
    "Example",
    "Models",
    "Number",
    "ProfileField",
    "listening",
    "serve_page",
    "serving_page",
    "storefront",
]
