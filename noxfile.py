"""Every check of the project, each in an environment of its own.

``nox`` runs them all; ``nox -s tests-3.12 -- -k sniff`` one of them, with arguments for the tool
behind it. An interpreter that this machine lacks is skipped and named; ``.ci/run`` is stricter.
"""

import platform
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
# An interpreter that is not here is skipped and named, neither fetched nor, by itself, a fault.
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
MEASURED = "3.13"
"""Where coverage is measured: it takes half as long again, and shows the same elsewhere."""
FUZZED = "3.13"
"""Where the parsers are fuzzed: atheris comes late to a new interpreter."""

CORE = ["src/triochat/protocol/*", "src/triochat/chat/*"]
"""What the tests of the core must cover to the last branch."""
CORE_TESTS = ["tests/protocol", "tests/chat"]


def group(name: str) -> list[str]:
    """Return the requirements of a dependency group of pyproject.toml."""
    return list(nox.project.dependency_groups(PROJECT, name))


def measured(session: nox.Session, *args: str) -> dict[str, str]:
    """Run pytest under coverage; return the environment in which ``coverage report`` finds the data.

    Each session keeps its data to itself, so that two may run at the same time. "combine" is what
    translates the installed files to those in src/.
    """
    env = {"COVERAGE_FILE": str(Path(session.create_tmp()).resolve() / "coverage")}
    session.run("coverage", "erase", env=env)
    session.run("coverage", "run", "--parallel-mode", "-m", "pytest", *args, env=env)
    session.run("coverage", "combine", "--quiet", env=env)
    return env


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the whole suite against the installed package; on one interpreter report its branch coverage."""
    session.install(".", *group("test"))
    # The simulation has a session of its own: it is the same on each of them, and slow under coverage. What
    # measures is no part of the package. Both run once, with what the README says.
    args = ("--ignore=tests/simulation", "--ignore=tests/benchmarks", *session.posargs)
    if session.python != MEASURED:
        session.run("python", "-m", "pytest", *args)
        return
    env = measured(session, *args)
    session.run("coverage", "report", env=env)


@nox.session
def core(session: nox.Session) -> None:
    """Demand that the tests of protocol/ and chat/ alone reach every branch of them."""
    session.install(".", *group("test"))
    env = measured(session, *CORE_TESTS, *session.posargs)
    session.run("coverage", "report", "--fail-under=100", f"--include={','.join(CORE)}", env=env)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format and the order of dependence between the packages."""
    session.install("-e", ".", *group("lint"))
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")
    session.run("lint-imports", "--no-cache")


@nox.session
def typecheck(session: nox.Session) -> None:
    """Check types, strictly, in all code that is here: the package, tests, benchmarks, examples, and this."""
    session.install("-e", ".", *group("typecheck"))
    checked = ["src", "tests", "benchmarks", "examples", "screenshots", "noxfile.py"]
    session.run("mypy", *(session.posargs or checked))


@nox.session
def simulate(session: nox.Session) -> None:
    """Live through 200 simulations, each of another seed, and hold them against what is promised."""
    session.install(".", *group("test"))
    if not session.posargs:
        session.run("python", "-m", "pytest", "-q", "tests/simulation")
    session.run("python", "-m", "tests.simulation", *session.posargs)


@nox.session(python=FUZZED)
def fuzz(session: nox.Session) -> None:
    """Try 4000 inputs that nobody wrote on each parser: the same each time."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        session.skip("atheris is built for Linux on x86-64 only")
    session.install(".", *group("test"), *group("fuzz"))
    if not session.posargs:
        session.run("python", "-m", "pytest", "-q", "tests/fuzz")
    session.run("python", "-m", "tests.fuzz", *(session.posargs or ["--runs", "4000"]))


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning or a reference that leads nowhere is an error."""
    session.install(".", *group("docs"))
    out = session.posargs or [str(Path(session.create_tmp()) / "html")]
    session.run("sphinx-build", "-q", "-b", "html", "-n", "-W", "--keep-going", "-E", "docs", *out)


@nox.session
def smoke(session: nox.Session) -> None:
    """Build the wheel, install nothing but it, and hold a conversation through what it installed."""
    session.install(*PROJECT["build-system"]["requires"])
    work = Path(session.create_tmp()).resolve()
    shutil.rmtree(work / "dist", ignore_errors=True)
    session.run("python", "-m", "hatchling", "build", "-t", "wheel", "-d", str(work / "dist"))
    [wheel] = (work / "dist").glob("*.whl")
    # Plain venv and pip, as a user would: nothing of this session may hide a missing dependency.
    session.run("python", "-m", "venv", "--clear", str(work / "env"))
    bin_dir = work / "env" / "bin"
    session.run(str(bin_dir / "python"), "-m", "pip", "install", "--quiet", str(wheel), external=True)
    with session.chdir(work):  # away from the checkout, so that only the wheel can be imported
        session.run("python", str(ROOT / "tests" / "smoke.py"), str(bin_dir / "triochat"), *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure what a delivery costs beside other servers: half an hour on Linux; see benchmarks/README.md."""
    session.install(
        "-e", ".", "uvloop; platform_python_implementation == 'CPython' and sys_platform != 'win32'"
    )
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session(name="bench-journal", default=False)
def bench_journal(session: nox.Session) -> None:
    """Hold what is promised of a journal with a million entries against what it takes: two minutes."""
    session.install("-e", ".")
    session.run("python", "-m", "benchmarks.journal", *session.posargs)


@nox.session(name="bench-client", default=False)
def bench_client(session: nox.Session) -> None:
    """Hold what is promised of the client against what it takes, on terminals of its own: some minutes."""
    session.install("-e", ".")
    session.run("python", "-m", "benchmarks.client", *session.posargs)
