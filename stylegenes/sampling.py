"""Pictures of a model: samples, style mixing, ways between codes, sides of solid things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from stylegenes.choice import Choice
from stylegenes.drawing import Way, as_whole, codes_of_seeds
from stylegenes.loaded import Codes, Seeds, as_codes, as_seeds, view_text
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
        where: str | None = None,
        temperature: float = 0.5,
        psi: float | str | None = None,
        noise: str | None = None,
        view: Mapping[str, float] | None = None,
    ) -> Choice:
        """Codes and how to draw them, without drawing them yet.

        The arguments `count`, `seeds`, `codes`, `where`, `temperature`, `psi`, `noise` and `view` are those of
        `sample`.

        Raises:
            UserError: as `sample`.
        """
        found = as_codes(self.generator, codes)
        drawing, notes = self.drawing(found.origin, psi, noise, view)
        more = {} if drawing.condition.camera is None else view_text(found.origin, view)
        texts: Sequence[str] = ()
        if codes is not None:
            names = [one[:10] for one in found.codes]
            code, texts = self._own_and_texts(found.codes)
            check_texts(self.generator, texts)
        else:
            chosen = list(range(as_whole(count, "a count"))) if seeds is None else as_seeds(seeds)
            names = [f"seed {seed}" for seed in chosen]
            code = codes_of_seeds(self.generator, chosen)
            if where is not None:
                code, sentence = self.study.wished(where, temperature, chosen, drawing)
                more, notes = {**more, "Where": where, "Temperature": f"{temperature:g}"}, [*notes, sentence]
        origin = self.origin(drawing, more)
        if found.origin is not None and (warning := found.origin.warning(origin.model, origin.weights)):
            notes = [f"note: {warning}", *notes]
        return Choice(self.generator, code, names, drawing, origin, notes, texts)

    def sample(
        self,
        count: int = 16,
        *,
        seeds: Seeds | None = None,
        codes: Codes | None = None,
        where: str | None = None,
        temperature: float = 0.5,
        psi: float | str | None = None,
        noise: str | None = None,
        view: Mapping[str, float] | None = None,
    ) -> Sheet:
        """Pictures of seeds, of codes, or by wish.

        Args:
            count: pictures of seeds 0, 1, 2, ... where nothing else says which.
            seeds: one number, several, or text like `0-15,20`.
            codes: code strings, a sheet, codes [N, ...], or a file that carries codes; a file's psi, noise and label
                count where they are not given here.
            where: wishes like `Smiling=1,Eyeglasses=0`; needs a survey.
            temperature: of the wishes: lower is more accurate and less varied.
            psi: truncation, 0.7, or "0.7:8" for the 8 leading layers.
            noise: `const`, `random` or `none`.
            view: yaw, pitch and fov in degrees, for a 3D model.

        Raises:
            UserError: for codes of another model, unknown attributes, or a missing label or survey.
        """
        picked = {"seeds": seeds, "codes": codes, "where": where, "temperature": temperature}
        return self.choose(count, **picked, psi=psi, noise=noise, view=view).samples()

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
        return self.choose(count, seeds=seeds, codes=codes).mixing(band)

    def interpolate(
        self,
        steps: int = 8,
        count: int = 4,
        *,
        seeds: Seeds | None = None,
        codes: Codes | None = None,
        ways: Sequence[Way] = ("own",),
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
        return self.choose(count, seeds=seeds, codes=codes).interpolation(steps, ways, moving=moving)

    def orbit(self, seeds: Seeds = "0-3", *, codes: Codes | None = None, turn: Turn | None = None) -> Sheet:
        """What a 3D model makes, from all sides: a row a code, or frames where the sheet is saved as .gif or .mp4.

        Args:
            seeds: of the codes.
            codes: code strings, a sheet or a file instead.
            turn: pictures, depth or normals, on which path, in how many steps.

        Raises:
            UserError: for a model that is flat.
        """
        from stylegenes.solids import Turn, turned

        return turned(self.choose(seeds=seeds if codes is None else None, codes=codes), turn or Turn())

    def mesh(
        self, seed: int = 0, *, code: Codes | None = None, resolution: int = 128, level: float | None = None
    ) -> VolumeMesh:
        """What a 3D model makes, as a mesh in world units, y up.

        Args:
            seed: of the code.
            code: a code string instead.
            resolution: points along each axis of the box.
            level: density at the surface; None takes the one whose surface lies where the pictures' depth is.

        Raises:
            UserError: for a model that is flat, or a level that meets no surface.
        """
        from stylegenes.solids import solid_of

        return solid_of(self.choose(seeds=seed if code is None else None, codes=code), resolution, level)
