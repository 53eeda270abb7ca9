// A browser that the Go test drives: each line of standard input is a command in
// JSON, each line of standard output its answer, {"problems": [...], ...}.
// A problem is a sentence about what a page should show or do and does not.
// The session ends with its input.
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

import { addAlertRule, deleteAlertRule, followMessage, readAlerts } from "./alerts.mjs";
import { addChannel, refuseChannel, retryMessage } from "./channels.mjs";
import { downloadAll } from "./download.mjs";
import { useFactors, useProvider } from "./factors.mjs";
import { createProject, readEvent, readState, setState } from "./journey.mjs";
import { readLimited, readOpen, setLimits } from "./limits.mjs";
import { openPage, readLive } from "./live.mjs";
import { takePictures } from "./pictures.mjs";
import { become, invite, isRefused, linkForPassword, makeToken, setPassword, signInAndOut } from "./people.mjs";
import { readFiltered, setPrivacy } from "./privacy.mjs";
import { awaitFirstEvent, saveSearch, search, startProject } from "./projects.mjs";
import { keepAtMost, removePerson } from "./retention.mjs";
import { changeProject, deleteProject } from "./settings.mjs";
import { pressButton } from "./shop.mjs";
import { readMinified, readSource } from "./sources.mjs";
import { askSQL } from "./sql.mjs";
import { readSystem } from "./system.mjs";
import { Tabs } from "./tabs.mjs";
import { workOn } from "./triage.mjs";

const commands = {
  keepCookie, createProject, readEvent, readState, setState, takePictures, pressButton, downloadAll, useFactors,
  useProvider, become, invite, isRefused, linkForPassword, makeToken, setPassword, signInAndOut, awaitFirstEvent,
  saveSearch, search, startProject, workOn, changeProject, deleteProject, addChannel, refuseChannel, retryMessage,
  readFiltered, setPrivacy, keepAtMost, removePerson, addAlertRule, deleteAlertRule, followMessage, readAlerts,
  readSystem, readLimited, readOpen, setLimits, openPage, readLive, readSource, readMinified, askSQL,
};

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  headless: true,
  args: [
    "--no-sandbox", // containers have no user namespaces to build one from
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
const tabs = new Tabs(browser);

// keepCookie gives a cookie to every tab that is opened from now on.
function keepCookie(tabs, { url, name, value }) {
  tabs.cookies.push({ url, name, value });
}

async function run({ do: name, ...command }) {
  if (!(name in commands)) throw new Error(`there is no command ${name}`);
  const problems = [];
  try {
    const answer = await commands[name](tabs, command, problems);
    return { ...answer, problems };
  } catch (error) {
    return { problems: [...problems, String(error.stack ?? error)] };
  }
}

try {
  for await (const line of createInterface({ input: process.stdin })) {
    let answer;
    try {
      answer = await run(JSON.parse(line));
    } catch (error) {
      answer = { problems: [String(error.stack ?? error)] };
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
  }
} finally {
  await browser.close();
}
