"""The client's parts by themselves, in a real browser: no server, no session."""

import itertools

import pytest
from selenium import webdriver

from tests.browser.chromium import run_js

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: webdriver.Chrome, static_url: str) -> webdriver.Chrome:
    browser.get(f"{static_url}/icon.svg")
    return browser


def timeline(page: webdriver.Chrome, body: str) -> object:
    return run_js(page, "const { Timeline } = await import('/element/timeline.js'); const t = new Timeline();" + body)


def test_playback_runs_a_lead_behind_what_arrives(page: webdriver.Chrome) -> None:
    assert timeline(page, "t.arrive(48000); return t.position;") == 48000 - 2400


def test_late_media_stretches_the_lead_once_and_is_not_lost(page: webdriver.Chrome) -> None:
    late = timeline(page, "t.arrive(0); t.advance(4000, true); t.arrive(960); return [t.late, t.position, t.lead];")
    assert late == [1, 960 - 3120, 3120]


def test_after_a_flush_the_next_media_is_played_as_soon_as_possible(page: webdriver.Chrome) -> None:
    jump = timeline(page, "t.arrive(0); t.arrive(9600); t.skipAhead(); t.arrive(11520); return t.position;")
    assert jump == 11520 - 2400


def test_delay_that_has_grown_is_won_back_in_silence_only(page: webdriver.Chrome) -> None:
    body = """
        const early = 9600;
        const delay = () => Math.round(k * 960 + early - t.position);
        let k = 0;
        const play = (silent) => {
            for (let end = k + 60; k < end; k++) { t.arrive(k * 960 + early); t.advance(960, silent); }
            return delay();
        };
        t.arrive(0);
        return [play(false), play(true)];
    """
    talking, silent = timeline(page, body)
    assert talking == 9600 + 2400
    assert 2400 <= silent <= 2400 + 720


def test_a_clock_far_away_starts_afresh(page: webdriver.Chrome) -> None:
    assert timeline(page, "t.arrive(0); t.arrive(24000 * 60); return t.position;") == 24000 * 60 - 2400


def test_late_pictures_wait_for_a_pause_in_speech(page: webdriver.Chrome) -> None:
    body = """
        t.arrive(0);
        t.advance(12000, false);
        const before = t.position;
        t.arriveHeard(before - 4800);
        const moved = t.position - before;
        let stretched = 0;
        while (t.stretch(120)) stretched += 120;
        t.arriveHeard(before + 960);
        return [moved, stretched, t.stretch(120)];
    """
    moved, stretched, more = timeline(page, body)
    assert moved == 0
    assert 4800 <= stretched <= 4800 + 2400
    assert not more


RESAMPLE = """
    const [rate, frequency] = args;
    const context = new OfflineAudioContext(1, rate, rate);
    await context.audioWorklet.addModule("/element/microphone-worklet.js");
    const node = new AudioWorkletNode(context, "vasari-microphone", { numberOfOutputs: 0, channelCount: 1 });
    const heard = [];
    node.port.onmessage = ({ data }) => heard.push(...new Int16Array(data.pcm));
    const tone = new OscillatorNode(context, { frequency });
    tone.connect(new GainNode(context, { gain: 0.5 })).connect(node);
    tone.start();
    await context.startRendering();
    while (heard.length < 23000) await new Promise((resolve) => setTimeout(resolve, 10));
    const middle = heard.slice(2400, 2400 + 19200);
    let real = 0, imaginary = 0, power = 0;
    middle.forEach((value, i) => {
        const phase = (2 * Math.PI * frequency * i) / 24000;
        real += value * Math.cos(phase);
        imaginary += value * Math.sin(phase);
        power += value * value;
    });
    const n = middle.length;
    return [(2 * Math.hypot(real, imaginary)) / n / 32767, Math.sqrt(power / n) / 32767];
"""


@pytest.mark.parametrize(("rate", "frequency"), [(48000, 500), (48000, 10000), (44100, 1000), (16000, 1000)])
def test_the_microphone_keeps_speech(page: webdriver.Chrome, rate: int, frequency: int) -> None:
    amplitude, rms = run_js(page, RESAMPLE, rate, frequency)
    assert amplitude == pytest.approx(0.5, rel=0.05)
    assert rms == pytest.approx(0.5 / 2**0.5, rel=0.05)


def test_the_microphone_does_not_fold_high_sounds_into_speech(page: webdriver.Chrome) -> None:
    _, rms = run_js(page, RESAMPLE, 48000, 14000)
    assert rms < 0.005


