"""What can come between a visitor and their answer: each time they are told, and there is a way back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests import demo, speech
from tests.browser.conftest import Visit, Witnessed, log_in, picture
from tests.browser.ear import EAR, Ear
from tests.demo import Demo
from tests.realtime_server import Answer, RealtimeServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE = {"width": 375, "height": 740}
ARTICLE = "/help/opening-hours-harbour/"
WITNESS = """
  window.asked = 0; window.wanted = null; window.streams = []; window.contexts = []; window.heard = [];
  const getUserMedia = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    window.asked += 1;
    window.wanted = wanted;
    await window.decision;
    if (window.refuse) throw new DOMException("no", window.refuse);
    const stream = await getUserMedia(wanted);
    window.streams.push(stream);
    return stream;
  };
  const Real = AudioContext;
  window.AudioContext = class extends Real { constructor(options) { super(options); window.contexts.push(this); } };
  const { play } = HTMLMediaElement.prototype;
  HTMLMediaElement.prototype.play = function () { window.element = this; return play.call(this); };
  const { connect } = AudioNode.prototype;
  AudioNode.prototype.connect = function (to, ...how) {
    window.direct ||= to instanceof AudioDestinationNode;
    return connect.call(this, to, ...how);
  };
  for (const name of ["ready", "turn", "ended", "state"]) {
    document.addEventListener(`voice:${name}`, ({ detail }) => window.heard.push([name, detail]));
  }
"""
AGREED = "if (location.host) localStorage.setItem('voice.consent', '1.local');"
LOCK = """() => Promise.all(window.contexts.map(async (context) => {
  Object.defineProperty(context, "state", { configurable: true, value: "interrupted" });
  await context.suspend();
  context.dispatchEvent(new Event("statechange"));
}))"""
"""What WebKit does when the phone is locked: silence, and a state that only it knows."""
UNLOCK = """() => window.contexts.forEach((context) => {
  const resume = context.resume;
  context.resume = () => { delete context.state; return resume.call(context); };
})"""
"""From now on the sound comes back when it is asked for, and not before."""
TICK = b"\x00\x02\x00\xfe" * 120
"""Ten milliseconds, hardly to be heard."""
WITHDRAW = """() => {
  navigator.permissions.query = async () => ({ state: "denied" });
  window.streams.at(-1).getTracks().forEach((track) => { track.stop(); track.dispatchEvent(new Event("ended")); });
  window.refuse = "NotAllowedError";
}"""
"""What browsers do when the visitor blocks the microphone while it is open. (A page that stops a track itself is not
told of it.)"""
LOSE = """() => {
  ear.socket.dispatchEvent(new CloseEvent("close", { code: 1006 }));
  ear.socket.close();
}"""
"""The network takes the socket away: no close frame comes."""
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@asynccontextmanager
async def opened(visit: Visit, *, agreed: bool = True, attributes: str = "", **how: Any) -> AsyncIterator[Page]:
    """The widget of an article, open, with witnesses of what it asks of the browser and of what it plays."""
    scripts = [WITNESS, EAR, AGREED] if agreed else [WITNESS, EAR]
    async with visit(ARTICLE, scripts=scripts, **how) as page:
        if attributes:
            await page.locator("voice-widget").evaluate("(widget, name) => widget.setAttribute(name, '')", attributes)
        await page.get_by_role("button", name="Ask a question").click()
        yield page


def part(page: Page, name: str) -> Locator:
    return page.locator(f"voice-widget [part={name}]")


async def start(page: Page) -> None:
    await part(page, "main").click()
    await expect(part(page, "status")).to_have_text("Listening")


async def ask(page: Page, question: str) -> None:
    await part(page, "question").fill(question)
    await part(page, "question").press("Enter")


async def until_heard(page: Page) -> None:
    """Until the microphone takes a sound, as the browser's own beeps are."""
    async with asyncio.timeout(20):
        while not await page.locator("voice-widget").evaluate("widget => widget.client.level"):
            await page.wait_for_timeout(50)


