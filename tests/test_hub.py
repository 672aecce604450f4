"""Models on the hub, against a hub on this machine: publish, load, pin, offline, and all that can be wrong."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import stylegenes
from stylegenes import UserError, hub
from stylegenes.cli import main
from stylegenes.files import read_json
from stylegenes.generator import Generator
from stylegenes.metrics import load_classifier
from stylegenes.model import Model
from stylegenes.sheets import read_sheet
from stylegenes.snapshot import MODELS, Card, DataCard, load_snapshot, save_snapshot
from stylegenes.survey import fingerprint
from tests.hub_stand_in import TOKEN, standing_in

huggingface_hub = pytest.importorskip("huggingface_hub")
constants = pytest.importorskip("huggingface_hub.constants")


def spec(labels=0, genes=4):
    latent = {"name": "genome", "w_dim": 16, "num_genes": genes, "num_variants": 4}
    if labels:
        latent = {"name": "mapping", "z_dim": 8, "w_dim": 16, "depth": 1, "label_dim": labels}
    return {
        "latent": latent,
        "synthesis": {"name": "stylegan2", "resolution": 8, "w_dim": 16, "channel_base": 64, "channel_max": 8},
    }


def write_model(folder, labels=0, **card):
    names = [f"kind-{number}" for number in range(labels)]
    data = DataCard("photos", count=10, resolution=8, label_names=names)
    return save_snapshot(folder, Generator.from_spec(spec(labels)), Card("toy", data=data, **card))


@pytest.fixture
def there(tmp_path, monkeypatch):
    """The stand-in, and a process that knows nothing of any other hub."""
    monkeypatch.chdir(tmp_path)
    hub.fetch.cache_clear()
    with standing_in() as one:
        for name, value in {
            "ENDPOINT": one.endpoint,
            "HUGGINGFACE_CO_URL_TEMPLATE": one.endpoint + "/{repo_id}/resolve/{revision}/{filename}",
            "HF_HUB_CACHE": str(tmp_path / "cache"),
            "HF_HUB_DISABLE_XET": True,
            "HF_HUB_OFFLINE": False,
            "HF_TOKEN_PATH": str(tmp_path / "token"),
        }.items():
            monkeypatch.setattr(constants, name, value)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        yield one
    hub.fetch.cache_clear()


def publish(there, repo="me/faces", **card):
    """A model on the hub; returns its generator's fingerprint and the commit."""
    place = write_model(Path(f"made-{repo.replace('/', '-')}-{len(there.commits)}"), **card)
    assert main.run(["push", str(place), repo]) == 0
    return fingerprint(stylegenes.load(place)), there.branches[repo]["main"]


def test_what_is_published_loads_as_the_same_weights_by_every_door(there, capsys):
    weights, commit = publish(there)
    assert f"hf://me/faces@{commit}" in capsys.readouterr().out
    for name in ("hf://me/faces", f"hf://me/faces@{commit}", "hf://me/faces@main", Path("hf://me/faces")):
        assert fingerprint(stylegenes.load(name)) == weights
    model = stylegenes.open("hf://me/faces", device="cpu")
    assert model.weights == weights
    assert model.reference == f"hf://me/faces@{commit}", "what is written down is pinned"
    model.sample(2).save("two.png")
    assert main.run(["sample", "hf://me/faces", "--seeds", "0-1", "--out", "again.png"]) == 0
    assert read_sheet("two.png").codes == read_sheet("again.png").codes


def test_a_revision_stays_what_it_is_and_the_branch_goes_on(there):
    first, commit = publish(there)
    second, _ = publish(there)
    assert first != second
    assert fingerprint(stylegenes.load("hf://me/faces")) == second
    assert fingerprint(stylegenes.load(f"hf://me/faces@{commit}")) == first
    write_model(Path("third"))
    assert main.run(["push", "third", "me/faces@trial"]) == 0
    assert fingerprint(stylegenes.load("hf://me/faces@trial")) == fingerprint(stylegenes.load("third"))
    hub.fetch.cache_clear()
    assert fingerprint(stylegenes.load("hf://me/faces")) == second


def test_offline_the_cache_is_enough(there, monkeypatch):
    weights, commit = publish(there)
    stylegenes.load("hf://me/faces")
    hub.fetch.cache_clear()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    there.asked.clear()
    assert fingerprint(stylegenes.load("hf://me/faces")) == weights
    assert fingerprint(stylegenes.load(f"hf://me/faces@{commit}")) == weights
    assert there.asked == []
    with pytest.raises(UserError, match="cannot be reached, and its cache does not have all of hf://me/others"):
        stylegenes.load("hf://me/others")


