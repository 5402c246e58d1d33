// Opens pages in headless Chromium and says what a person would complain about.
//
// One JSON line in, one JSON line out, until stdin ends: {url, width, height, dark, media, screenshot, whole} gives
// {status, title, text, overflow, violations, problems, requests, dialogs, scripts}. With `form`, pairs of a selector and
// a value (none: a click), it fills the page's form and looks at what comes of sending it. Driven by browser.py.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";
import { unpackedChromium } from "./unpack.mjs";

const axeSource = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const { program, environment } = await unpackedChromium();
const browser = await puppeteer.launch({
  executablePath: program,
  env: environment,
  headless: "shell",
  args: ["--no-sandbox", "--no-zygote", "--disable-gpu", "--disable-dev-shm-usage", "--font-render-hinting=none", "--hide-scrollbars"],
});

process.stdout.write(`${JSON.stringify({ ready: await browser.version() })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const answer = await look(JSON.parse(line)).catch((problem) => ({ failed: String(problem.stack ?? problem) }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();

async function look({ url, width, height, dark, media, screenshot, whole, form }) {
  const page = await browser.newPage();
  try {
    const seen = listen(page, url);
    await page.setViewport({ width, height, deviceScaleFactor: 1 });
    // Both in one call: Puppeteer's emulateMediaFeatures, called after emulateMediaType, takes the medium back.
    const devtools = await page.createCDPSession();
    const features = [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }];
    await devtools.send("Emulation.setEmulatedMedia", { media, features });
    const opened = await page.goto(url, { waitUntil: "load", timeout: 30_000 });
    const response = form.length ? await sent(page, form) : opened;
    const measured = await page.evaluate(measure);
    if (screenshot) await page.screenshot({ path: screenshot, fullPage: whole });
    await page.evaluate(axeSource);
    const violations = await page.evaluate(audit);
    return { status: response?.status() ?? 0, ...measured, violations, ...seen };
  } finally {
    await page.close();
  }
}

async function sent(page, form) {
  const answered = page.waitForNavigation({ waitUntil: "load", timeout: 30_000 });
  for (const [selector, value] of form) {
    if (value === null) await page.click(selector);
    else await page.type(selector, value);
  }
  return answered;
}

function listen(page, url) {
  const seen = { problems: [], requests: [], dialogs: [] };
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) seen.problems.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => seen.problems.push(`exception: ${error.message}`));
  page.on("requestfailed", (request) => seen.problems.push(`request failed: ${request.url()}`));
  page.on("request", (request) => {
    if (request.url() !== url) seen.requests.push(request.url());
  });
  page.on("dialog", (dialog) => {
    seen.dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  return seen;
}

// Runs in the page. An element sticks out when it ends right of the window and no ancestor scrolls or clips it.
function measure() {
  const limit = document.documentElement.clientWidth;
  const contained = (element) => {
    for (let up = element.parentElement; up && up !== document.body; up = up.parentElement) {
      if (getComputedStyle(up).overflowX !== "visible") return true;
    }
    return false;
  };
  const name = (element) => `${element.tagName.toLowerCase()}.${element.getAttribute("class") ?? ""}`;
  const sticksOut = (element) => element.getBoundingClientRect().right > limit + 0.5 && !contained(element);
  const overflow = document.documentElement.scrollWidth > limit
    ? [...document.body.querySelectorAll("*")].filter(sticksOut).slice(0, 5).map(name).concat(`page: ${document.documentElement.scrollWidth} px`)
    : [];
  const scripts = document.scripts.length
    + [...document.querySelectorAll("*")].filter((e) => [...e.attributes].some((a) => a.name.startsWith("on"))).length;
  return { title: document.title, text: document.body.innerText, overflow, scripts };
}

async function audit() {
  const { violations } = await axe.run(document, { resultTypes: ["violations"], preload: false });
  return violations.map(({ id, impact, help, nodes }) => ({
    id, impact, help, where: nodes.slice(0, 3).map((node) => `${node.target.join(" ")}: ${node.failureSummary}`),
  }));
}
