"""Tries the dashboard of a manager that runs, in a headless Chromium, as an operator uses it.

`python dashboard.py URL [--token T] [--screenshot FILE] [STEP…]` does the steps one after the other in one window, and
ends with status 1 and the reason at the first that fails. The step `-` reads further ones from stdin, one a line, and
prints `ok STEP` for each that is done: so a test may do something to the fleet between two of them. Without a step the
page is tried as it stands, and nothing is done to the fleet.

It needs Chromium with its driver (Debian: chromium, chromium-driver) and what requirements.txt names.
"""

import argparse
import base64
import json
import os
import re
import shlex
import shutil
import sys
import time
from collections.abc import Callable
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from selenium import webdriver
from selenium.common.exceptions import ElementNotInteractableException, StaleElementReferenceException, WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:",
}
PATIENCE = 30.0
DEFAULT = ["headers", "loads", "names", "contrast", "keyboard", "phone", "quiet"]

# Of each piece of text that can be seen: its contrast with the nearest opaque colour behind it. Stripes and fills are
# not seen by it.
CONTRAST = """
const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
const rgba = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
  return canvas.getImageData(0, 0, 1, 1).data; };
const light = (c) => { const [r, g, b] = [...c].slice(0, 3).map((v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b; };
const bad = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || !node.checkVisibility() || node.closest('noscript, .unseen')) continue;
  let behind = node;
  while (behind && rgba(getComputedStyle(behind).backgroundColor)[3] < 255) behind = behind.parentElement;
  const style = getComputedStyle(node);
  const ink = rgba(node instanceof SVGElement ? style.fill : style.color), paper = behind ? rgba(getComputedStyle(behind).backgroundColor) : [255, 255, 255];
  const [a, b] = [light(ink), light(paper)].sort((x, y) => y - x);
  const ratio = (a + .05) / (b + .05);
  if (ratio < 4.5) bad.push(`${ratio.toFixed(2)} of "${walker.currentNode.data.trim().slice(0, 40)}"`);
}
return bad;
"""


TIMES = "return [...document.querySelectorAll('#journal time')].map((node) => node.textContent)"


class Failed(Exception):
    """What an operator would find wrong."""


def need(holds: object, otherwise: str) -> None:
    if not holds:
        raise Failed(otherwise)