def test_a_hub_that_does_not_answer_is_as_good_as_none(there, monkeypatch):
    weights, _ = publish(there)
    stylegenes.load("hf://me/faces")
    hub.fetch.cache_clear()
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert fingerprint(stylegenes.load("hf://me/faces")) == weights
    with pytest.raises(UserError, match="cannot be reached"):
        stylegenes.load("hf://me/never")


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "card.json"])
def test_a_damaged_file_of_the_cache_is_told_and_the_advice_helps(there, name):
    weights, _ = publish(there)
    folder = hub.fetch(hub.parse_address("hf://me/faces"), lambda place: None)
    blob = (folder / name).resolve()
    content = bytearray(blob.read_bytes())
    content[len(content) // 2] ^= 1
    blob.write_bytes(bytes(content))
    hub.fetch.cache_clear()
    with pytest.raises(UserError, match=f"{name} of hf://me/faces@.* is damaged") as error:
        stylegenes.load("hf://me/faces")
    for place in re.findall(r"(/\S+?)(?:,| and )", str(error.value)):
        Path(place).unlink()
    assert fingerprint(stylegenes.load("hf://me/faces")) == weights


def test_a_pickle_is_never_downloaded_nor_the_weights_of_another_library(there):
    there.make("you/diffuser")
    files = {"pytorch_model.bin": b"\x80\x04pickle", "model.safetensors": b"0" * 99, "config.json": b"{}"}
    there.commit("you/diffuser", files)
    with pytest.raises(UserError, match=r"holds no model of stylegenes: it has no card\.json but .*pytorch_model\.bin"):
        stylegenes.load("hf://you/diffuser")
    there.commit("you/diffuser", {"card.json": b"{}"})
    with pytest.raises(UserError, match="does not say 'stylegenes-snapshot'"):
        stylegenes.load("hf://you/diffuser")
    fetched = [line for line in there.asked if "resolve" in line and not line.endswith(("config.json", "card.json"))]
    assert fetched == []
    publish(there, "me/faces")
    there.commit("me/faces", {"model.pkl": b"\x80\x04pickle", "run.py": b"raise SystemExit"})
    folder = Path(stylegenes.open("hf://me/faces", device="cpu").path)
    assert {file.name for file in folder.rglob("*")} <= {Path(name).name for name in hub.MODEL.all} | {"genes"}


def test_wrong_addresses_repositories_and_revisions_are_told(there):
    publish(there)
    with pytest.raises(UserError, match="there is no repository me/facse on the hub; check the name, or log in"):
        stylegenes.load("hf://me/facse")
    with pytest.raises(UserError, match="me/faces has no revision 'v9'"):
        stylegenes.load("hf://me/faces@v9")
    for wrong in ("hf://faces", "hf://me/faces/extra", "hf://me/fa ces", "hf://me/faces@", "hf:///"):
        with pytest.raises(UserError, match="names no repository of the hub; write hf://OWNER/NAME"):
            stylegenes.load(wrong)


def test_a_private_one_is_for_who_has_the_token(there, monkeypatch):
    place = write_model(Path("mine"))
    assert main.run(["push", str(place), "me/secret", "--private"]) == 0
    assert "me/secret" in there.private
    stylegenes.load("hf://me/secret")
    hub.fetch.cache_clear()
    shutil.rmtree("cache")
    monkeypatch.setenv("HF_TOKEN", "hf_of_a_stranger")
    with pytest.raises(UserError, match="there is no repository me/secret on the hub"):
        stylegenes.load("hf://me/secret")


def test_publishing_needs_a_token_that_may_write(there, monkeypatch, capsys):
    place = write_model(Path("mine"))
    monkeypatch.setenv("HF_TOKEN", "hf_of_a_reader")
    assert main.run(["push", str(place), "me/faces"]) == 1
    assert "the token may not do this" in capsys.readouterr().err
    monkeypatch.delenv("HF_TOKEN")
    assert main.run(["push", str(place), "me/faces"]) == 1
    assert "publishing needs a token of the hub that may write" in capsys.readouterr().err
    assert there.branches == {}


def test_without_the_package_only_the_hub_itself_is_missing(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    hub.fetch.cache_clear()
    with pytest.raises(UserError, match=r"pip install 'stylegenes\[hub\]'"):
        stylegenes.load("hf://me/faces")
    place = write_model(tmp_path / "mine")
    assert main.run(["push", str(place), "me/faces", "--to", str(tmp_path / "tree")]) == 0
    assert stylegenes.load(tmp_path / "tree").spec == spec()


def test_a_folder_is_the_very_tree_that_would_be_published(there):
    place = write_model(Path("mine"), metrics={"fd_lite0": 12.5}, license="CC-BY-4.0, by me")
    assert main.run(["push", str(place), "me/faces", "--to", "tree"]) == 0
    assert there.asked == []
    assert main.run(["push", str(place), "me/faces"]) == 0
    on_disk = {p.relative_to("tree").as_posix(): p.read_bytes() for p in Path("tree").rglob("*") if p.is_file()}
    published = there.files("me/faces")
    published.pop(".gitattributes")
    assert on_disk == published


def test_the_card_has_the_metadata_that_the_hub_reads(tmp_path):
    """By the hub's own reader of cards, which refuses what is malformed."""
    nasty = 'quotes " and \\ : --- #\nlines \u2028 and \U0001f600'
    card = {"metrics": {"fd_lite0": 12.5, "precision_lite0": 0.25}, "license": "Apache-2.0 (weights)", "notes": nasty}
    folder = save_snapshot(
        tmp_path / "m", Generator.from_spec(spec()), Card(nasty, data=DataCard(nasty, count=3), **card)
    )
    assert main.run(["push", str(folder), "me/faces", "--to", str(tmp_path / "tree")]) == 0
    found = huggingface_hub.ModelCard.load(tmp_path / "tree" / "README.md").data
    assert found.license == "apache-2.0"
    assert found.to_dict()["library_name"] == "stylegenes"
    assert found.pipeline_tag == "unconditional-image-generation"
    assert {"stylegenes", "genome", "stylegan2"} <= set(found.tags)
    assert {(one.metric_type, one.metric_value) for one in found.eval_results} == {
        ("fd_lite0", 12.5),
        ("precision_lite0", 0.25),
    }
    text = (tmp_path / "tree" / "README.md").read_text()
    assert 'stylegenes.open("hf://me/faces")' in text
    assert "![Pictures of seeds 0 and on](samples.png)" in text


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ("MIT", {"license": "mit"}),
        ("Apache-2.0 (weights); drawn by others", {"license": "apache-2.0"}),
        ("unspecified", {"license": "unknown"}),
        ("", {"license": "unknown"}),
        ("Nvidia Source Code License", {"license": "other", "license_name": "nvidia-source-code-license"}),
        ("nur für mich!", {"license": "other", "license_name": "nur-f-r-mich"}),
    ],
)
def test_licenses_by_the_hubs_words(given, word):
    from stylegenes.publishing import _license

    assert _license(given) == word


