"""Which tests share a process of pytest-xdist: a file's, or a costly fixture's."""

from xdist.scheduler import LoadScopeScheduling

GROUPS = {
    "toy run": ("e2e", "integration/cli", "integration/export", "integration/training"),
    "simulated shop": ("integration/evaluation", "integration/simulation"),
}
"""What is made once -> the folders whose files use it."""


class ByFixture(LoadScopeScheduling):
    """Hands out whole files, or all files of a group, the long-lasting ones first."""

    def __init__(self, config, log):
        super().__init__(config, log)
        config.option.loadscopereorder = False  # as collected: unit tests come last

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0].removeprefix("tests/")
        for name, folders in GROUPS.items():
            if file.startswith(tuple(f"{folder}/" for folder in folders)):
                return name
        return file
