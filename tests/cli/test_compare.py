"""``python -m clinfa compare``: what it says of every estimator, and how it refuses."""

import csv
import json
import multiprocessing
import re
import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest

from clinfa import __main__, _compare
from clinfa._compare import _contender, _data, _judge, _report, _run
from clinfa._discovery import estimators, public_modules
from clinfa.cluster import KMeans
from clinfa.datasets import load_iris

OTHER = "scikit-learn"
# Both libraries, and what of scikit-learn the estimators here are compared with.
IMPORTED = ["clinfa._compare._contender", *(f"clinfa.{name}" for name in public_modules())]
IMPORTED += sorted({f"sklearn.{path.rpartition('.')[0]}" for path in estimators()})


def compare(*arguments):
    return __main__.main(["compare", *arguments])


@pytest.fixture
def ready(monkeypatch):
    """Processes begin as copies of one that has imported both libraries: importing takes longest here.

    (It has run nothing of them. That they need not be copies is what test_kmeans_on_a_text_file shows.)
    """
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(IMPORTED)
    monkeypatch.setattr(_contender, "_PROCESSES", server)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Small files of many kinds, in the working directory."""
    monkeypatch.chdir(tmp_path)
    iris = load_iris()
    rows = [[*map(str, x), iris.class_names[t]] for x, t in zip(iris.records, iris.targets, strict=True)]
    head = ["sepal, length", "sepal width", "petal length", "petal width", "species"]
    with open("flowers.csv", "w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([head, *rows])
    np.save("flowers.npy", np.column_stack([iris.records, iris.targets]))
    np.save("line.npy", np.arange(5.0))
    (tmp_path / "empty.csv").touch()
    (tmp_path / "head.csv").write_text("a,b\n")
    (tmp_path / "gap.csv").write_text("a,b\n1,2\n3,\n5,6\n")
    (tmp_path / "flowers.xls").write_bytes(b"\0\1")
    (tmp_path / "broken.npy").write_bytes(b"no array")
    (tmp_path / "broken.parquet").write_bytes(b"no table")
    return tmp_path


# --- what it reports ------------------------------------------------------------------------------


def theirs_of(path):
    """scikit-learn's class of that name, or None."""
    return getattr(import_module(f"sklearn.{path.rpartition('.')[0]}"), path.rpartition(".")[2], None)


@pytest.mark.parametrize("path", [path for path in estimators() if theirs_of(path) is None])
def test_what_scikit_learn_lacks_is_refused(path, ready, capsys):
    assert compare(path) == 1
    assert f"scikit-learn has no {path}." in capsys.readouterr().err


# What cannot be fitted on a small table by default: a kernel is wanted, thousands of columns, or models.
MADE_OF_MODELS = ("VotingClassifier", "VotingRegressor", "StackingClassifier", "StackingRegressor")
UNFIT = ("KernelCenterer", "GaussianRandomProjection", "SparseRandomProjection", *MADE_OF_MODELS)


@pytest.mark.parametrize("path", [path for path in estimators() if path.endswith(UNFIT)])
def test_what_does_not_fit_the_data_is_an_error_not_a_crash(path, ready, capsys):
    assert compare(path, "--rounds", "1") == 1
    assert capsys.readouterr().err


@pytest.mark.parametrize(
    "path", [path for path in estimators() if theirs_of(path) is not None and not path.endswith(UNFIT)]
)
def test_every_estimator(path, tmp_path, ready, capsys):
    name = path.rpartition(".")[2]
    assert compare(name.upper(), "--rounds", "1", "--json", str(tmp_path / "told.json")) == 0
    said, told = capsys.readouterr().out, json.loads((tmp_path / "told.json").read_text())
    assert said.startswith(f"{path}(")
    assert told["estimator"] == path
    assert set(told["versions"]) == {"clinfa", OTHER}
    assert "fit" in told["seconds"]
    answers = any(hasattr(theirs_of(path), method) for method in ("predict", "transform", "kneighbors"))
    assert len(told["seconds"]) > 1 or not answers
    for figures in told["seconds"].values():
        assert all(len(rounds) == 1 and rounds[0] > 0 for rounds in figures.values())
    assert set(told["peak memory"]) == set(told["seconds"])
    assert told["quality"]
    assert told["agreement"]
    for name in (*told["seconds"], *told["quality"], *told["agreement"]):
        assert f"\n  {name} " in said