class Page:
    """A window on the dashboard."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url, self.token = url.rstrip("/") + "/", token
        options = webdriver.ChromeOptions()
        options.binary_location = program("chromium")
        for argument in ["--headless=new", "--window-size=1400,1000", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]:
            options.add_argument(argument)
        if os.geteuid() == 0:
            # Chromium refuses root without it; it sees nothing but the manager here.
            options.add_argument("--no-sandbox")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options, webdriver.ChromeService(program("chromedriver")))
        self.cdp = self.driver.execute_cdp_cmd
        self.wrong: list[str] = []

    # What is looked at.

    def find(self, selector: str) -> WebElement:
        found = self.all(selector)
        need(found, f"nothing on the page matches {selector}")
        return found[0]

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return self.find(selector).text

    def tile(self, server: str) -> WebElement | None:
        return next(iter(self.all(f'.tile[data-id="{server}"]')), None)

    def until(self, holds: Callable[[], object], otherwise: str, patience: float = PATIENCE) -> None:
        end = time.monotonic() + patience
        while not attempt(holds):
            need(time.monotonic() < end, f"{otherwise} ({patience:.0f} s waited)")
            time.sleep(0.1)

    def button(self, label: str, within: str) -> WebElement:
        found = [button for button in self.all(f"{within} button") if button.text == label and button.is_displayed()]
        need(found, f"{within} has no button {label!r}")
        return found[0]

    def confirmed(self, says: str, label: str) -> None:
        """Reads what the dialog says will happen, and agrees."""
        self.until(lambda: self.all("dialog.ask[open]"), "no dialog asks whether to")
        text = self.text("dialog.ask")
        need(says in text, f"the dialog should say {says!r}; it says {text!r}")
        self.button(label, "dialog.ask").click()
        self.until(lambda: not self.all("dialog.ask"), f"the dialog stays after {label}")

    def focused(self, element: str) -> None:
        """The focus is there, as the button that was pressed has gone: without one the keyboard begins at the top."""
        focus = self.driver.switch_to
        self.until(lambda: focus.active_element.get_attribute("id") == element, f"the focus does not go to {element}")

    def listen(self) -> None:
        """Takes the browser's logs in: they are emptied by reading."""
        for line in self.driver.get_log("browser"):
            # The browser notes each refusal; these two are asked for.
            asked = "/v1/margins" in line["message"] or self.token is not None and "status of 401 " in line["message"]
            if line["level"] == "SEVERE" and not asked:
                self.wrong.append(f"console: {line['message']}")
        ours = urlsplit(self.url)
        for line in self.driver.get_log("performance"):
            message = json.loads(line["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                asked = urlsplit(message["params"]["request"]["url"])
                if asked.scheme in ("http", "https", "ws", "wss") and asked.netloc != ours.netloc:
                    self.wrong.append(f"request to another origin: {asked.geturl()}")

    # Steps.

    def headers(self) -> None:
        """The page is served under the strict policy."""
        with urlopen(self.url) as answer:
            policy = answer.headers.get("Content-Security-Policy", "")
        missing = POLICY - {part.strip() for part in policy.split(";")}
        need(not missing, f"the policy {policy!r} lacks {missing}")

    def loads(self) -> None:
        """The page is live."""
        self.driver.get(self.url)
        if self.token is not None:
            self.sign_in(self.token)
        self.is_live()

    def is_live(self) -> None:
        self.until(lambda: self.text("#live") == "Live" and not self.find("#lost").is_displayed(), "the page is not live")
        self.until(lambda: self.text("#free").isdigit(), "there is no number of free places")
        self.until(lambda: self.text("#count") == str(len(self.all(".tile"))), "as many tiles as servers are not there")

    def sign_in(self, token: str) -> None:
        self.until(lambda: self.all("dialog.ask input[type=password]"), "no token is asked for")
        self.find("dialog.ask input").send_keys(token, Keys.ENTER)

    def token_wanted(self) -> None:
        """Without the token nothing is shown; a wrong one is told of; the right one lets in, and outlives a reload."""
        need(self.token is not None, "say which with --token")
        self.driver.get(self.url)
        self.sign_in(f"not-{self.token}")
        self.until(lambda: "refused" in self.text("dialog.ask .failed"), "a wrong token is not told of")
        need(not self.all(".tile"), "servers are shown without the token")
        self.button("Cancel", "dialog.ask").click()
        self.until(lambda: self.text("#live") == "Not signed in", "who gives no token is not told so")
        self.find("#retry").click()
        self.until(lambda: self.all("dialog.ask input"), "the token is not asked for again")
        self.loads_with_token()
        self.driver.refresh()
        self.is_live()
        need(not self.driver.execute_script("return localStorage.length || document.cookie"), "the token is kept too long")

    def loads_with_token(self) -> None:
        self.sign_in(self.token or "")
        self.is_live()

    def servers(self, count: str) -> None:
        """So many servers are shown."""
        self.until(lambda: len(self.all(".tile")) == int(count), f"{count} servers are not shown")
        self.until(lambda: self.text("#count") == count, f"the headline does not say {count} servers")

    def available(self, count: str) -> None:
        """So many servers are shown as available."""
        self.until(lambda: len(self.all(".tile[data-group=available]")) == int(count), f"{count} available servers are not shown")

    def players(self, count: str) -> None:
        """So many players are told of, at the top and in the tab's title."""
        self.until(lambda: self.text("#players") == count, f"the headline does not say {count} players")
        self.until(lambda: f" {count} player" in self.driver.title, f"the title does not say {count} players")

    def hidden(self) -> None:
        """The window is out of sight: nothing is drawn there."""
        self.window("minimized")
        self.until(lambda: self.driver.execute_script("return document.hidden"), "the page is not hidden")

    def seen(self) -> None:
        """It is back."""
        self.window("normal")
        self.until(lambda: not self.driver.execute_script("return document.hidden"), "the page is hidden")
        self.is_live()

    def window(self, state: str) -> None:
        window = self.cdp("Browser.getWindowForTarget", {})["windowId"]
        self.cdp("Browser.setWindowBounds", {"windowId": window, "bounds": {"windowState": state}})

    def drain(self, server: str) -> None:
        """Drains a server by its details, through the confirmation."""
        self.until(lambda: self.tile(server), f"{server} is not shown")
        tile = self.tile(server)
        tile.click()
        self.until(lambda: self.text("#details-title") == server, f"a click on {server} does not open it")
        self.button("Drain…", "#details").click()
        self.confirmed("takes nobody new", "Drain")
        self.until(lambda: f"{server} is emptying" in self.text("#done"), "it is not told that the server is emptying")
        self.focused("details-close")
        self.button("Close", "#details").click()

    def asks(self, server: str) -> None:
        """Opens a server, and the dialog that asks whether to drain it, and leaves both open."""
        self.tile(server).click()
        self.until(lambda: self.text("#details-title") == server, f"a click on {server} does not open it")
        self.button("Drain…", "#details").click()
        self.still_asks(server)

    def still_asks(self, server: str) -> None:
        """Both are open."""
        self.until(lambda: f"Drain {server}?" in self.text("dialog.ask[open]"), f"no dialog asks whether to drain {server}")
        need(self.all("#details[open]"), f"{server} is closed")

    def refused(self) -> None:
        """What is agreed to while nobody knows which manager will answer is not done."""
        self.button("Drain", "dialog.ask").click()
        self.until(lambda: "not live" in self.text("dialog.ask .failed"), "a drain is sent to whoever answers")

    def asks_nothing(self) -> None:
        """No dialog is open: what it would be about was another manager's."""
        need(not self.all("dialog[open]"), "a dialog about another manager's server is open")

    def undrain(self, server: str) -> None:
        """Has a server that is emptying take players again."""
        self.tile(server).click()
        self.button("Take players again…", "#details").click()
        self.confirmed("takes new players at once", "Take players again")
        self.focused("details-close")
        self.button("Close", "#details").click()
        self.until(lambda: self.tile(server).get_attribute("data-group") == "available", f"{server} is not shown as available")

    def emptying(self, server: str) -> None:
        """A server is emptying, and that is seen without colours: a mark, words, and another outline."""
        self.until(lambda: self.tile(server).get_attribute("data-group") == "standby", f"{server} is not shown as emptying")
        tile = self.tile(server)
        need("emptying" in tile.get_attribute("aria-label"), f"the name of {server}'s tile does not say so")
        need("▼" in tile.text, f"{server} has no mark")
        need(tile.value_of_css_property("border-top-style") == "dashed", f"{server} has the outline of others")

    def gone(self, server: str) -> None:
        """A server is gone."""
        self.until(lambda: self.tile(server) is None, f"{server} is still shown")

    def journal(self, *words: str) -> None:
        """The filter finds an entry in whose text all these words are, and nothing by words that nobody wrote."""
        box = self.find("#filter")

        def entries(typed: str) -> list[str]:
            box.send_keys(Keys.CONTROL, "a")
            box.send_keys(typed)
            return [entry.get_attribute("textContent").lower() for entry in self.all("#journal li")]

        need(not entries("nobody-wrote-this"), "the filter shows what it should not")
        found = [word.lower() for word in words]
        self.until(
            lambda: any(all(word in text for word in found) for text in entries(" ".join(words))),
            f"no entry of the journal has the words {words}",
        )
        box.send_keys(Keys.CONTROL, "a")
        box.send_keys(Keys.DELETE)

    def pause(self) -> None:
        """Pauses the scaling, and resumes it."""
        self.find("#pause").click()
        self.confirmed("Nothing is launched", "Pause")
        self.until(lambda: "paused" in self.text("#notices"), "it is not shown that the scaling is paused")
        self.until(lambda: self.text("#pause") == "Resume scaling…", "it cannot be resumed")
        self.find("#pause").click()
        self.confirmed("decides again", "Resume")
        self.until(lambda: "paused" not in self.text("#notices"), "it is still shown as paused")

    def reconcile(self) -> None:
        """Has the manager look at the cloud."""
        self.find("#reconcile").click()
        self.confirmed("looks at the cloud now", "Reconcile")
        self.until(lambda: "looks at the cloud now" in self.text("#done"), "it is not told that the manager looks")

    def margins(self, downscale: str) -> None:
        """Changes none; changes one, after a value that the manager refuses, while a colleague changes another; and goes
        back to the configuration's."""
        self.find("#margins").click()
        self.button("Change", "dialog.ask").click()
        self.until(lambda: not self.all("dialog.ask"), "the dialog stays where nothing was changed")
        need("margins" not in self.text("#done"), "margins are sent where none was changed")
        self.find("#margins").click()
        self.until(lambda: self.all("dialog.ask [name=downscale_margin]"), "no dialog asks for the margins")
        most = self.operate("GET", "/v1/fleet")["margins"]["max_servers"] - 1
        self.operate("PUT", "/v1/margins", {"max_servers": most})
        box = self.find("dialog.ask [name=downscale_margin]")
        for value in ["0", downscale]:
            box.send_keys(Keys.CONTROL, "a")
            box.send_keys(value)
            self.button("Change", "dialog.ask").click()
            if value == "0":
                self.until(lambda: self.text("dialog.ask .failed"), "margins that are wrong are not refused")
        self.until(lambda: not self.all("dialog.ask"), "the margins are not taken")
        self.until(lambda: self.text("#free-note").endswith(f"to {downscale}"), f"the margin {downscale} is not shown")
        need(f"to {most} allowed" in self.text("#count-note"), "what a colleague has changed is undone")
        self.find("#configured").click()
        self.confirmed(downscale, "Go back")
        self.until(lambda: not self.find("#configured").is_displayed(), "the configuration's margins do not hold again")
        self.focused("margins")

    def operate(self, method: str, path: str, body: object = None) -> dict:
        """What a colleague does elsewhere."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        request = Request(self.url.rstrip("/") + path, body and json.dumps(body).encode(), headers, method=method)
        with urlopen(request) as answer:
            return json.load(answer)

    def lost(self) -> None:
        """The manager cannot be reached, since before this step: soon that is plain to see, and no number looks live."""
        begun = time.time()
        self.until(lambda: self.text("#live") == "Not live", "it is not shown that the connection is lost", 15)
        told = re.search(r"what is shown was so at (?:.* )?(\d\d):(\d\d):(\d\d)\.", self.text("#lost"))
        need(told, "it is not told how old the numbers are")
        local = time.localtime(begun)
        late = sum(unit * (int(told[at]) - local[2 + at]) for at, unit in [(1, 3600), (2, 60), (3, 1)])
        # Its last word may have been on its way.
        need((late + 43200) % 86400 - 43200 <= 1, f"the page says that {told[0]} By then nothing came any more")
        need("line-through" in self.find("#free").value_of_css_property("text-decoration"), "the old numbers look like new ones")
        need(self.driver.title.startswith("(not live)"), "the title looks live")
        # Failed attempts to connect are what the browser's console is for.
        self.driver.get_log("browser")

    def again(self) -> None:
        """It is reached again, without a reload."""
        try:
            # Behind a dialog it cannot be reached; the page tries by itself.
            if not self.all("dialog[open]"):
                self.find("#retry").click()
        except ElementNotInteractableException:
            # It has done so.
            pass
        self.is_live()
        self.driver.get_log("browser")

    def tomorrow(self) -> None:
        """A day later the journal's entries are not taken for that day's."""
        need(self.all("#journal time"), "the journal is empty")
        self.told("(fleet) => { fleet.now = new Date(Date.parse(fleet.now) + 864e5).toISOString(); }")
        self.until(
            lambda: all(re.fullmatch(r"\d+ \w+ [\d:]+", at) for at in self.driver.execute_script(TIMES)),
            "entries of the day before look like today's",
        )
        self.untold()

    def requested(self) -> None:
        """How many servers are asked for is told in both places at once, also while none moves."""
        self.told("(fleet) => { fleet.launches.requested = 3; }")
        self.until(lambda: self.text("#launching-note") == "3 more asked for", "the headline does not say what is asked for")
        self.until(lambda: "3 servers asked for" in self.text("#launches"), "the launches do not say what is asked for")
        self.untold()

    def told(self, change: str) -> None:
        """From now on this function, in JavaScript, changes what the manager tells of the fleet before the page reads it."""
        self.driver.execute_script(f"""
            const parse = JSON.parse, change = {change};
            JSON.parse = (text) => {{ const told = parse(text); if (told?.started_at) change(told); return told; }};
        """)

    def untold(self) -> None:
        """What the manager tells is read as it is."""
        self.driver.refresh()
        self.is_live()

    def names(self) -> None:
        """Whatever can be operated has a name and its role, by the browser's own accessibility tree."""
        roles = {"button", "textbox", "searchbox", "slider", "radio", "img", "image", "toolbar", "list", "dialog", "spinbutton", "progressbar", "group", "region"}
        nodes = [node for node in self.cdp("Accessibility.getFullAXTree", {})["nodes"] if not node.get("ignored")]
        need(sum(node["role"]["value"] == "button" for node in nodes) > 5, "the accessibility tree has hardly any button")
        for node in nodes:
            role, name = node["role"]["value"], node.get("name", {}).get("value", "")
            # Lists need none where their heading stands above them.
            need(name.strip() or role not in roles - {"list", "group"}, f"a {role} has no name")
        levels = [int(heading.tag_name[1]) for heading in self.all("h1, h2, h3") if heading.is_displayed()]
        need(levels.count(1) == 1, "there is not one heading of level 1")
        need(self.find("html").get_attribute("lang"), "the page has no language")

    def contrast(self) -> None:
        """Text stands out by 4.5 to 1, in both schemes, live and in a dialog."""
        for scheme in ["light", "dark"]:
            self.scheme(scheme)
            self.find("#margins").click()
            bad = self.driver.execute_script(CONTRAST)
            self.button("Cancel", "dialog.ask").click()
            need(not bad, f"too little contrast in the {scheme} scheme: {', '.join(bad[:5])}")
        self.scheme("light")

    def scheme(self, name: str) -> None:
        self.cdp("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": name}, {"name": "prefers-reduced-motion", "value": "reduce"},
        ]})

    def keyboard(self) -> None:
        """The tab key reaches whatever can be operated, the focus is seen, and the arrow and Enter keys open a server."""
        operable = "button, input, [tabindex='0']"
        def known_by(node: WebElement) -> str:
            return node.get_attribute("id") or ("a server" if node.get_attribute("data-id") else node.text.split("\n")[0].rstrip(" 0123456789"))

        wanted = {
            known_by(node) for node in self.all(operable)
            if node.is_displayed() and node.get_attribute("tabindex") != "-1" and node.get_attribute("name") != "range"
        }
        reached: set[str] = set()
        # It goes on from where the last step was, and comes round by way of the window itself.
        for _ in range(len(wanted) + 5):
            self.press("Tab")
            focused = self.driver.switch_to.active_element
            if focused.tag_name == "body":
                continue
            reached.add(known_by(focused))
            ring = focused.value_of_css_property("outline-style"), focused.value_of_css_property("outline-width")
            need(ring[0] != "none" and ring[1] != "0px", f"{focused.tag_name} {focused.text!r} shows no focus")
        need(wanted <= reached, f"the tab key does not reach {wanted - reached}")
        if not self.all(".tile"):
            return
        self.driver.execute_script("document.querySelector('.tile[tabindex=\"0\"]').focus()")
        self.press("End")
        chosen = self.driver.switch_to.active_element.get_attribute("data-id")
        need(chosen == self.all(".tile")[-1].get_attribute("data-id"), "the End key does not go to the last server")
        self.press("Enter")
        self.until(lambda: self.text("#details-title") == chosen, "the Enter key does not open a server")
        self.press("Escape")
        self.until(lambda: not self.all("#details[open]"), "the Escape key does not close a server")
        focused = self.driver.switch_to.active_element.get_attribute("data-id")
        need(focused == chosen, "the focus does not come back to the server")

    def arrows(self) -> None:
        """The Down key goes to the tile below, and where there is none it goes nowhere."""
        tiles = [tile for tile in self.all(".tile") if tile.is_displayed()]
        need(len(tiles) > 1, "there is one tile at most")
        top = tiles[0].rect["y"]
        below = next((tile for tile in tiles if tile.rect["y"] > top), tiles[0])
        self.driver.execute_script("arguments[0].focus()", tiles[0])
        self.press("ArrowDown")
        need(self.driver.switch_to.active_element == below, "the Down key goes elsewhere than down")

    def press(self, key: str) -> None:
        code = {"Tab": 9, "Enter": 13, "Escape": 27, "End": 35, "ArrowDown": 40}[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ["keyDown", "keyUp"]:
            self.cdp("Input.dispatchKeyEvent", {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code} | (text if kind == "keyDown" else {}))

    def phone(self) -> None:
        """Nothing has to be scrolled sideways on a narrow phone."""
        self.narrow()
        for name in ["page", "dialog"]:
            if name == "dialog":
                self.find("#margins").click()
            wide = self.driver.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
            need(wide[0] <= 360 and wide[1] == 360, f"the {name} is {wide[0]} px wide in a window of {wide[1]} px")
        self.button("Cancel", "dialog.ask").click()
        self.wide()

    def narrow(self) -> None:
        self.cdp("Emulation.setDeviceMetricsOverride", {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True})

    def wide(self) -> None:
        self.cdp("Emulation.clearDeviceMetricsOverride", {})

    def quiet(self) -> None:
        """No error on the console, no policy broken, no other origin asked, and no number that is none on the page."""
        self.listen()
        for none in ["NaN", "undefined", "[object"]:
            need(none not in self.text("body"), f"the page says {none}")
        need(not self.wrong, "; ".join(self.wrong))

    def screenshot(self, file: str) -> None:
        """The whole page as it stands."""
        time.sleep(0.5)
        data = self.cdp("Page.captureScreenshot", {"captureBeyondViewport": True})["data"]
        with open(file, "wb") as to:
            to.write(base64.b64decode(data))

    def measure(self) -> None:
        """Prints how long a load took, and how much of the browser's time the page takes while it is live."""
        self.cdp("Performance.enable", {})
        began = time.monotonic()
        self.loads() if self.token is None else self.driver.refresh()
        self.is_live()
        took = time.monotonic() - began
        def metrics() -> dict[str, float]:
            return {metric["name"]: metric["value"] for metric in self.cdp("Performance.getMetrics", {})["metrics"]}
        loaded = metrics()
        time.sleep(10)
        later = metrics()
        print(json.dumps({
            "tiles": len(self.all(".tile")), "live_after_seconds": round(took, 2), "nodes": loaded["Nodes"],
            "heap_mb": round(later["JSHeapUsedSize"] / 1e6, 1),
            "load": {name: round(loaded[name], 3) for name in WORK},
            "a_second_live": {name: round((later[name] - loaded[name]) / 10, 4) for name in WORK},
        }), flush=True)


WORK = ["ScriptDuration", "LayoutDuration", "RecalcStyleDuration", "TaskDuration"]
STEPS = [
    "headers", "loads", "token-wanted", "servers", "available", "players", "hidden", "seen", "drain", "asks",
    "still-asks", "refused", "asks-nothing", "undrain", "emptying", "gone", "journal", "pause", "reconcile", "margins",
    "lost", "again", "tomorrow", "requested", "names", "contrast", "scheme", "keyboard", "arrows", "phone", "narrow",
    "wide", "quiet", "screenshot", "measure",
]


def attempt(holds: Callable[[], object]) -> object:
    try:
        return holds()
    except (StaleElementReferenceException, Failed, AttributeError):
        # What was just looked at has been replaced, or is not there yet.
        return False


def program(name: str) -> str:
    path = shutil.which(name)
    need(path, f"{name} is not installed (Debian: apt-get install chromium chromium-driver)")
    return path or name


def run(page: Page, step: str) -> None:
    name, *arguments = shlex.split(step)
    need(name in STEPS, f"no step is called {name}; there are {', '.join(STEPS)}")
    try:
        getattr(page, name.replace("-", "_"))(*arguments)
    except (Failed, WebDriverException) as error:
        raise Failed(f"{step}: {error}") from error
    print(f"ok {step}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--token")
    parser.add_argument("--screenshot", metavar="FILE", help="of the page at the end, or where it failed")
    parser.add_argument("steps", nargs="*", metavar="STEP", help=", ".join(STEPS))
    arguments = parser.parse_intermixed_args()
    page = None
    try:
        page = Page(arguments.url, arguments.token)
        for step in arguments.steps or DEFAULT:
            for line in sys.stdin if step == "-" else [step]:
                run(page, line.strip())
    except (Failed, TypeError) as error:
        print(f"failed: {error}", file=sys.stderr)
        sys.exit(1)
    finally:
        if page:
            if arguments.screenshot:
                page.screenshot(arguments.screenshot)
            page.driver.quit()


if __name__ == "__main__":
    main()
