"""`--hook module:factory`: what is no hook. test_chaos.py kills and resumes a run with one."""

import pytest

HOOKS = """
def nothing():
    return None
"""


@pytest.fixture
def options(noise_folder, vector_module, tmp_path):
    (tmp_path / "my_hooks.py").write_text(HOOKS)
    data = ["--data", noise_folder, "--extractor", vector_module, "--batch-size", 16]
    folders = ["--log-dir", tmp_path / "logs", "--cache-dir", tmp_path / "cache"]
    return [*data, *folders, "--epochs", 2, "--checkpoint-every", "4steps", "--jit", "off"]


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("no_such_module:hook", "--hook no_such_module:hook: there is no module 'no_such_module'"),
        ("my_hooks:no_such_hook", "--hook my_hooks:no_such_hook is no factory of a trainer.Hook"),
        ("my_hooks:nothing", "--hook my_hooks:nothing is no factory of a trainer.Hook"),
    ],
)
def test_what_is_no_hook_is_one_line(
    run_command, options, tmp_path, monkeypatch, reference, message
):
    monkeypatch.syspath_prepend(tmp_path)
    done = run_command(*options, "--hook", reference)
    assert done.code == 2
    assert done.err.startswith(f"error: {message}")
    assert len(done.err.splitlines()) == 1
