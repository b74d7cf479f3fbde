"""Law 1, as far as the import contracts in pyproject.toml can't see it.

The contracts say which modules the core may not import. What needs no import to do I/O, to wait or
to reach a forbidden module by its name shows only in the syntax tree.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import triochat

PACKAGE = Path(triochat.__file__).parent
CORE = sorted(path for layer in ("protocol", "chat") for path in (PACKAGE / layer).rglob("*.py"))

IMPURE_BUILTINS = frozenset({"__import__", "breakpoint", "eval", "exec", "input", "open", "print"})
IMPURE_MODULES = frozenset({"contextvars", "importlib", "io", "logging", "pathlib", "queue", "sys", "uuid"})


def faults(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.AsyncFunctionDef() | ast.AsyncFor() | ast.AsyncWith() | ast.Await():
                yield f"line {node.lineno}: {type(node).__name__}"
            case ast.comprehension(is_async=1, target=target):
                yield f"line {target.lineno}: an asynchronous comprehension"
            case ast.Call(func=ast.Name(id=name)) if name in IMPURE_BUILTINS:
                yield f"line {node.lineno}: {name}()"
            case ast.Import(names=aliases):
                for alias in aliases:
                    if alias.name.partition(".")[0] in IMPURE_MODULES:
                        yield f"line {node.lineno}: import {alias.name}"
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in IMPURE_MODULES:
                yield f"line {node.lineno}: from {module} import …"
            case _:
                pass


@pytest.mark.parametrize("path", CORE, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_core_neither_waits_nor_does_io(path: Path) -> None:
    assert list(faults(ast.parse(path.read_text(encoding="utf-8")))) == []


def test_both_halves_of_the_core_are_looked_at() -> None:
    assert {path.relative_to(PACKAGE).parts[0] for path in CORE} == {"protocol", "chat"}


@pytest.mark.parametrize(
    "source",
    [
        "async def f(): pass",
        "async def f():\n    async with x: await y",
        "def f(): return [x async for x in y]",
        "def f():\n    open('x')",
        "print('x')",
        "def f():\n    import importlib.metadata",
        "from sys import stdout",
    ],
)
def test_the_check_sees_what_it_is_for(source: str) -> None:
    assert list(faults(ast.parse(source))) != []
