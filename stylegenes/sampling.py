"""Pictures of a model: samples, style mixing, ways between codes, sides of solid things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stylegenes.analysis.wishes import Wished, wish_text
from stylegenes.arguments import Codes, Seeds, as_codes, as_seeds
from stylegenes.choice import Choice
from stylegenes.drawing import Way, as_count, codes_of_seeds
from stylegenes.errors import UserError, only_one
from stylegenes.loaded import log, view_text
from stylegenes.notation import MOST_SEEDS
from stylegenes.sheets import Sheet
from stylegenes.studio import Studio
from stylegenes.styles import check_texts

if TYPE_CHECKING:
    from stylegenes.solids import Turn, VolumeMesh


class Sampling(Studio):
    """A model that draws."""

    def choose(
        self,
        count: int = 16,
        *,
        seeds: Seeds | None = None,
        codes: Codes | None = None,
        where: Wished | None = None,
        temperature: float = 0.5,
        psi: float | str | None = None,
        noise: str | None = None,
        view: Mapping[str, float] | None = None,
    ) -> Choice:
        """Codes and how to draw them, without drawing them yet; `notes` say what there is to say about it.

        The arguments `count`, `seeds`, `codes`, `where`, `temperature`, `psi`, `noise` and `view` are those of
        `sample`.

        Raises:
            UserError: as `sample`.
        """
        only_one("which pictures to draw", seeds=seeds, codes=codes)
        only_one("which pictures to draw", where=where, codes=codes)
        found = as_codes(self.generator, codes)
        drawing, notes = self.drawing(found.origin, psi, noise, view)
        more = {} if drawing.condition.camera is None else view_text(found.origin, view)
        texts: Sequence[str] = ()
        if codes is not None:
            names = [one[:10] for one in found.codes]
            code, texts = self._own_and_texts(found.codes)
            check_texts(self.generator, texts)
        else:
            chosen = list(range(_bounded(count))) if seeds is None else as_seeds(seeds)
            names = [f"seed {seed}" for seed in chosen]
            code = codes_of_seeds(self.generator, chosen)
            if where is not None:
                text = wish_text(where)
                code, sentence = self.study.wished(text, temperature, chosen, drawing)
                more, notes = {**more, "Where": text, "Temperature": f"{temperature:g}"}, [*notes, sentence]
        origin, foreign = self.origin(drawing, more), self.foreign(found.origin)
        notes = [f"note: {foreign}", *notes] if foreign else notes
        return Choice(self.generator, code, names, drawing, origin, notes, texts, foreign)

    def picked(self, count: int, **given: Any) -> Choice:
        """As `choose`, for those who see pictures before they see notes: codes of other weights are warned of."""
        choice = self.choose(count, **given)
        if choice.foreign:
            log.warning("%s", choice.foreign)
        return choice

    def sample(
        self,
        count: int = 16,
        *,
        seeds: Seeds | None = None,
        codes: Codes | None = None,
        where: Wished | None = None,
        temperature: float = 0.5,
        psi: float | str | None = None,
        noise: str | None = None,
        view: Mapping[str, float] | None = None,
    ) -> Sheet:
        """Pictures of seeds, of codes, or by wish; what there is to say about them is in the sheet's `notes`.

        Args:
            count: pictures of seeds 0, 1, 2, ...; seeds or codes count instead where they are given.
            seeds: one number, several, or text like `0-15,20`; with codes, or wishes and codes, they are refused.
            codes: code strings, a sheet, codes [N, ...], or a file that carries codes; a file's psi, noise and label
                count where they are not given here.
            where: wishes like `Smiling=1,Eyeglasses=0`, or `{"Smiling": 1}`; needs a survey.
            temperature: of the wishes: lower is more accurate and less varied.
            psi: truncation, 0.7, or "0.7:8" for the 8 leading layers.
            noise: `const`, `random` or `none`.
            view: yaw, pitch and fov in degrees, for a 3D model.

        Raises:
            UserError: for codes that the model cannot have, unknown attributes, a missing label or survey, or codes
                besides seeds or wishes.
        """
        given = {"seeds": seeds, "codes": codes, "where": where, "temperature": temperature}
        return self.picked(count, **given, psi=psi, noise=noise, view=view).samples()

    def draw(
        self,
        codes: Codes,
        *,
        psi: float | str | None = None,
        noise: str | None = None,
        view: Mapping[str, float] | None = None,
    ) -> Sheet:
        """Pictures of codes.

        The arguments `codes`, `psi`, `noise` and `view` are those of `sample`.

        Raises:
            UserError: as `sample`.
        """
        return self.sample(codes=codes, psi=psi, noise=noise, view=view)

    def mix(
        self, band: str = "all", count: int = 8, *, seeds: Seeds | None = None, codes: Codes | None = None
    ) -> Sheet:
        """Style mixing: rows from the first half of the codes, with coarse, middle, fine or all styles of the others.

        Args:
            band: `coarse`, `middle`, `fine`, or `all` for the three below one another.
            count: codes, those of seeds 0, 1, 2, ... where nothing else says which.
            seeds: as `sample` takes them.
            codes: as `sample` takes them.

        Raises:
            UserError: for fewer than two codes, or a network without such layers.
        """
        return self.picked(count, seeds=seeds, codes=codes).mixing(band)

    def interpolate(
        self,
        steps: int = 8,
        count: int = 4,
        *,
        seeds: Seeds | None = None,
        codes: Codes | None = None,
        ways: Way | Sequence[Way] = ("own",),
        moving: bool = False,
    ) -> Sheet:
        """The way from each code to the next; `moving` gives the frames of an endless animation, to be saved as .gif.

        Args:
            steps: pictures from one code to the next.
            count: codes, those of seeds 0, 1, 2, ... where nothing else says which.
            seeds: as `sample` takes them.
            codes: as `sample` takes them.
            ways: `own` is the latent's, `code` and `w` are lines between codes and between style vectors.
            moving: whether the pictures become the frames of an animation.

        Raises:
            UserError: for fewer than two codes.
        """
        return self.picked(count, seeds=seeds, codes=codes).interpolation(steps, ways, moving=moving)

    def orbit(self, seeds: Seeds | None = None, *, codes: Codes | None = None, turn: Turn | None = None) -> Sheet:
        """What a 3D model makes, from all sides: a row a code, or frames where the sheet is saved as .gif or .mp4.

        Args:
            seeds: of the codes; 0 to 3 where nothing is given.
            codes: code strings, a sheet or a file instead.
            turn: pictures, depth or normals, on which path, in how many steps.

        Raises:
            UserError: for a model that is flat.
        """
        from stylegenes.solids import Turn, turned

        return turned(self.picked(4, seeds=seeds, codes=codes), turn or Turn())

    def mesh(
        self, seed: int | None = None, *, code: Codes | None = None, resolution: int = 128, level: float | None = None
    ) -> VolumeMesh:
        """What a 3D model makes, as a mesh in world units, y up.

        Args:
            seed: of the code; 0 where nothing is given.
            code: a code string instead.
            resolution: points along each axis of the box.
            level: density at the surface; None takes the one whose surface lies where the pictures' depth is.

        Raises:
            UserError: for a model that is flat, or a level that meets no surface.
        """
        from stylegenes.solids import solid_of

        return solid_of(self.picked(1, seeds=seed, codes=code), resolution, level)


def _bounded(count: int) -> int:
    """How many pictures; no more than seeds may be named."""
    if as_count(count, "a count") > MOST_SEEDS:
        raise UserError(f"{count:,} pictures are too many at a time; draw at most {MOST_SEEDS:,}")
    return as_count(count, "a count")