PLAY = """
    // Two parts of a response with a gap, then a flush while a third waits.
    const context = new OfflineAudioContext(1, 24000, 24000);
    for (const file of ["timeline", "playback-worklet"]) await context.audioWorklet.addModule(`/element/${file}.js`);
    const node = new AudioWorkletNode(context, "vasari-playback", { outputChannelCount: [1] });
    node.connect(context.destination);
    const part = (start, value, response) => ({
        kind: "sound", start, samples: new Float32Array(2400).fill(value), response, item: `item of ${response}`,
    });
    context.suspend(0.25).then(() => {
        node.port.postMessage({ kind: "flush", response: "b" });
        setTimeout(() => context.resume(), 100);
    });
    for (const message of [part(0, 0.25, "a"), part(3600, 0.5, "a"), part(6000, 0.75, "b")])
        node.port.postMessage(message);
    await new Promise((resolve) => setTimeout(resolve, 100));
    return [...(await context.startRendering()).getChannelData(0)];
"""


def test_sound_is_played_at_its_place_and_a_flush_is_at_once(page: webdriver.Chrome) -> None:
    sound = run_js(page, PLAY)
    lead = 2400
    assert max(map(abs, sound[:lead])) == 0
    assert set(sound[lead : lead + 2400]) == {0.25}
    assert max(map(abs, sound[lead + 2500 : lead + 3600])) < 0.01
    assert set(sound[6000:8400]) == {0.5}
    assert max(map(abs, sound[8500:])) < 0.01


STRETCH = """
    // A word, a pause and a word, while a picture comes 100 ms late.
    const context = new OfflineAudioContext(1, 24000, 24000);
    for (const file of ["timeline", "playback-worklet"]) await context.audioWorklet.addModule(`/element/${file}.js`);
    const node = new AudioWorkletNode(context, "vasari-playback", { outputChannelCount: [1] });
    node.connect(context.destination);
    const samples = new Float32Array(9600).fill(0.5).fill(0, 3200, 6400);
    context.suspend(0.2).then(() => {
        node.port.postMessage({ kind: "picture", start: 0 });
        setTimeout(() => context.resume(), 100);
    });
    node.port.postMessage({ kind: "sound", start: 0, samples, response: "a", item: "a" });
    await new Promise((resolve) => setTimeout(resolve, 100));
    return [...(await context.startRendering()).getChannelData(0)];
"""


def test_a_pause_is_stretched_for_late_pictures_and_no_word_is_broken(page: webdriver.Chrome) -> None:
    sound = run_js(page, STRETCH)
    loud = [i for i, value in enumerate(sound) if value == 0.5]
    gaps = [(a, b) for a, b in itertools.pairwise(loud) if b - a > 1]
    assert len(loud) == 6400
    assert len(gaps) == 1
    (before, after), late = gaps[0], 2400
    assert after - before > 3200 + late


SHORTEN = """
    // Five words with pauses between them; from the second one on, pictures come 300 ms earlier than they need to.
    const context = new OfflineAudioContext(1, 24000 * 3.5, 24000);
    for (const file of ["timeline", "playback-worklet"]) await context.audioWorklet.addModule(`/element/${file}.js`);
    const node = new AudioWorkletNode(context, "vasari-playback", { outputChannelCount: [1] });
    node.connect(context.destination);
    const samples = new Float32Array(72000);
    for (let i = 0; i < 72000; i++) samples[i] = i % 14400 < 9600 ? 0.5 : 0;
    for (const at of [0.6, 1.1, 1.6, 2.1, 2.6]) {
        context.suspend(at).then(() => {
            node.port.postMessage({ kind: "picture", start: 24000 * at + args[0] });
            setTimeout(() => context.resume(), 100);
        });
    }
    const heard = [];
    node.port.onmessage = ({ data }) => heard.push(data.heard);
    node.port.postMessage({ kind: "sound", start: 0, samples, response: "a", item: "a" });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const sound = (await context.startRendering()).getChannelData(0);
    for (let told = -1; told !== heard.length; ) {
        told = heard.length;
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return [sound.filter((value) => value === 0.5).length, sound.lastIndexOf(0.5), heard.at(-1)];
"""


def test_a_delay_is_won_back_in_pauses_and_no_word_is_broken(page: webdriver.Chrome) -> None:
    loud, last, heard = run_js(page, SHORTEN, 7200)
    assert loud == 5 * 9600
    assert 2400 + 72000 - 4800 - 7200 <= last <= 2400 + 72000 - 4800 - 3 * 1200
    assert heard == pytest.approx(72000, abs=512)
    _, last, _ = run_js(page, SHORTEN, 0)
    assert last == 2400 + 72000 - 4800 - 1


