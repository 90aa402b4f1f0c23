"""docs/python.md is true: its code runs, from the first block to the last."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
CODE = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))


def test_its_code_runs_in_a_script(tmp_path, script, vector_module):
    small = f'extractor="{vector_module}", image_size=8, data="sample", sample_examples=60'
    code = CODE.replace("trainer.Config(", f"trainer.Config({small}, ")
    done = script(code)
    # A row of a list, or of pandas' table where that is installed.
    assert re.search(r"'epoch': 5|^4 +5 ", done.out, re.MULTILINE)
    [run] = tmp_path.glob("logs/flowers/*")
    assert f"logs/flowers/{run.name}" in done.out
