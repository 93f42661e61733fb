"""Pages and docstrings: examples run, links lead somewhere, nothing public goes without."""

import doctest
import importlib
import inspect
import io
import pkgutil
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest

import clinfa

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
CODE = re.compile(r"^```python\n(.*?)^```$", re.S | re.M)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PUBLIC = (
    "clinfa",
    "clinfa.cluster",
    "clinfa.composing",
    "clinfa.dataset",
    "clinfa.datasets",
    "clinfa.ensemble",
    "clinfa.inspection",
    "clinfa.kernels",
    "clinfa.manifold",
    "clinfa.metrics",
    "clinfa.metrics.pairwise",
    "clinfa.naive_bayes",
    "clinfa.neighbors",
    "clinfa.random_projection",
    "clinfa.tree",
)


def name_of(page):
    return str(page.relative_to(ROOT))


def modules():
    """Every module of clinfa that is written in Python and does not run by being imported."""
    for found in pkgutil.walk_packages(clinfa.__path__, "clinfa."):
        compiled = found.name.startswith("clinfa._core.") and found.name != "clinfa._core.isa"
        if not compiled and not found.name.endswith("__main__"):
            yield found.name


def public():
    """Functions and classes that users are meant to see, by name."""
    for module in PUBLIC:
        home = importlib.import_module(module)
        for name in home.__all__:
            thing = getattr(home, name)
            if inspect.isfunction(thing) or inspect.isclass(thing):
                yield pytest.param(thing, id=f"{module}.{name}")


def run_examples(tests):
    told = io.StringIO()
    runner = doctest.DocTestRunner(verbose=False)
    for test in tests:
        runner.run(test, out=told.write)
    assert runner.failures == 0, told.getvalue()
    return runner.tries


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_code_on_pages_runs(page):
    space = {"__name__": "page"}
    for found in CODE.finditer(page.read_text("utf-8")):
        code, line = found.group(1), page.read_text("utf-8")[: found.start()].count("\n") + 1
        if ">>>" in code:
            parsed = doctest.DocTestParser().get_doctest(code, space, name_of(page), None, line)
            parsed.globs = space  # later blocks see what earlier ones made
            runner = doctest.DocTestRunner(verbose=False)
            told = io.StringIO()
            runner.run(parsed, out=told.write, clear_globs=False)
            assert runner.failures == 0, told.getvalue()
        else:
            with redirect_stdout(io.StringIO()):
                exec(compile("\n" * line + code, name_of(page), "exec"), space)


def test_the_readme_has_running_code():
    assert CODE.search((ROOT / "README.md").read_text("utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_between_pages(page):
    text = re.sub(r"`[^`\n]*`", "", CODE.sub("", page.read_text("utf-8")))
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):  # another site's
            continue
        path, _, heading = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{name_of(page)}: {target}"
        if heading:
            headings = re.findall(r"^#+ (.*)$", there.read_text("utf-8"), re.M)
            slugs = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
            assert heading in slugs, f"{name_of(page)}: {target}"


def test_every_page_can_be_reached():
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or not page.exists():
            continue
        seen.add(page)
        targets = (t.partition("#")[0] for t in LINK.findall(page.read_text("utf-8")))
        waiting += [(page.parent / t).resolve() for t in targets if t.endswith(".md")]
    assert {page for page in PAGES if "docs" in page.parts} <= seen


@pytest.mark.parametrize("name", sorted(modules()))
def test_examples_in_docstrings_run(name):
    run_examples(doctest.DocTestFinder().find(importlib.import_module(name)))


@pytest.mark.parametrize("thing", list(public()))
def test_public_things_are_documented(thing):
    text = inspect.getdoc(thing)
    assert text, "no docstring"
    assert re.match(r"[A-Z][^\n]*\.(\n\n|\Z)", text), "no summary line"
    sections = dict(re.findall(r"^(\w[\w ]*)\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", text, re.S | re.M))
    assert ">>>" in sections.get("Examples", ""), "no example"
    # a parameter's line is not indented: "name : what", "one, other" or "name"
    lines = re.findall(r"^(\S[^:\n]*?)(?: : .*)?$", sections.get("Parameters", ""), re.M)
    told = {name.strip(" *`") for line in lines for name in line.split(",")}
    taken = inspect.signature(thing).parameters
    named = {p.name for p in taken.values() if p.kind is not p.VAR_KEYWORD}
    assert named <= told, "a parameter is not described"
    assert named == told or len(named) < len(taken), "what is described is no parameter"
    returned = inspect.signature(thing).return_annotation
    if inspect.isfunction(thing) and returned not in ("None", None, "Iterator[None]"):
        assert "Returns" in sections, "no word about what is returned"
