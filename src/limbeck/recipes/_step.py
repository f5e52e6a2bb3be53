"""Step: one table of a recipe, what it needs and makes, how it is checked, done and written."""

import json
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from limbeck import objectives, teachers
from limbeck.examples import views
from limbeck.recipes._kitchen import Kitchen
from limbeck.runtime import Named


class Step(BaseModel):
    """One table of a recipe. Each verb is a class of its own, in `steps`.

    Its fields are the table's keys: others are faults, and so are values of another type. Methods
    bear no name that a verb may want for a key (`run`, `check` and `objectives` are taken).
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)

    verb: ClassVar[str]  # the table's name
    heads_many: ClassVar[bool] = False  # whether it is written as one of several tables
    is_kept: ClassVar[bool] = True  # whether what it makes lies on disk, to be whole or not

    @property
    @abstractmethod
    def makes(self) -> tuple[str, ...]:
        """The names it gives to later steps; the files or directories, where it is kept."""

    @property
    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """The names it takes from the recipe; a teacher or model may also be named by path."""

    @property
    def place(self) -> str:
        """The name of what it makes, as users know it."""
        return self.makes[0]

    @property
    def opens(self) -> tuple[str, ...]:
        """The teachers and models it names: runs of the recipe's, or texts that open others."""
        return ()

    @property
    def student_texts(self) -> tuple[str, ...]:
        """The students it names, as texts."""
        return ()

    @property
    def objective_texts(self) -> tuple[str, ...]:
        """The objectives it names, as texts."""
        return ()

    @property
    def view_texts(self) -> tuple[str, ...]:
        """The views it names, as texts."""
        return ()

    @property
    def learns_from(self) -> tuple[str, ...]:
        """The sets that models of the recipe have seen after it; "" is none."""
        return ()

    def checks(self) -> Iterable[Callable[[], object]]:
        """What raises where a call or a number in the table is wrong, before anything is done.

        Each is asked by itself, so that all faults come in one message.
        """
        return ()

    def check_trusted(self, own: AbstractSet[str], *, trust: bool) -> None:
        """Refuses code that its texts name, where nobody said that it may be run.

        `own` are the names of what the recipe itself makes, which are no texts.

        Raises:
            TrustError: there is such code.
            MissingError, InputError, RecipeError: what the text names cannot be found or made.
        """
        for text in self.student_texts:
            if named := Named.parse(text):  # it would be run when the net is built, much later
                named.check_trusted("student", trust=trust)
        for text in self.objective_texts:
            objectives.from_text(text, trust=trust)
        for text in self.view_texts:
            views.from_text(text, trust=trust)
        for text in self.opens:
            if text not in own:
                teachers.check_text(text, trust=trust)

    @abstractmethod
    def do(self, kitchen: Kitchen) -> None:
        """Does it, with what earlier steps left in the kitchen, and leaves there what it makes."""

    @classmethod
    def to_toml(cls, keys: Mapping[str, object]) -> list[str]:
        """The table's lines, a blank one first, with these keys in this order.

        Values are not checked: what a function takes, such as `epochs=1.0`, may be none of TOML's
        types, and is written down even so.
        """
        assert keys.keys() <= cls.model_fields.keys(), f"[{cls.verb}] has not all of {list(keys)}"
        head = f"[[{cls.verb}]]" if cls.heads_many else f"[{cls.verb}]"
        return ["", head, *(f"{key} = {value_as_toml(value)}" for key, value in keys.items())]


def value_as_toml(value: object) -> str:
    """A text, number, list or table of these, as TOML has it in one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {value_as_toml(v)}" for k, v in value.items()) + " }"
    # JSON's texts, numbers, lists and booleans are TOML's too.
    return json.dumps(value, ensure_ascii=False)
