"""TensorBoard and report.html in a real Chromium: `pip install -e '.[browser]'`, and --slow."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from trainer import command_line, run

playwright = pytest.importorskip("playwright.sync_api", reason="needs the extra [browser]")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium, apt install chromium say"),
    pytest.mark.xdist_group("browser"),
]

PATIENCE = 60_000
"""Milliseconds."""


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """The runs of flowers: one, with everything that can be asked for."""
    folder = tmp_path_factory.mktemp("browser")
    options = ["--task", "flowers", "--data", "sample", "--sample-examples", "200", "--epochs", "2"]
    shown = ["--histograms", "--projector", "--feature-maps", "--grad-cam", "--run-name", "first"]
    where = ["--log-dir", str(folder / "logs"), "--cache-dir", str(folder / "cache")]
    assert command_line.exit_code(run.main, [*options, *shown, *where]) == 0
    return folder / "logs"


@pytest.fixture(scope="module")
def address(logs):
    """Where a TensorBoard of its own shows the runs."""
    options = ["--host", "127.0.0.1", "--port", "0", "--logdir", str(logs)]
    server = subprocess.Popen(
        [sys.executable, "-m", "tensorboard.main", *options],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    for line in server.stderr:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            break
    yield found[0]
    server.kill()


@pytest.fixture(scope="module")
def browser():
    # The curves are drawn by WebGL, which has no graphics card here.
    drawing = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox"]
    with playwright.sync_playwright() as started:
        yield started.chromium.launch(executable_path=CHROMIUM, args=drawing)


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(PATIENCE)
    yield page
    page.close()


def wait_for_texts(page, *texts):
    for text in texts:
        page.get_by_text(text).first.wait_for()


def test_scalars_have_curves_of_all_splits(page, address):
    page.goto(f"{address}/#timeseries")
    wait_for_texts(page, "first/train", "first/validation", "first/test", "accuracy", "loss")
    page.locator("line-chart canvas").first.wait_for()


def test_images_are_shown(page, address):
    page.goto(f"{address}/#images")
    wait_for_texts(page, "mistakes", "confusion", "by_class", "reliability", "inputs", "grad_cam")
    page.wait_for_function(
        """() => {
            const all = (root) => [...root.querySelectorAll("*")].flatMap(
                (e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]);
            return all(document).some((e) => e.tagName === "IMG" && e.naturalWidth > 100);
        }"""
    )


def test_classes_have_pr_curves(page, address):
    page.goto(f"{address}/#pr_curves")
    wait_for_texts(page, "pr_curve/roses", "pr_curve/tulips")


def test_weights_and_gradients_have_histograms(page, address):
    page.goto(f"{address}/#histograms")
    wait_for_texts(page, "gradients", "weights")


def test_the_graph_of_the_step_is_drawn(page, address):
    page.goto(f"{address}/#graphs")
    page.locator("g.node").first.wait_for(state="attached")


def test_runs_have_options_and_metrics_side_by_side(page, address):
    page.goto(f"{address}/#hparams")
    wait_for_texts(page, "learning_rate", "accuracy", "first")


def test_the_options_are_there_as_text(page, address):
    page.goto(f"{address}/#text")
    wait_for_texts(page, "config", "batch_size")


def test_the_projector_has_the_validation_images(page, address):
    # What it draws is in closed shadow roots: what it was given is looked at.
    names = page.expect_response(re.compile("plugin/projector/metadata"))
    images = page.expect_response(re.compile("plugin/projector/sprite_image"))
    with names as named, images as drawn:
        page.goto(f"{address}/#projector")
    assert named.value.text().startswith("true\tpredicted\n")
    assert drawn.value.ok
    assert drawn.value.headers["content-type"] == "image/png"


@pytest.fixture
def report(page, logs):
    """report.html, opened without a network; and what it asked for."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.context.set_offline(True)
    page.goto((logs / "flowers" / "first" / "report.html").as_uri())
    return asked


def test_the_report_says_what_came_out(page, report):
    for heading in ("Metrics", "Training", "Test split", "By class", "Mistakes"):
        page.get_by_role("heading", name=heading, exact=True).wait_for()
    wait_for_texts(page, "test accuracy", "python -m trainer.run --task flowers")
    assert page.locator("figure svg").count() == 5


def test_the_report_asks_for_nothing(report):
    assert [url for url in report if not url.startswith(("file:", "data:"))] == []


def test_the_report_fits_on_a_phone(page, report):
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_can_be_read_in_light_and_dark(page, report, scheme):
    page.emulate_media(color_scheme=scheme)
    ground, ink = page.evaluate(
        "['backgroundColor', 'color'].map((name) => getComputedStyle(document.body)[name])"
    )
    axis = page.locator("figure svg text").first.evaluate("(e) => getComputedStyle(e).fill")
    assert axis == ink
    assert (brightness(ground) > brightness(ink)) == (scheme == "light")


def brightness(colour):
    return sum(map(int, re.findall(r"\d+", colour)[:3]))
