"""`patch_sklearn`: which names change, where, for how long, and how all is given back."""

import inspect
import io
import pickle
import sys
import threading
import types

import numpy as np
import pytest
import sklearn.cluster
import sklearn.cluster._kmeans as private
import sklearn.cluster._spectral as user
import sklearn.datasets
import sklearn.ensemble
import sklearn.metrics._scorer
import sklearn.neighbors
import sklearn.tree
from sklearn.cluster import KMeans as THEIRS
from sklearn.datasets import load_iris
from sklearn.ensemble import GradientBoostingClassifier, RandomTreesEmbedding
from sklearn.mixture import GaussianMixture

import clinfa
from clinfa import patch
from clinfa.cluster import KMeans as OURS

X = load_iris().data


def everything():
    """What every name in scikit-learn's loaded modules, and every scorer, means now."""
    modules = {n: m for n, m in sys.modules.items() if n.split(".")[0] == "sklearn"}
    named = {
        (name, key): id(value)
        for name, module in modules.items()
        for key, value in vars(module).items()
        if inspect.isclass(value) or inspect.isroutine(value)
    }
    scorers = sklearn.metrics._scorer._SCORERS.items()
    return named | {("scorer", name): id(scorer._score_func) for name, scorer in scorers}


@pytest.fixture(autouse=True)
def given_back():
    """Whatever a test does, afterwards everything is as it was."""
    dict(patch._pairs())  # loads the modules
    before = everything()
    yield
    clinfa.unpatch_sklearn()
    after = everything()
    assert {key for key in before if after[key] != before[key]} == set()


def test_names_in_public_private_and_loaded_modules():
    clinfa.patch_sklearn()
    assert sklearn.cluster.KMeans is private.KMeans is OURS
    assert user.k_means is clinfa.cluster.k_means  # a module that had imported it already
    clinfa.unpatch_sklearn()
    assert sklearn.cluster.KMeans is private.KMeans is THEIRS
    assert user.k_means.__module__ == "sklearn.cluster._kmeans"


def test_every_name_that_both_have():
    clinfa.patch_sklearn()
    for name in clinfa.cluster.__all__:
        assert getattr(sklearn.cluster, name) is getattr(clinfa.cluster, name)


def test_data_and_settings_stay_scikit_learns():
    names = clinfa.patch_sklearn().names
    assert not [name for name in names if name.startswith("datasets")]
    assert sklearn.datasets.load_iris.__module__ == "sklearn.datasets._base"
    assert sklearn.set_config.__module__ == "sklearn._config"


def test_once_or_twice_is_the_same():
    clinfa.patch_sklearn()
    clinfa.patch_sklearn()
    clinfa.unpatch_sklearn()
    assert sklearn.cluster.KMeans is THEIRS
    clinfa.unpatch_sklearn()
    assert sklearn.cluster.KMeans is THEIRS


def test_block():
    with clinfa.patch_sklearn() as given:
        assert sklearn.cluster.KMeans is OURS
        assert "cluster.KMeans" in repr(given)
    assert sklearn.cluster.KMeans is THEIRS


def test_block_that_raises():
    with pytest.raises(KeyError), clinfa.patch_sklearn():
        raise KeyError
    assert sklearn.cluster.KMeans is THEIRS


def test_blocks_within_blocks():
    with clinfa.patch_sklearn():
        with clinfa.patch_sklearn(only=["MiniBatchKMeans"]):
            assert sklearn.cluster.KMeans is OURS
        assert sklearn.cluster.MiniBatchKMeans is clinfa.cluster.MiniBatchKMeans
        assert sklearn.cluster.KMeans is OURS
    assert sklearn.cluster.MiniBatchKMeans is private.MiniBatchKMeans is not clinfa.cluster.MiniBatchKMeans


def test_block_within_a_lasting_patch():
    clinfa.patch_sklearn(only=["KMeans"])
    with clinfa.patch_sklearn():
        assert sklearn.cluster.k_means is clinfa.cluster.k_means
    assert sklearn.cluster.k_means is not clinfa.cluster.k_means
    assert sklearn.cluster.KMeans is OURS


