"""Which tests share a process of pytest-xdist: a file's, or a costly fixture's."""

from xdist.scheduler import LoadScopeScheduling

GROUPS = {
    "toy run": (
        "browser/",
        "e2e/",
        "integration/cli/",
        "integration/export/",
        "integration/training/",
        "integration/tuning/test_killed",
    ),
    "conformance": ("conformance/",),
    "simulated shop": (
        "integration/evaluation/",
        "integration/simulation/",
        "integration/tuning/test_blind",
    ),
}
"""What is made once -> how the paths of the files that use it begin."""


class ByFixture(LoadScopeScheduling):
    """Hands out whole files, or all files of a group, the long-lasting ones first."""

    def __init__(self, config, log):
        super().__init__(config, log)
        config.option.loadscopereorder = False  # as collected: unit tests come last

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0].removeprefix("tests/")
        users = (name for name, paths in GROUPS.items() if file.startswith(paths))
        return next(users, file)
