"""The snippets of docs/recipes.md ask a real server and get what the page says."""

import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import grpc
import pytest
from google.protobuf import json_format

from serving.protocol import messages
from serving.server.server import running
from tests.integration.serving.clients import options_of
from tests.toy_shop import parity_of

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
PROGRAMS = {
    "bash": ("bash", "-euo", "pipefail", "-c"),
    "python": (sys.executable, "-c"),
    "javascript": ("node", "--input-type=module", "-e"),
}
SNIPPETS = [
    (section.partition("\n")[0], language, textwrap.dedent(code))
    for section in PAGE.split("\n## ")[1:]
    for language, code in re.findall(
        rf"^ *```({'|'.join(PROGRAMS)})\n(.*?)^ *```", section, re.DOTALL | re.MULTILINE
    )
]
REFUSED = "What can go wrong"


@pytest.fixture(scope="module")
def server(toy_run):
    with running(options_of({"smoke": toy_run.stages.model_base})) as addresses:
        yield addresses


def run(language, code, server):
    program = PROGRAMS[language]
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    code = code.replace("http://127.0.0.1:8501", server.rest)
    code = code.replace("127.0.0.1:8500", server.grpc)
    done = subprocess.run(
        [*program, code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_language_is_shown():
    assert {language for _, language, _ in SNIPPETS} == set(PROGRAMS)
    assert len(SNIPPETS) >= 15


@pytest.mark.parametrize(
    ("section", "language", "code"),
    SNIPPETS,
    ids=[f"{language}: {section}" for section, language, _ in SNIPPETS],
)
def test_a_snippet_gets_an_answer(section, language, code, server):
    told = run(language, code, server)
    ids = re.findall(r"\bi\d+\b", told)
    if section == "Is it there?":
        assert '"AVAILABLE"' in told
    elif section == REFUSED:
        assert "five" in told or "allow_color" in told
        assert not ids
    else:
        assert ids
    if section == "With filters, without what was bought":
        assert {parity_of(item) for item in ids} == {"even"}
        assert not {"i2", "i4"} & set(re.findall(r"\bi\d+\b", listed(told)))


def listed(told):
    """What was recommended, without the reasons, which may be history."""
    return re.sub(r'"reason_item_id":\[\[.*?\]\]', "", told)


def test_all_languages_list_the_same(server):
    lists = []
    for section, language, code in SNIPPETS:
        if section == "A list for a history":
            told = run(language, code, server)
            ids = re.search(r'"item_id":\[\[(.*?)\]\]', told)
            if ids is None:
                found = [line.split()[0] for line in told.splitlines()]
            else:
                found = re.findall(r"i\d+", ids[1])
            lists.append(found)
    assert len(lists) == len(PROGRAMS)
    assert len(lists[0]) == 5
    assert lists.count(lists[0]) == len(lists)


def test_grpcurls_message_is_answered(server):
    words = shlex.split(re.search(r"^ *(grpcurl .*?)\n *```", PAGE, re.S | re.M)[1])
    message = words[words.index("-d") + 1]
    request = json_format.Parse(message, messages.PredictRequest())
    with grpc.insecure_channel(server.grpc) as channel:
        call = channel.unary_unary(
            f"/{words[-1]}",
            messages.PredictRequest.SerializeToString,
            messages.PredictResponse.FromString,
        )
        answer = call(request, timeout=60)
    assert len(answer.outputs["item_id"].string_val) == 5