def test_unpatch_within_a_block():
    with clinfa.patch_sklearn():
        clinfa.unpatch_sklearn()
        assert sklearn.cluster.KMeans is THEIRS
    assert sklearn.cluster.KMeans is THEIRS


@pytest.mark.parametrize(
    ("only", "changed"),
    [
        (["KMeans"], {"cluster.KMeans"}),
        (["cluster.k_means", "sklearn.cluster.KMeans"], {"cluster.k_means", "cluster.KMeans"}),
        (["cluster", "KMeans"], {f"cluster.{name}" for name in clinfa.cluster.__all__}),
        ([], set()),
    ],
)
def test_only(only, changed):
    assert set(clinfa.patch_sklearn(only=only).names) == changed
    for name in clinfa.cluster.__all__:
        is_ours = getattr(sklearn.cluster, name) is getattr(clinfa.cluster, name)
        assert is_ours == (f"cluster.{name}" in changed)


@pytest.mark.parametrize(
    ("only", "words"),
    [
        (["KMeens"], r"only names 'KMeens', which .* do not both have. Did you mean 'KMeans'\?"),
        (["cluster.SpectralBiclustering", "KMeans"], "'cluster.SpectralBiclustering'"),
        (["datasets"], "'datasets'"),
        ("KMeans", r"only must be a sequence of names, got the string 'KMeans': write \['KMeans'\]"),
    ],
)
def test_only_that_is_wrong(only, words):
    with pytest.raises(ValueError, match=words):
        clinfa.patch_sklearn(only=only)
    assert sklearn.cluster.KMeans is THEIRS


def test_module_loaded_while_patched_gets_its_names_back(monkeypatch):
    late = types.ModuleType("sklearn.late")
    with clinfa.patch_sklearn():
        late.Renamed = sklearn.cluster.KMeans  # as an import in it would
        monkeypatch.setitem(sys.modules, "sklearn.late", late)
        assert late.Renamed is OURS
    assert late.Renamed is THEIRS


def test_scorers():
    def measure():
        return sklearn.metrics.get_scorer("accuracy")._score_func

    with clinfa.patch_sklearn():
        assert measure() is sklearn.metrics.accuracy_score is clinfa.metrics.accuracy_score
    assert measure() is sklearn.metrics.accuracy_score is not clinfa.metrics.accuracy_score


def test_scikit_learns_tools_use_it():
    with clinfa.patch_sklearn():
        labels = sklearn.cluster.SpectralClustering(3, random_state=0).fit(X).labels_
        mixture = GaussianMixture(3, random_state=0).fit(X)
    assert len(set(labels)) == 3
    assert mixture.converged_
    assert labels.dtype == np.int32  # our k_means was asked


def test_instances():
    before = THEIRS(2)
    with clinfa.patch_sklearn():
        assert isinstance(sklearn.cluster.KMeans(2), sklearn.cluster.KMeans)
        assert isinstance(OURS(2), sklearn.cluster.KMeans)
        assert not isinstance(before, sklearn.cluster.KMeans)
        mine = type("Mine", (sklearn.cluster.KMeans,), {})
        model = mine(n_clusters=2).fit(X)
    assert isinstance(model, OURS)


def test_model_travels_without_the_patch():
    with clinfa.patch_sklearn():
        saved = pickle.dumps(sklearn.cluster.KMeans(3, random_state=0).fit(X))
    assert type(pickle.loads(saved)) is OURS


def test_model_saved_by_scikit_learn_is_refused():
    saved = pickle.dumps(THEIRS(3, n_init=1, random_state=0).fit(X))
    with clinfa.patch_sklearn(), pytest.raises(pickle.UnpicklingError, match="scikit-learn's KMeans"):
        pickle.loads(saved)
    assert type(pickle.loads(saved)) is THEIRS


def test_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match="patch_sklearn needs scikit-learn, which is not installed: pip"):
        clinfa.patch_sklearn()


def test_many_threads():
    seen = []

    def work():
        for _ in range(5):
            with clinfa.patch_sklearn():
                seen.append(sklearn.cluster.KMeans is OURS)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 40
    assert sklearn.cluster.KMeans is THEIRS


