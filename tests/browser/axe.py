"""Accessibility as axe-core judges it, shadow trees included."""

from pathlib import Path

from selenium import webdriver

from tests.browser.chromium import run_js

AXE = Path(__file__).parents[2] / "clients" / "node_modules" / "axe-core" / "axe.min.js"

RUN = """
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    const place = ({ target, html }) => `${target} ${html.slice(0, 120)}`;
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(place)}`);
"""


def violations(browser: webdriver.Chrome) -> list[str]:
    """Every rule that the page breaks, in light and in dark, with the elements that break it."""
    if not AXE.exists():
        raise RuntimeError("axe-core is not installed: make web")
    found: list[str] = []
    try:
        for scheme in ("light", "dark"):
            feature = {"name": "prefers-color-scheme", "value": scheme}
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
            if not run_js(browser, "return 'axe' in window"):
                browser.execute_script(AXE.read_text())
            found += [f"{scheme}: {violation}" for violation in run_js(browser, RUN)]
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    return found