async def test_the_microphone_is_not_touched_before_the_visitor_agrees(visit: Visit) -> None:
    async with opened(visit, agreed=False) as page:
        await part(page, "main").click()
        await expect(part(page, "consent")).to_be_visible()
        assert await page.evaluate("[window.asked, window.contexts.length]") == [0, 0]
        await page.get_by_role("button", name="I agree").click()
        await expect(part(page, "status")).to_have_text("Listening")
        assert await page.evaluate("window.asked") == 1


async def test_who_dials_early_is_asked_for_the_microphone_meanwhile(visit: Visit) -> None:
    async with opened(visit, attributes="warm") as page:
        await page.evaluate("() => { window.decision = new Promise((allow) => { window.allow = allow; }); }")
        await part(page, "main").click()
        async with asyncio.timeout(20):
            while "ready" not in dict(await page.evaluate("window.heard")):
                await page.wait_for_timeout(50)
        await expect(part(page, "status")).to_have_text("Please allow the microphone")
        await page.evaluate("window.allow()")
        await expect(part(page, "status")).to_have_text("Listening")
        await Ear(page).until_frames(5)


async def test_the_microphone_is_cleaned_of_echo_and_noise_and_hears_nothing_while_muted(visit: Visit) -> None:
    """The echo canceller knows what a media element plays, so the answer goes through one, and no other way."""
    async with opened(visit) as page:
        ear = Ear(page)
        await start(page)
        cleaned = {"echoCancellation": True, "noiseSuppression": True, "autoGainControl": True}
        assert await page.evaluate("window.wanted") == {"audio": {**cleaned, "channelCount": 1}}
        await ear.until_frames(10)
        await part(page, "second").click()
        await expect(part(page, "status")).to_have_text("Microphone is off")
        frames = await ear.frames()
        await ask(page, "How late is it open?")
        await ear.until_played(500)
        assert await ear.frames() == frames
        element = await page.evaluate("(({ paused, muted, volume }) => [paused, muted, volume])(window.element)")
        assert element == [False, False, 1]
        assert await page.evaluate("window.element.srcObject.active && window.element.currentTime > 0")
        assert await page.evaluate("window.direct") is False
        await part(page, "second").click()
        await ear.until_frames(frames)


async def test_who_refuses_the_microphone_types_and_is_answered_about_the_page(visit: Visit) -> None:
    """The question says nothing of the harbour; the article that they read does."""
    async with opened(visit) as page:
        await page.evaluate("window.refuse = 'NotAllowedError'")
        await part(page, "main").click()
        await expect(part(page, "hint")).to_contain_text("The microphone is blocked for this site.")
        await ask(page, "How late is it open?")
        log = page.locator("voice-widget").get_by_role("log")
        await expect(log).to_contain_text("The harbour shop is open from Tuesday to Saturday", timeout=90_000)
        source = page.locator("voice-widget").get_by_role("link", name="Opening hours of the harbour shop")
        if not await source.count():  # on a busy machine the first search may come too late for its answer
            await ask(page, "How late is it open?")
            await expect(source).to_be_visible(timeout=90_000)
        assert await source.get_attribute("rel") == "noopener noreferrer"
        heard = dict(await page.evaluate("window.heard"))
        assert heard["turn"]["question"] == "How late is it open?"
        assert heard["turn"]["answer"].startswith("The harbour shop is open")
        await part(page, "main").click()
        assert dict(await page.evaluate("window.heard"))["ended"] == {"reason": "client_hangup", "retryAt": None}


async def test_a_microphone_that_is_unplugged_can_be_turned_on_again(visit: Visit) -> None:
    async with opened(visit) as page:
        await start(page)
        await page.evaluate("window.streams[0].getTracks()[0].dispatchEvent(new Event('ended'))")
        await expect(part(page, "hint")).to_contain_text("The microphone was disconnected.")
        await part(page, "second").click()
        await expect(part(page, "status")).to_have_text("Listening")
        await expect(part(page, "hint")).to_be_empty()


async def test_a_sound_that_the_system_took_comes_back_by_a_press(visit: Visit) -> None:
    """A call: Chromium says "suspended"."""
    async with opened(visit) as page:
        await start(page)
        await page.evaluate("Promise.all(window.contexts.map((context) => context.suspend()))")
        await expect(part(page, "status")).to_have_text("Paused")
        await page.get_by_role("button", name="Go on").click()
        await expect(part(page, "status")).to_have_text("Listening")
        assert set(await page.evaluate("window.contexts.map(({ state }) => state)")) == {"running"}