# --- python -m clinfa.patch -----------------------------------------------------------------------


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    """A script and a module that say who they are and what KMeans means; `main` run beside them."""
    code = (
        "import sys\n"
        "from sklearn.cluster import KMeans\n"
        "from neighbour import word\n"
        "print(__name__, word, sys.argv[1:], KMeans.__module__)\n"
    )
    (tmp_path / "script.py").write_text(code)
    (tmp_path / "failing.py").write_text("raise SystemExit(5)")
    (tmp_path / "neighbour.py").write_text("word = 'hello'")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "argv", ["clinfa.patch"])
    yield tmp_path
    sys.modules.pop("neighbour", None)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["script.py"], "__main__ hello [] clinfa.cluster.kmeans\n"),
        (["script.py", "--only", "-m", "x"], "__main__ hello ['--only', '-m', 'x'] clinfa.cluster.kmeans\n"),
        (["-m", "script", "--x=1"], "__main__ hello ['--x=1'] clinfa.cluster.kmeans\n"),
        (["--only", "k_means,MiniBatchKMeans", "script.py"], "__main__ hello [] sklearn.cluster._kmeans\n"),
        (["--only=KMeans", "-m", "script"], "__main__ hello [] clinfa.cluster.kmeans\n"),
    ],
)
def test_run(arguments, told, in_folder, capsys):
    assert patch.main(arguments) == 0
    assert capsys.readouterr().out == told


def test_run_keeps_the_exit_status(in_folder):
    with pytest.raises(SystemExit) as end:
        patch.main(["failing.py"])
    assert end.value.code == 5


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ([], 2, "usage: python -m clinfa.patch"),
        (["-m"], 2, "usage: python -m clinfa.patch"),
        (["--only"], 2, "usage: python -m clinfa.patch"),
        (["-x", "script.py"], 2, "usage: python -m clinfa.patch"),
        (["none.py"], 1, "clinfa.patch: there is no file none.py\n"),
        (["-m", "no.such"], 1, "clinfa.patch: there is no module no.such\n"),
        (["--only", "KMeens", "script.py"], 1, "Did you mean 'KMeans'?"),
    ],
)
def test_run_that_cannot(arguments, status, words, in_folder, capsys):
    assert patch.main(arguments) == status
    assert words in capsys.readouterr().err


def test_run_help(monkeypatch):
    told = io.StringIO()
    monkeypatch.setattr(sys, "stdout", told)
    assert patch.main(["--help"]) == 0
    assert "script.py [arguments]" in told.getvalue()


def test_tables_of_choices_are_patched_too():
    """scikit-learn's KernelDensity finds its tree in a dict."""
    X = np.random.default_rng(0).standard_normal((50, 2))
    plain = sklearn.neighbors.KernelDensity().fit(X)
    with clinfa.patch_sklearn():
        patched = sklearn.neighbors.KernelDensity().fit(X)
    assert type(patched.tree_) is clinfa.neighbors.KDTree
    np.testing.assert_allclose(patched.score_samples(X), plain.score_samples(X), 1e-6)
    assert type(sklearn.neighbors.KernelDensity().fit(X).tree_) is type(plain.tree_)


def test_who_needs_private_parts_of_trees_keeps_scikit_learns():
    X, y = load_iris(return_X_y=True)
    booster = GradientBoostingClassifier(n_estimators=3, random_state=0)
    embedding = RandomTreesEmbedding(3, random_state=0)
    told, leaves = booster.fit(X, y).predict_proba(X), embedding.fit_transform(X)
    before = sklearn.ensemble.RandomForestClassifier(3, random_state=0)
    with clinfa.patch_sklearn():
        assert sklearn.tree.DecisionTreeRegressor is clinfa.tree.DecisionTreeRegressor
        assert sklearn.ensemble.RandomForestClassifier is clinfa.ensemble.RandomForestClassifier
        booster = pickle.loads(pickle.dumps(booster.fit(X, y)))
        np.testing.assert_array_equal(booster.predict_proba(X), told)
        assert (embedding.fit_transform(X) != leaves).nnz == 0
        assert before.fit(X, y).score(X, y) > 0.9