def test_kmeans_on_a_text_file(folder, capsys):
    given = ("kmeans", "flowers.csv", "--target", "species", "--param", "n_clusters=3", "--rounds", "2")
    assert compare(*given, "--json", "told.json") == 0
    said = capsys.readouterr().out
    assert "cluster.KMeans(n_clusters=3, random_state=0)" in said
    assert "on flowers.csv: 150 rows, 4 columns, float64, target 'species'" in said
    assert re.search(r"^  fit +[\d.]+ (µs|ms|s) +[\d.]+ (µs|ms|s) +[\d.]+$", said, re.M)
    assert re.search(r"^  labels_ +the same clusters \(adjusted Rand 1\)$", said, re.M)
    told = json.loads((folder / "told.json").read_text())
    assert told["agreement is of"] == "both from the same start"
    # the same start, the same steps: only rounding is left, also after the clusters were put in order
    assert told["agreement"]["labels_"] == {"what": "adjusted Rand", "value": 1.0}
    assert told["agreement"]["cluster_centers_"]["value"] < 1e-12
    assert told["agreement"]["transform"]["value"] < 1e-12
    # 78.85 is the known optimum of iris in three clusters
    assert told["quality"]["inertia_"]["clinfa"] == pytest.approx(78.8514, abs=0.01)
    assert told["quality"]["adjusted Rand with the target"]["clinfa"] == pytest.approx(0.73, abs=0.02)
    assert {len(v) for by in told["seconds"].values() for v in by.values()} == {2}


def test_against_sklearnex_when_it_is_not_there(monkeypatch, capsys):
    monkeypatch.setattr(_run.importlib.util, "find_spec", lambda name: None)
    assert compare("KMeans", "--against", "sklearnex") == 1
    assert capsys.readouterr().err == (
        "clinfa compare: scikit-learn-intelex is not installed, so there is nothing to compare with: pip "
        "install scikit-learn-intelex.\n"
    )


# --- refusals: words and status, no traceback -----------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["KMens"], r"clinfa has no estimator KMens\. Did you mean KMeans\? It has: .*MiniBatchKMeans"),
        (["KMeans", "nothing"], "no file nothing, and no built-in table of that name: .*iris"),
        (["KMeans", "nothing.csv"], r"There is no file nothing\.csv"),
        (["KMeans", "nothing.npy"], r"There is no file nothing\.npy"),
        (["KMeans", "nothing.parquet"], r"There is no file nothing\.parquet"),
        (["KMeans", "empty.csv"], r"empty\.csv is empty"),
        (["KMeans", "head.csv"], r"head\.csv has a header and no records"),
        (["KMeans", "flowers.xls"], r"flowers\.xls is neither text \(\.csv, .* nor \.parquet nor \.npy"),
        (["KMeans", "broken.npy"], r"broken\.npy is not an array as numpy\.save writes it"),
        (["KMeans", "broken.parquet"], r"broken\.parquet is not a Parquet file"),
        (["KMeans", "line.npy"], r"line\.npy must hold one table .* it holds shape \(5,\) of float64"),
        (["KMeans", "flowers.csv"], "Column 'species' of flowers.csv does not hold numbers"),
        (["KMeans", "flowers.csv", "--target", "kind"], "no such column. Its columns: sepal, length, .*spec"),
        (["KMeans", "flowers.npy", "--target", "5"], "no such column. .* numbers 0 to 4"),
        (["KMeans", "flowers.npy", "--features", "a"], "has no names"),
        (["KMeans", "iris", "--target", "x"], "--target and --features are for files"),
        (["KMeans", "--param", "n_clusters"], "--param n_clusters: write it as name=value"),
        (["KMeans", "--param", "tol=1", "--param", "tol=2"], "tol is given twice"),
        (["KMeans", "--test-size", "0.999"], "0.999 of 150 rows leaves none to fit"),
    ],
)
def test_refusals_at_once(arguments, words, folder, capsys):
    assert compare(*arguments) == 1
    told = capsys.readouterr()
    assert re.fullmatch(rf"clinfa compare: [^\n]*{words}[^\n]*\n", told.err)
    assert told.out == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--param", "n_cluster=3"], r"KMeans has no parameter 'n_cluster'\. Did you mean 'n_clusters'\?"),
        (["--param", "n_clusters=0"], "clinfa's KMeans: The 'n_clusters' parameter .* Got 0 instead"),
        (["--param", "init=k-means||"], "scikit-learn's KMeans: The 'init' parameter .* Got 'k-means||'"),
        (["gap.csv", "--param", "n_clusters=1"], "clinfa's KMeans: Input X contains NaN"),
    ],
)
def test_refusals_by_the_libraries(arguments, words, folder, ready, capsys):
    assert compare("KMeans", *arguments) == 1
    told = capsys.readouterr()
    assert re.match(f"clinfa compare: {words.replace('||', '..')}", told.err)
    assert told.err.count("\n") == 1
    assert told.out == ""