def test_what_was_surveyed_goes_along_and_a_strangers_note_leads_to_no_file(there):
    assert main.run(["push", "avatars32", "me/avatars"]) == 0
    model = stylegenes.open("hf://me/avatars", device="cpu")
    assert model.statistics.num_draws == stylegenes.open("avatars32", device="cpu").statistics.num_draws
    assert model.remembered == "avatars32-judge"
    assert not model.study.folder.is_relative_to(model.path), "the cache is not ours to write into"
    there.commit("me/avatars", {"genes/classifier.json": b'{"path": "/home/me/secret.pt"}'})
    hub.fetch.cache_clear()
    assert stylegenes.open("hf://me/avatars", device="cpu").remembered is None


def test_a_conditional_model_shows_its_classes_and_half_precision_is_what_is_drawn(tmp_path):
    place = write_model(tmp_path / "kinds", labels=3)
    line = ["push", str(place), "me/kinds", "--to", str(tmp_path / "tree"), "--half", "--seeds", "0-4"]
    assert main.run(line) == 0
    carried = read_sheet(tmp_path / "tree" / "samples.png")
    assert list(carried.origin.labels) == ["kind-0", "kind-1", "kind-2", "kind-0", "kind-1"]
    assert carried.origin.weights == fingerprint(stylegenes.load(tmp_path / "tree"))
    assert carried.origin.weights != fingerprint(stylegenes.load(place))


def test_nothing_of_others_is_replaced(tmp_path, capsys):
    place = write_model(tmp_path / "mine")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "thesis.txt").write_text("years")
    assert main.run(["push", str(place), "me/faces", "--to", str(tmp_path / "tree")]) == 1
    assert "holds 'thesis.txt'" in capsys.readouterr().err
    assert main.run(["push", str(place), "faces", "--to", str(tmp_path / "new")]) == 1
    assert "names no repository of the hub" in capsys.readouterr().err