async def test_a_phone_that_was_locked_goes_on_by_a_press(visit: Visit, tmp_path: Path) -> None:
    """The page is out of sight meanwhile; a press before the phone gives the sound back changes nothing.

    What the microphone hears is no speech for sure, which a busy machine may take the browser's beeps for: then the
    hint has gone before it is looked at.
    """
    ticking = speech.recording(tmp_path / "microphone.wav", *[TICK, 490] * 240)
    async with opened(visit, microphone=ticking, viewport=PHONE, has_touch=True) as page:
        await start(page)
        await page.evaluate(HIDE, True)
        await page.evaluate(LOCK)
        await expect(part(page, "status")).to_have_text("Paused")
        await expect(part(page, "hint")).to_contain_text("Something else has the sound just now")
        await page.evaluate(HIDE, False)
        await page.get_by_role("button", name="Go on").tap()
        await expect(part(page, "status")).to_have_text("Paused")
        await picture(page, "locked")
        await page.evaluate(UNLOCK)
        await page.get_by_role("button", name="Go on").tap()
        await expect(part(page, "status")).to_have_text("Listening")
        await expect(part(page, "hint")).to_contain_text("It is on again.")
        assert set(await page.evaluate("window.contexts.map(({ state }) => state)")) == {"running"}
        await until_heard(page)


async def test_a_permission_that_is_withdrawn_can_be_given_again(visit: Visit) -> None:
    """In mid-conversation, by the browser's address bar: the conversation goes on in writing."""
    async with opened(visit) as page:
        await start(page)
        await page.evaluate(WITHDRAW)
        await expect(part(page, "status")).to_have_text("Waiting for your question")
        await expect(part(page, "hint")).to_contain_text("The microphone is blocked for this site.")
        await picture(page, "withdrawn")
        await part(page, "second").click()  # still blocked
        await expect(part(page, "hint")).to_contain_text("The microphone is blocked for this site.")
        await page.evaluate("window.refuse = ''")
        await part(page, "second").click()
        await expect(part(page, "status")).to_have_text("Listening")
        await expect(part(page, "hint")).to_be_empty()
        await until_heard(page)


async def test_a_page_out_of_sight_does_not_listen(visit: Visit) -> None:
    async with opened(visit) as page:
        await start(page)
        await page.evaluate(HIDE, True)
        assert await page.evaluate("window.streams[0].getTracks()[0].enabled") is False
        await expect(part(page, "status")).to_have_text("Microphone is off")
        await page.evaluate(HIDE, False)
        assert await page.evaluate("window.streams[0].getTracks()[0].enabled") is True
        await expect(part(page, "hint")).to_contain_text("It is on again.")


async def test_a_page_out_of_sight_does_not_dial_again_until_it_is_seen(visit: Visit) -> None:
    async with opened(visit) as page:
        ear = Ear(page)
        await page.clock.install()
        await start(page)
        await page.evaluate(HIDE, True)
        await page.evaluate(LOSE)
        await expect(part(page, "status")).to_have_text("Connecting again")
        await page.clock.fast_forward(60_000)
        await page.wait_for_timeout(500)  # whoever dials does so at once, and has a ticket by then
        assert await ear.sockets() == 1
        await page.evaluate(HIDE, False)
        await expect(part(page, "status")).to_have_text("Listening")
        assert await ear.sockets() == 2


async def test_the_conversation_goes_on_when_the_network_is_back(visit: Visit) -> None:
    async with opened(visit) as page:
        await start(page)
        await page.context.set_offline(True)
        await expect(part(page, "status")).to_have_text("Connecting again")
        await expect(part(page, "hint")).to_contain_text("You are offline.")
        await picture(page, "offline-really")
        await page.context.set_offline(False)
        await expect(part(page, "status")).to_have_text("Listening", timeout=20_000)


