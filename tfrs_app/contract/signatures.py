"""Names of the SavedModel's signatures and of their tensors."""

RETRIEVE = "retrieve"
EMBED_QUERY = "embed_query"
SIMILAR_ITEMS = "similar_items"
SERVING_DEFAULT = "serving_default"

K = "k"
EXCLUDE = "exclude"
ITEM_ID = "item_id"
SCORE = "score"
EMBEDDING = "embedding"
