"""Snapshots: what is saved loads to the same pictures; what is damaged or foreign is refused by name."""

import hashlib
import json
import os
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

import stylegenes
from stylegenes import UserError, snapshot
from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.files import read_json, write_json
from stylegenes.generator import Generator
from stylegenes.records import Noise
from stylegenes.snapshot import Card, DataCard, find_snapshot, load_snapshot, read_card, save_snapshot

SIZES = {"resolution": 16, "image_channels": 3, "channel_base": 128, "channel_max": 16}
SPEC = {
    "latent": {"name": "genome", "w_dim": 32, "num_genes": 8, "num_variants": 6},
    "synthesis": {"name": "stylegan2", "w_dim": 32, **SIZES},
}
CARD = Card(
    name="tiny", recipe="tiny", images_seen=1234, data=DataCard("avatars", "abc", 100, 16, ["Smiling"]), notes="a test"
)


@pytest.fixture
def generator():
    return Generator.from_spec(SPEC).eval()


@pytest.fixture
def folder(tmp_path, generator):
    return save_snapshot(tmp_path / "snap", generator, CARD)


def _draw(generator, code):
    return generator(code, noise=Noise("const")).image


def test_a_snapshot_draws_the_same_pictures(folder, generator, rng):
    code = generator.sample(3, rng)
    loaded = stylegenes.load(folder)
    assert torch.equal(_draw(loaded, code), _draw(generator, code))
    assert loaded.spec == generator.spec
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


@pytest.mark.parametrize("moment", ["_build", "_read_weights"])
def test_a_snapshot_that_is_replaced_while_it_is_read_is_read_again(folder, generator, rng, monkeypatch, moment):
    """A training that goes on does so whenever it likes."""
    other, code, plain = Generator.from_spec(SPEC).eval(), generator.sample(3, rng), getattr(snapshot, moment)

    def replaced_before(*args):
        monkeypatch.setattr(snapshot, moment, plain)
        save_snapshot(folder, other, CARD)
        return plain(*args)

    monkeypatch.setattr(snapshot, moment, replaced_before)
    assert torch.equal(_draw(load_snapshot(folder).generator, code), _draw(other, code))


def test_the_card_reads_back(folder):
    assert read_card(folder) == CARD == load_snapshot(folder).card
    text = (folder / "card.md").read_text()
    assert "1,234" in text
    assert "avatars (100 images" in text


def test_the_discriminator_comes_along_when_given(tmp_path, generator):
    discriminator = DISCRIMINATORS.build({"name": "stylegan2", **SIZES}).eval()
    path = save_snapshot(tmp_path / "both", generator, CARD, discriminator=discriminator)
    loaded = load_snapshot(path).discriminator
    assert loaded is not None
    state = loaded.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in discriminator.state_dict().items())


def test_half_storage_loads_as_float32_and_stays_close(tmp_path, folder, generator, rng):
    half = save_snapshot(tmp_path / "half", generator, CARD, half=True)
    size = (half / "model.safetensors").stat().st_size / (folder / "model.safetensors").stat().st_size
    assert 0.45 < size < 0.65
    loaded, code = stylegenes.load(half), generator.sample(2, rng)
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    difference = (_draw(loaded, code) - _draw(generator, code)).abs().max()
    assert 0 < difference < 0.05


def test_half_storage_refuses_what_float16_cannot_hold(tmp_path, generator):
    next(generator.synthesis.parameters()).data.fill_(1e6)
    with pytest.raises(UserError, match="beyond float16"):
        save_snapshot(tmp_path / "half", generator, CARD, half=True)
    assert list(tmp_path.iterdir()) == []


def test_saving_again_replaces_the_whole_folder(folder, generator):
    (folder / "stray.txt").write_text("")
    save_snapshot(folder, generator, replace(CARD, images_seen=2))
    assert not (folder / "stray.txt").exists()
    assert read_card(folder).images_seen == 2


def _rewrite_weights(folder, change):
    file = folder / "model.safetensors"
    state = change(load_file(file))
    save_file(state, file)
    config = read_json(folder / "config.json")
    config["sha256"][file.name] = hashlib.sha256(file.read_bytes()).hexdigest()
    write_json(folder / "config.json", config)


def test_missing_extra_and_misshapen_keys_are_named(folder):
    def change(state):
        del state["latent.variants"]
        state["nonsense"] = torch.zeros(2)
        first = next(key for key, value in state.items() if value.ndim == 4)
        state[first] = state[first][:-1].contiguous()
        change.misshapen = first
        return state

    _rewrite_weights(folder, change)
    with pytest.raises(UserError) as caught:
        stylegenes.load(folder)
    message = str(caught.value)
    assert "missing: latent.variants" in message
    assert "extra: nonsense" in message
    assert f"{change.misshapen} has shape" in message