def test_a_classifier_is_published_and_taken_wherever_one_is(there, capsys):
    config = json.loads((MODELS / "avatars32-judge" / "config.json").read_text())
    shutil.copytree(MODELS / "avatars32-judge", "judge")
    Path("judge/config.json").write_text(json.dumps(config | {"data": {"source": "/home/someone/secret/faces"}}))
    assert main.run(["push", "judge", "me/judge", "--license", "mit"]) == 0
    commit = there.branches["me/judge"]["main"]
    assert f"hf://me/judge@{commit}; for everybody" in (said := capsys.readouterr().out)
    assert "survey MODEL --classifier hf://me/judge" in said
    files = there.files("me/judge")
    assert {name for name in files if name[0] != "."} == {*hub.CLASSIFIER.all, "README.md"}
    assert not any(b"secret" in data for data in files.values()) and b'"source": "faces"' in files["config.json"]
    assert b'license: "mit"' in files["README.md"] and b"| Smiling | 0.9997 |" in files["README.md"]
    own, shipped = load_classifier("hf://me/judge"), load_classifier("avatars32-judge")
    pictures = torch.rand(2, 3, 32, 32)
    assert torch.equal(own(pictures), shipped(pictures)) and own.name == f"hf://me/judge@{commit}"
    assert main.run(["push", "judge", "me/judge", "--to", "tree"]) == 0
    assert Path("tree/classifier.safetensors").read_bytes() == files["classifier.safetensors"]
    assert load_classifier("tree").attributes == own.attributes
    model = Model(place := write_model("tiny"), load_snapshot(place), classifier="hf://me/judge")
    model.remember_classifier()
    assert read_json(place / "genes" / "classifier.json") == {"path": f"hf://me/judge@{commit}"}


def test_models_and_classifiers_are_not_taken_for_one_another(there, capsys):
    publish(there)
    assert main.run(["push", "avatars32-judge", "me/judge"]) == 0
    with pytest.raises(UserError, match=r"hf://me/faces@\w+ is not a classifier"):
        load_classifier("hf://me/faces")
    with pytest.raises(UserError, match="hf://me/judge holds no model of stylegenes: it holds a classifier"):
        stylegenes.load("hf://me/judge")
    for line, told in [
        (["push", "avatars32-judge", "me/faces"], "holds a model, which would no longer load"),
        (["push", "avatars32", "me/judge"], "holds a classifier, which would no longer load"),
        (["push", "avatars32-judge", "me/other", "--half", "--seeds", "3"], "draws nothing; leave out --seeds, --half"),
        (["sample", "avatars32-judge"], "it is a classifier that comes with the package"),
        (["sample", "tree"], "it is an attribute classifier, which --classifier takes"),
    ]:
        assert main.run(["push", "avatars32-judge", "me/judge", "--to", "tree"]) == 0
        assert main.run(line) == 1
        assert told in capsys.readouterr().err


def test_folders_of_this_machine_are_not_published(tmp_path):
    """Only their last names are; words and addresses stay."""
    for source, parent, told in [
        ("/home/someone/secret/faces", "/mnt/secret/runs/0001", ("faces", "0001")),
        ("C:\\secret\\faces.zip", "~/secret/0001", ("faces.zip", "0001")),
        ("avatars:n=100", "hf://me/faces", ("avatars:n=100", "hf://me/faces")),
        ("https://example.org/faces", "runs/0001", ("https://example.org/faces", "runs/0001")),
    ]:
        place = save_snapshot(
            tmp_path / "made", Generator.from_spec(spec()), Card("toy", data=DataCard(source), parent=parent)
        )
        assert main.run(["push", str(place), "me/faces", "--to", str(tmp_path / "tree")]) == 0
        card = stylegenes.open(tmp_path / "tree").card
        assert (card.data.source, card.parent) == told
        assert not any(b"secret" in file.read_bytes() for file in (tmp_path / "tree").rglob("*") if file.is_file())


def test_files_that_a_new_version_lacks_are_taken_away_and_those_of_others_stay(there):
    assert main.run(["push", "avatars32", "me/faces"]) == 0
    there.commit("me/faces", {"NOTES.txt": b"mine"})
    publish(there)
    found = set(there.files("me/faces"))
    assert "NOTES.txt" in found
    assert "discriminator.safetensors" not in found
    assert "genes/summary.safetensors" not in found


def test_the_whole_way_by_the_environment_alone(tmp_path):
    """As a user has it: HF_ENDPOINT and HF_HOME set before the command starts."""
    place = write_model(tmp_path / "mine")
    with standing_in() as one:
        names = {"HF_ENDPOINT": one.endpoint, "HF_HOME": str(tmp_path / "home"), "HF_TOKEN": TOKEN}
        environment = {**os.environ, **names, "HF_HUB_DISABLE_XET": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
        environment.pop("HF_HUB_OFFLINE", None)
        code = (
            "import sys; from stylegenes.cli.main import run\n"
            f"assert run(['push', {str(place)!r}, 'me/faces']) == 0\n"
            "sys.exit(run(['sample', 'hf://me/faces', '--seeds', '0-3', '--out', 'faces.png']))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
    assert len(read_sheet(tmp_path / "faces.png").codes) == 4


def test_a_model_of_the_hub_is_what_any_command_calls_it():
    from stylegenes.words import command

    assert command("survey", Path("hf://me/faces@main")) == "stylegenes survey hf://me/faces@main"
    assert hub.address_of(Path("/c/models--me--my-faces/snapshots/abc")) == hub.Address("me/my-faces", "abc")
    assert hub.address_of(Path("runs/0001/snapshots/last")) is None
    assert Model is stylegenes.Model