@pytest.mark.parametrize(
    ("mine", "other", "words"),
    [
        ({}, {"a": "1"}, "clinfa's KMeans has no parameter 'a'; scikit-learn's has"),
        ({"a": "1"}, {}, "scikit-learn's KMeans has no parameter 'a'; clinfa's has"),
    ],
)
def test_parameter_that_one_has(mine, other, words):
    with pytest.raises(_compare.Refusal, match=words):
        _run._check_names(KMeans, {"a": 2}, mine, other, OTHER)


def test_targets_are_needed(folder, monkeypatch, capsys):
    monkeypatch.setattr(_run, "_supervised", lambda cls: True)
    assert compare("KMeans", "gap.csv") == 1
    assert "name the column that holds them with --target. Columns: a, b." in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--test-size", "1"], ["--test-size", "some"]])
def test_usage(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        compare("KMeans", *arguments)
    assert end.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_process_that_dies(tmp_path):
    with _contender.Contender("clinfa", "clinfa", "cluster.KMeans", tmp_path) as contender:
        contender._process.kill()
        with pytest.raises(_compare.Refusal, match=r"process of clinfa died \(status -9\)"):
            contender.ask("load")


def test_library_without_the_estimator(tmp_path):
    with _contender.Contender("json", "json", "cluster.KMeans", tmp_path) as contender:
        assert contender.ask("load") == {"defaults": None}


# --- the parts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=3", 3),
        ("a=0.5", 0.5),
        ("a=None", None),
        ("a=auto", "auto"),
        ("a='3'", "3"),
        ("a=[[1, 2]]", [[1, 2]]),
        ("a=x=y", "x=y"),
        ("a=", ""),
    ],
)
def test_parameter_values(text, value):
    assert _run.parse([text]) == {"a": value}


@pytest.mark.parametrize("name", ["KMeans", "kmeans", "cluster.kmeans", "sklearn.cluster.KMeans"])
def test_names_of_estimators(name):
    assert _run.find(name) == ("cluster.KMeans", KMeans)


@pytest.mark.parametrize("name", ["flowers.csv", "flowers.npy"])
def test_reading_is_the_same(name, folder):
    found = _data.read(name, "4", None)
    assert (np.asarray(found.records) == load_iris().records).all()
    assert len(set(found.targets.tolist())) == 3
    assert found.targets.dtype.kind in "iU"


def test_reading_some_columns(folder):
    found = _data.read("flowers.csv", None, ["sepal, length", "petal width"])
    assert (np.asarray(found.records) == load_iris().records[:, [0, 3]]).all()


def test_split_keeps_every_row_once():
    data = _data.split("iris", load_iris(), 0.25)
    (X, y), (X_test, y_test) = data.train, data.test
    assert (len(X), len(X_test)) == (112, 38)
    rows = np.vstack([np.column_stack([X, y]), np.column_stack([X_test, y_test])])
    whole = np.column_stack([load_iris().records, load_iris().targets])
    assert (rows[np.lexsort(rows.T)] == whole[np.lexsort(whole.T)]).all()