async def test_gaps_in_the_answer_are_counted_and_told(visit: Visit, witnessed: Witnessed) -> None:
    """A page that has other things to do for longer than the audio lasts which it was given in advance."""
    async with opened(visit) as page:
        ear = Ear(page)
        await ask(page, "How late is it open?")
        await expect(part(page, "status")).to_have_text("Speaking", timeout=90_000)
        await ear.until_played(250)
        await page.evaluate("const until = performance.now() + 3_500; while (performance.now() < until);")
        await ear.until_sent("playback", lambda report: report["underruns"] > 0)
        counted = (await ear.sent("playback"))[-1]
        session = (await ear.messages("session.ready"))[0]["session_id"]
        async with asyncio.timeout(10):
            while not any(fact.get("underruns", 0) for fact in witnessed(session)):
                await page.wait_for_timeout(50)
        told = next(fact for fact in witnessed(session) if fact.get("underruns", 0))
        assert 0 < told["underruns"] <= counted["underruns"]


async def test_who_reloads_the_page_in_mid_answer_is_not_locked_out(visit: Visit) -> None:
    async with opened(visit) as page:
        await ask(page, "How late is it open?")
        await expect(part(page, "status")).to_have_text("Speaking", timeout=90_000)
        await page.reload()
        await expect(part(page, "status")).to_have_text("Waiting for your question")
        assert await page.evaluate("window.asked") == 0, "the microphone waits for a press"
        await part(page, "second").click()
        await expect(part(page, "status")).to_have_text("Listening")


async def test_by_push_to_talk_a_question_is_what_was_said_while_the_button_was_held(
    visit: Visit, tmp_path: Path
) -> None:
    question = speech.spoken("Are your shops open on Sundays and public holidays?", "en")
    microphone = speech.recording(tmp_path / "microphone.wav", 2_500, question, 15_000)
    async with opened(visit, microphone=microphone, attributes="push-to-talk") as page:
        await part(page, "main").click()
        await expect(part(page, "status")).to_have_text("Hold the button to talk")
        await page.keyboard.down("Space")
        await expect(part(page, "main")).to_have_attribute("aria-pressed", "true")
        await expect(part(page, "main")).to_have_text("Let go to send")
        await page.wait_for_timeout(2_500 + len(question) / 48 + 500)
        await page.keyboard.up("Space")
        log = page.locator("voice-widget").get_by_role("log")
        await expect(log).to_contain_text("on Sundays and public holidays", ignore_case=True, timeout=20_000)
        await expect(part(page, "status")).to_have_text("Speaking", timeout=20_000)


async def test_a_server_that_restarts_is_found_again(visit: Visit, tmp_path: Path, collected: dict[str, str]) -> None:
    """By the same page, without a press, and with the microphone still open. (It hears nothing.)"""
    silence = speech.recording(tmp_path / "microphone.wav", 1_000)
    async with RealtimeServer() as upstream, AsyncExitStack() as serving:
        there = collected | {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": upstream.url}  # it starts in no time

        async def served(**how: Any) -> Demo:
            running = demo.running(tmp_path, **how, **there)
            site = await asyncio.to_thread(running.__enter__)
            serving.push_async_callback(asyncio.to_thread, running.__exit__, None, None, None)
            return site

        first = await served()
        async with visit("/", user="", microphone=silence) as page:
            await page.add_init_script(f"{WITNESS}; Math.random = () => 0.99;")  # the longest pauses
            await page.clock.install()
            await page.goto(f"{first.url}/accounts/login/?next={ARTICLE}")
            await log_in(page, first, await asyncio.to_thread(first.add_user, "restarted"))
            await page.wait_for_url(f"**{ARTICLE}")
            await page.get_by_role("button", name="Ask a question").click()
            await part(page, "main").click()
            await page.get_by_role("button", name="I agree").click()
            await expect(part(page, "status")).to_have_text("Listening")
            await serving.aclose()
            await expect(part(page, "status")).to_have_text("Connecting again")
            # How long a server takes to start is not what is asked here: the page's clock waits for it.
            await page.clock.pause_at(await page.evaluate("Date.now() + 100"))
            await served(port=int(first.url.rpartition(":")[2]))
            await page.clock.resume()
            await expect(part(page, "status")).to_have_text("Listening", timeout=90_000)
            assert await page.evaluate("window.asked") == 1
            upstream.script.answers.append(Answer("At the harbour until seven."))
            await ask(page, "How late is it open?")
            await expect(page.locator("voice-widget").get_by_role("log")).to_contain_text("harbour", timeout=90_000)