CAPTIONS = """
    const { Captions } = await import("/element/captions.js");
    const lines = new Map();
    const captions = new Captions((line) => lines.set(line.id, line));
    const tell = (type, more) => captions.event({ type, response_id: "r", item_id: "a", ...more });
    const say = (delta) => tell("response.output_audio_transcript.delta", { delta });
    const word = (text, audio_offset_ms) => tell("response.audio_timestamp.delta", { text, audio_offset_ms });
"""


def test_an_interrupted_answer_keeps_only_what_was_heard(page: webdriver.Chrome) -> None:
    line = run_js(
        page,
        CAPTIONS
        + """
        say("I see many ");
        say("faces here.");
        ["I", "see", "many", "faces"].forEach((text, i) => word(text, i * 200));
        captions.progress("a", 450);
        const before = lines.get("a");
        captions.event({ type: "response.done", response: { id: "r", status: "cancelled" } });
        say(" More.");
        return [before.text.slice(0, before.heard), lines.get("a").text, lines.get("a").interrupted];
    """,
    )
    assert line == ["I see many", "I see many", True]


def test_noise_that_was_no_speech_leaves_no_caption(page: webdriver.Chrome) -> None:
    text = run_js(
        page,
        CAPTIONS
        + """
        captions.event({ type: "input_audio_buffer.speech_started", item_id: "u" });
        captions.event({
            type: "conversation.item.input_audio_transcription.completed", item_id: "u", transcript: " ",
        });
        return [lines.get("u").text, lines.get("u").final];
    """,
    )
    assert text == ["", True]


def test_lips_are_pushed_and_never_cross(page: webdriver.Chrome) -> None:
    moved = run_js(
        page,
        """
        const { push } = await import("/page/landmarks.js");
        const points = {
            left_iris: [10, 0], right_iris: [-10, 0], chin: [0, 50],
            upper_lip_top: [0, 20], upper_lip_bottom: [1, 31], lower_lip_top: [2, 25], lower_lip_bottom: [3, 30],
        };
        return [push(points, "upper_lip_bottom"), points.upper_lip_top, points.lower_lip_top, push(points, "chin")];
    """,
    )
    assert moved == [["lower_lip_top", "lower_lip_bottom"], [0, 20], [2, 31], []]


def test_the_points_of_a_face_follow_the_first_that_are_placed(page: webdriver.Chrome) -> None:
    moved = run_js(
        page,
        """
        const { follow } = await import("/page/landmarks.js");
        const before = { left: [10, 0], right: [0, 0], chin: [5, 10] };
        const shifted = follow(["chin"], ["left"], before, { ...before, left: [13, 4] });
        const larger = follow(["chin"], ["left", "right"], before, { ...before, left: [20, 0] });
        const turned = follow(["chin"], ["left", "right"], before, { ...before, left: [0, 10] });
        return [shifted.chin, larger.chin, turned.chin];
    """,
    )
    assert moved == [[8, 14], [10, 20], [-10, 5]]


def test_captions_show_the_sentence_that_is_heard_and_parts_of_long_ones(page: webdriver.Chrome) -> None:
    long = "It is one of those very long sentences that nobody would read at once, and so it is shown in parts."
    text = f"Well, hello. {long} Bye!"
    shown = run_js(
        page,
        """
        const { portion } = await import("/element/subtitles.js");
        const [text] = args, parts = [];
        for (let heard = 0; heard <= text.length; heard++) {
            const [begin, end] = portion(text, heard);
            if (heard > end) throw new Error(`${heard} is not within ${begin} to ${end}`);
            if (parts.at(-1) !== text.slice(begin, end)) parts.push(text.slice(begin, end));
        }
        return parts;
        """,
        text,
    )
    assert " ".join(shown) == text
    assert shown[0] == "Well, hello."
    assert shown[-1] == "Bye!"
    assert len(shown) == 4
    assert max(map(len, shown)) <= 84


@pytest.mark.parametrize(("text", "whole"), [("", ""), ("Yes", "Yes"), ("  Hm … ", "Hm …"), ("a" * 200, "a" * 84)])
def test_captions_of_odd_texts(page: webdriver.Chrome, text: str, whole: str) -> None:
    body = "const { portion } = await import('/element/subtitles.js'); return args[0].slice(...portion(args[0], 0));"
    assert run_js(page, body, text) == whole
