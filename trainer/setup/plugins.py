"""Tasks, trainers and hooks by the names that options give them."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from trainer.config.config import Config
from trainer.core import tensorflow_import
from trainer.core.errors import UserError
from trainer.core.text import did_you_mean
from trainer.task import Task

if TYPE_CHECKING:
    from trainer.loop.trainer import Hook, Trainer

Plugin = TypeVar("Plugin")

TFDS = "tfds"
"""The prefix of `tfds:NAME`, and the module of the one task that takes a dataset's name."""

ENTRY_POINTS = "trainer.tasks"
"""The entry point group in which other packages register tasks: `cats = "my_package:Cats"`."""

_BUILTIN_FOLDER = Path(__file__).parents[2] / "tasks"
_BUILTIN_PACKAGE = "trainer_builtin_tasks"
"""The built-in tasks are imported by their place and under this name: a folder or file of the
user's that is called tasks, in the current folder, is never taken for them."""


def find_task(name: str) -> Task:
    """The task of a name: "flowers", "tfds:cifar10", or a class of the user's, "my_tasks:Cats".

    Raises:
        UserError: no such name, module or class; with the nearest name.
    """
    task = _new_task(name)
    task.defaults = dataclasses.replace(task.defaults, task=name)
    return task


def task_names() -> list[str]:
    """The tasks that `--task` finds by a name alone: the built-in ones, and those registered."""
    return sorted({*_builtin_names(), *_registered()} - {TFDS})


def task_reference(task: Task) -> str:
    """The name by which `find_task` finds a task again."""
    file = Path(getattr(sys.modules[type(task).__module__], "__file__", None) or "")
    if file.parent != _BUILTIN_FOLDER:
        return class_reference(type(task))
    return f"{TFDS}:{task.dataset}" if file.stem == TFDS else file.stem.replace("_", "-")


def class_reference(found: type) -> str:
    """The name by which `load_class` finds a class again."""
    module = "trainer" if found.__module__ == "trainer.loop.trainer" else found.__module__
    return f"{module}:{found.__qualname__}"


def is_found_by_name(config: Config) -> bool:
    """Whether a command finds the task and the trainer of a config again.

    It does not find classes of a script or a function, nor tasks that take arguments.
    """
    task, found = config.task, _imported(config.task)
    is_own = ":" in task and not task.startswith(f"{TFDS}:")
    return _imported(config.trainer) is not None and not (
        is_own and (found is None or not _takes_nothing(found))
    )


def load_class(option: str, reference: str, base: type[Plugin]) -> type[Plugin]:
    """The user's subclass of `base` that an option names as module:Class.

    Raises:
        UserError: naming the option, where there is no such module or class.
    """
    found = _load_attribute(option, reference, "Class")
    if not (inspect.isclass(found) and issubclass(found, base)):
        module_name, _, class_name = reference.partition(":")
        raise UserError(
            f"{option} {reference}: {module_name} has no class {class_name!r} that is a"
            f" {base.__name__}; write it as module:Class"
        )
    return found


def load_trainer_class(reference: str) -> type[Trainer]:
    """The trainer that `--trainer` names as module:Class.

    Raises:
        UserError: there is no such module or class.
    """
    from trainer.loop.trainer import Trainer  # imports TensorFlow

    return load_class("--trainer", reference, Trainer)


def load_hooks(references: Sequence[str]) -> list[Hook]:
    """The hooks that `--hook` names as module:factory, each made by a call of its factory.

    Raises:
        UserError: there is no such module or factory, or it does not return a Hook.
    """
    return [_load_hook(reference) for reference in references]


def _load_hook(reference: str) -> Hook:
    from trainer.loop.trainer import Hook  # imports TensorFlow

    factory = _load_attribute("--hook", reference, "factory")
    hook = factory() if callable(factory) else None
    if not isinstance(hook, Hook):
        raise UserError(
            f"--hook {reference} is no factory of a trainer.Hook; write it as module:factory, a"
            " subclass of Hook say"
        )
    return hook


def _imported(reference: str) -> Any:
    """What a module that is imported has under a name; None where it is a script's."""
    module_name, _, name = reference.partition(":")
    return None if module_name == "__main__" else getattr(sys.modules.get(module_name), name, None)


def _takes_nothing(found: Callable[..., Any]) -> bool:
    try:
        inspect.signature(found).bind()
    except TypeError:
        return False
    return True


def _load_attribute(option: str, reference: str, kind: str) -> Any:
    """What a module of the user's has under a name; None where it has nothing."""
    module_name, _, name = reference.partition(":")
    if module_name == "__main__":
        raise UserError(
            f"{option} {reference} was defined in a script; resume in that script, or pass the"
            " class to trainer.load"
        )
    tensorflow_import.import_tensorflow()  # the user's module is about to import it
    # The console script, unlike `python -m`, does not look into the current folder. Only who names
    # a module there trusts it: any other file could stand in for a library.
    if module_name != "trainer" and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    return getattr(_import_module(option, reference, module_name, kind), name, None)


def _import_module(option: str, reference: str, module_name: str, kind: str) -> ModuleType:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        # The traceback of a module that the user's own module lacks is theirs to see.
        if error.name != module_name and not module_name.startswith(f"{error.name}."):
            raise
    except (ValueError, TypeError):  # "" or "..pkg": no module's name
        pass
    raise UserError(
        f"{option} {reference}: there is no module {module_name!r}; run where"
        f" {module_name or 'my_module'}.py is, and write module:{kind}"
    )


def _new_task(name: str) -> Task:
    if name.startswith(f"{TFDS}:"):
        any_dataset: Any = _builtin_class(TFDS)
        return any_dataset(name.removeprefix(f"{TFDS}:"))
    if ":" in name:
        found = load_class("--task", name, Task)
        if not _takes_nothing(found):
            raise UserError(
                f"--task {name}: {found.__name__} takes arguments; train and resume it in Python,"
                f" trainer.train({found.__name__}(…), trainer.Config(…))"
            )
        return found()
    return _named_class(name)()


def _named_class(name: str) -> type[Task]:
    if name in _builtin_names() and name != TFDS:
        return _builtin_class(name.replace("-", "_"))
    registered = _registered()
    if name in registered:
        return load_class("--task", registered[name], Task)
    hint = did_you_mean(name, task_names())
    raise UserError(f"unknown task {name!r}: {hint}, {TFDS}:NAME, or module:Class")


def _builtin_names() -> list[str]:
    modules = (path.stem for path in _BUILTIN_FOLDER.glob("*.py") if path.stem != "__init__")
    return [module.replace("_", "-") for module in modules]


def _registered() -> dict[str, str]:
    import importlib.metadata  # takes its time, and a built-in task needs none

    return {
        point.name: point.value for point in importlib.metadata.entry_points(group=ENTRY_POINTS)
    }


def _builtin_class(module_name: str) -> type[Task]:
    _import_builtin_package()
    module = importlib.import_module(f"{_BUILTIN_PACKAGE}.{module_name}")
    return next(
        found
        for found in vars(module).values()
        if inspect.isclass(found)
        and issubclass(found, Task)
        and found.__module__ == module.__name__
    )


@functools.cache
def _import_builtin_package() -> None:
    spec = importlib.util.spec_from_file_location(
        _BUILTIN_PACKAGE,
        _BUILTIN_FOLDER / "__init__.py",
        submodule_search_locations=[str(_BUILTIN_FOLDER)],
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[_BUILTIN_PACKAGE] = package
    spec.loader.exec_module(package)