def test_relative_difference_by_hand():
    difference = _judge.relative_difference
    assert difference(np.array([1.0, -4.0]), np.array([1.5, -4.0])) == 0.125  # 0.5 of 4
    assert difference(np.array([0, 0]), np.array([0.0, 0.0])) == 0
    assert difference(np.array([1.0, np.nan]), np.array([1.0, np.nan])) == 0
    assert difference(np.array([1.0, np.nan]), np.array([1.0, 2.0])) == np.inf
    assert difference(np.array([1e300]), np.array([-1e300])) == 2


def test_clusters_of_other_numbers_are_put_in_order():
    labels, centres = np.array([0, 0, 1, 2, 2]), np.array([[1.0], [5.0], [9.0]])
    order = np.array([2, 0, 1])  # what was cluster 0 is 2 over there
    theirs = {"fitted": {"labels_": order[labels], "cluster_centers_": centres[[1, 2, 0]]}, "results": {}}
    ours = {"fitted": {"labels_": labels, "cluster_centers_": centres}, "results": {}}
    found = _judge.agreement(ours, theirs, "clusterer")
    assert found["labels_"]["value"] == 1
    assert found["cluster_centers_"]["value"] == 0
    assert _judge.agreement(ours, theirs, None)["cluster_centers_"]["value"] == 8 / 9


def test_agreement_of_labels_and_shapes():
    a = {"fitted": {}, "results": {"predict": np.array(["a", "b", "b", "a"]), "transform": np.ones((4, 2))}}
    b = {"fitted": {}, "results": {"predict": np.array(["a", "b", "a", "a"]), "transform": np.ones((4, 3))}}
    assert _judge.agreement(a, b, "classifier") == {
        "predict": {"what": "share equal", "value": 0.75},
        "transform": {"what": "shapes", "value": "(4, 2) and (4, 3)"},
    }


def test_quality_by_kind():
    def answer(predicted, **fitted):
        return {"fitted": fitted, "results": {"predict": np.array(predicted)}, "score": 7.0}

    y = np.array([1, 2, 3, 4])
    assert _judge.quality(answer([1, 2, 3, 3]), "classifier", y, y) == {"accuracy": 0.75}
    # residuals 0, 0, 0, 1; the squares about the mean of y add up to 5
    assert _judge.quality(answer([1, 2, 3, 3]), "regressor", y, y) == {"R2": pytest.approx(0.8)}
    labels = np.array([0, 0, 1, 1])
    found = _judge.quality(answer(labels, labels_=labels, inertia_=2.5, n_iter_=3), "clusterer", y, labels)
    assert found == {"inertia_": 2.5, "n_iter_": 3, "adjusted Rand with the target": 1.0}
    assert _judge.quality(answer(labels, n_iter_=3), None, None, None) == {"n_iter_": 3, "score": 7.0}


def test_agreement_of_a_classifier():
    a = {"fitted": {"epsilon_": 1e-9, "n_": 3}, "results": {"predict": np.array([1.0, 2.0])}}
    b = {"fitted": {"epsilon_": 2e-9, "n_": 3}, "results": {"predict": np.array([1.0, 9.0])}}
    assert _judge.agreement(a, b, "classifier") == {
        "epsilon_": {"what": "relative difference", "value": 0.5},
        "predict": {"what": "share equal", "value": 0.5},
    }
    assert "epsilon_" not in _judge.agreement(a, b, None)


def test_peak_memory_sees_what_was_freed():
    code = (
        "import numpy as np; from clinfa._compare import _contender as c; before = c._memory_now(); "
        "np.ones(64 << 17); print(c._memory_peak() - before); "  # 64 MiB, gone at once
        "small = [np.ones(1 << 10) for i in range(4096)]; del small; before = c._memory_now(); "  # 32 MiB
        "small = [np.ones(1 << 10) for i in range(4096)]; print(c._memory_peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    freed, again = map(int, done.stdout.split())
    assert 60 << 20 < freed < 80 << 20
    assert 28 << 20 < again < 48 << 20


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.21e-5, "32.1 µs"), (0.00999, "9.99 ms"), (0.4567, "457 ms"), (12.34, "12.3 s"), (1234.5, "1234 s")],
)
def test_seconds(value, text):
    assert _report.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "not told"), (99_999, "< 0.1 MB"), (1_234_567_890, "1,234.6 MB")]
)
def test_memory(value, text):
    assert _report.memory(value) == text