def _flip_a_bit(folder):
    file = folder / "model.safetensors"
    data = bytearray(file.read_bytes())
    data[-5] ^= 1
    file.write_bytes(data)


def _truncate(folder):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])


def _truncate_with_matching_hash(folder):
    config = read_json(folder / "config.json")
    _truncate(folder)
    config["sha256"]["model.safetensors"] = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    write_json(folder / "config.json", config)


def _edit(file, **values):
    def damage(folder):
        (folder / file).write_text(json.dumps({**json.loads((folder / file).read_text()), **values}))

    return damage


@pytest.mark.parametrize(
    "damage, message",
    [
        (_flip_a_bit, r"model\.safetensors is damaged"),
        (_truncate, r"model\.safetensors is damaged"),
        (_truncate_with_matching_hash, r"model\.safetensors is damaged"),
        (lambda folder: (folder / "model.safetensors").unlink(), r"model\.safetensors is missing"),
        (lambda folder: (folder / "card.json").unlink(), "is not a snapshot"),
        (lambda folder: (folder / "config.json").write_text("{"), r"config\.json is damaged"),
        (lambda folder: (folder / "card.json").write_text("[]"), r"card\.json is damaged"),
        (_edit("card.json", surprise=1), r"card\.json is damaged.*surprise"),
        (_edit("config.json", format="another"), "not a snapshot of stylegenes"),
        (_edit("config.json", format_version=99), "format 99"),
        (_edit("config.json", generator={"latent": {"name": "genom"}}), "did you mean 'genome'"),
        (_edit("config.json", generator={}), "damaged"),
        (_edit("config.json", generator=3), "damaged"),
    ],
)
def test_damage_is_told_in_words(folder, damage, message):
    damage(folder)
    with pytest.raises(UserError, match=message):
        stylegenes.load(folder)


def test_what_is_no_snapshot_is_refused(tmp_path):
    with pytest.raises(UserError, match="there is no such folder"):
        stylegenes.load(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"has no config\.json"):
        stylegenes.load(tmp_path / "empty")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is not a snapshot"):
        stylegenes.load(tmp_path / "file")


def test_a_run_folder_means_its_newest_snapshot(tmp_path, generator, caplog):
    """By what the cards say; not by file times, which a copy or a wrong clock changes, nor in hidden folders."""
    snapshots = tmp_path / "run" / "snapshots"
    ages = {"kimg-000300": (300, 30), "best": (100, 0), "kimg-000200": (200, 10), ".last.1234abcd.part": (400, 5)}
    for name, (images, age) in ages.items():
        card = save_snapshot(snapshots / name, generator, replace(CARD, images_seen=images)) / "card.json"
        os.utime(card, (card.stat().st_mtime - age * 1000,) * 2)
    assert find_snapshot(tmp_path / "run").name == "kimg-000300"
    save_snapshot(snapshots / "last", generator, replace(CARD, images_seen=300))
    assert find_snapshot(tmp_path / "run").name == "last"
    (snapshots / "last" / "card.json").write_text("{")
    assert find_snapshot(tmp_path / "run").name == "kimg-000300" and "last/card.json is damaged" in caplog.text


def test_a_swap_of_the_newest_snapshot_that_was_cut_short_is_finished(tmp_path, generator):
    snapshots = tmp_path / "run" / "snapshots"
    save_snapshot(snapshots / "last", generator, replace(CARD, images_seen=1))
    save_snapshot(snapshots / "new", generator, replace(CARD, images_seen=2)).rename(snapshots / ".last.next")
    assert find_snapshot(tmp_path / "run").name == "last" and read_card(snapshots / "last").images_seen == 2


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"{", "damaged"),
        (b'{"\x1b[2J":{"dtype":"\x1b[31m","shape":[1],"data_offsets":[0,4]}}', "damaged"),
        (b'{"\\u001b[2Jx":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', "does not fit"),
        (b'{"x":{"dtype":"F32","shape":[1125899906842624],"data_offsets":[0,4]}}', "damaged"),
        (b"[" * 100_000, "damaged"),
    ],
)
def test_hostile_headers_are_refused_in_one_printable_line(header, said, folder):
    data = len(header).to_bytes(8, "little") + header + bytes(4)
    (folder / "model.safetensors").write_bytes(data)
    config = json.loads((folder / "config.json").read_text())
    config["sha256"]["model.safetensors"] = hashlib.sha256(data).hexdigest()
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=said) as refused:
        load_snapshot(folder)
    assert str(refused.value).isprintable()
