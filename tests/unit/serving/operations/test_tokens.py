import pytest

from serving.server.operations.tokens import Right, Tokens, Verdict
from tfrs_app.contract.errors import ConfigError

ASK, ADMIN = "a" * 16, "b" * 32


@pytest.fixture
def write(tmp_path):
    def write(name, text, mode=0o600):
        path = tmp_path / name
        path.write_text(text)
        path.chmod(mode)
        return path

    return write


@pytest.mark.parametrize(
    ("header", "ask", "administer"),
    [
        (None, Verdict.UNKNOWN, Verdict.UNKNOWN),
        ("", Verdict.UNKNOWN, Verdict.UNKNOWN),
        (ASK, Verdict.UNKNOWN, Verdict.UNKNOWN),
        (f"Basic {ASK}", Verdict.UNKNOWN, Verdict.UNKNOWN),
        (f"Bearer {ASK}x", Verdict.UNKNOWN, Verdict.UNKNOWN),
        (f"Bearer {ASK[:-1]}", Verdict.UNKNOWN, Verdict.UNKNOWN),
        ("Bearer ", Verdict.UNKNOWN, Verdict.UNKNOWN),
        ("Bearer ü\udcff", Verdict.UNKNOWN, Verdict.UNKNOWN),
        (f"Bearer {ASK}", Verdict.ALLOWED, Verdict.FORBIDDEN),
        (f"bearer {'c' * 20}", Verdict.ALLOWED, Verdict.FORBIDDEN),
        (f"Bearer {ADMIN}", Verdict.ALLOWED, Verdict.ALLOWED),
    ],
)
def test_who_may_do_what(write, header, ask, administer):
    tokens = Tokens(write("ask", f"{ASK}\n{'c' * 20}\n"), write("admin", ADMIN))
    assert tokens.verdict(header, Right.ASK) is ask
    assert tokens.verdict(header, Right.ADMINISTER) is administer
    assert tokens.verdict(header, Right.NONE) is Verdict.ALLOWED


def test_without_files_nobody_is_asked():
    tokens = Tokens(None, None)
    assert tokens.verdict(None, Right.ASK) is Verdict.ALLOWED
    assert tokens.verdict(None, Right.ADMINISTER) is Verdict.ALLOWED


def test_an_administrators_file_alone_leaves_asking_open(write):
    tokens = Tokens(None, write("admin", ADMIN))
    assert tokens.verdict(None, Right.ASK) is Verdict.ALLOWED
    assert tokens.verdict(None, Right.ADMINISTER) is Verdict.UNKNOWN


def test_an_askers_file_alone_guards_administering_too(write):
    tokens = Tokens(write("ask", ASK), None)
    assert tokens.verdict(None, Right.ADMINISTER) is Verdict.UNKNOWN
    assert tokens.verdict(f"Bearer {ASK}", Right.ADMINISTER) is Verdict.ALLOWED


def test_new_tokens_are_taken_and_bad_files_are_not(write, caplog):
    tokens = Tokens(write("ask", ASK), None)
    write("ask", "d" * 16)
    tokens.reload()
    assert tokens.verdict(f"Bearer {ASK}", Right.ASK) is Verdict.UNKNOWN
    write("ask", "short")
    tokens.reload()
    assert tokens.verdict(f"Bearer {'d' * 16}", Right.ASK) is Verdict.ALLOWED
    assert "the tokens were not changed" in caplog.text


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [
        ("", 0o600, "must hold one token a line"),
        ("\n \n", 0o600, "must hold one token a line"),
        (f"{ASK}\nshort", 0o600, "each of 16 characters at least"),
        (ASK, 0o604, "mode 0604, so others can read"),
        (ASK, 0o620, "mode 0620, so others can read or change"),
    ],
)
def test_a_bad_file_ends_the_start(write, text, mode, message):
    with pytest.raises(ConfigError, match=f"--auth_token_file: .*{message}"):
        Tokens(write("ask", text, mode), None)


def test_the_group_may_read_as_in_kubernetes(write):
    assert Tokens(write("ask", ASK, 0o440), None)


def test_a_missing_file_ends_the_start(tmp_path):
    with pytest.raises(ConfigError, match=r"--admin_token_file: cannot read .*gone"):
        Tokens(None, tmp_path / "gone")
