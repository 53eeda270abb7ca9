// What people do to sign in otherwise than by a password alone: with an authenticator
// app, a recovery code, a passkey, or an account at a provider.
import { createHmac } from "node:crypto";

import { Reader } from "./reader.mjs";
import { follow, watch } from "./tabs.mjs";

// someone calls act(page, person) with a tab in which nobody is signed in at first.
function someone(tabs, name, problems, act) {
  return tabs.with(name, { options: {}, watch }, problems, (page) => act(page, new Reader(page, problems)));
}

// useFactors sets up an app and a passkey, and signs in with each of them.
export function useFactors(tabs, { url, email, password }, problems) {
  return someone(tabs, "factors", problems, async (page, person) => {
    const security = new URL("/account/security", url).href;
    const arrived = async (by) => {
      if (page.url() !== security) person.problem(`${by} led to ${page.url()}`);
      await person.reads(page.locator("main [aria-current=page]"), "Security", `the tab after ${by}`);
    };
    const byPassword = async () => {
      await page.goto(new URL("/sign-in?next=/account/security", url).href);
      await page.getByLabel("Mail address").fill(email);
      await page.getByLabel("Password").fill(password);
      await follow(page, page.getByRole("button", { name: "Sign in", exact: true }));
    };

    await byPassword();
    await arrived("the password alone");
    const { secret, codes } = await setUpApp(page, person);
    await arrived("the recovery codes");
    await signOut(page);
    await byPassword();
    await person.reads(page.locator("h1"), "One more step", "the heading after the password");
    await page.getByLabel("Code of your authenticator app").fill(code(secret, Date.now() + 30_000)); // each works once
    await follow(page, page.getByRole("button", { name: "Continue" }));
    await arrived("the app's code");

    await addPasskey(page, person);
    await signOut(page);
    await byPassword();
    await Promise.all([page.waitForURL(security), page.getByRole("button", { name: "Use a passkey" }).click()]);
    await arrived("password and passkey");
    await signOut(page);
    await page.goto(new URL("/sign-in?next=/account/security", url).href);
    await Promise.all([page.waitForURL(security), page.getByRole("button", { name: "Use a passkey" }).click()]);
    await arrived("the passkey alone");

    await signOut(page);
    await byPassword();
    await page.getByLabel("Code of your authenticator app").fill(codes[0]);
    await follow(page, page.getByRole("button", { name: "Continue" }));
    await arrived("a recovery code");
    await person.sees(page.getByText("9 codes left"), "how many recovery codes are left");
  });
}

// setUpApp does what a person does with an app and returns what the app was told.
async function setUpApp(page, person) {
  await follow(page, page.getByRole("button", { name: "Set up" }));
  const drawn = await page.getByAltText("QR code").evaluate((image) => image.complete && image.naturalWidth > 0);
  if (!drawn) person.problem("the QR code is not drawn");
  const secret = (await page.locator("#totp-secret").innerText()).replaceAll(" ", "");
  await page.getByLabel("Code", { exact: true }).fill(code(secret, Date.now()));
  await follow(page, page.getByRole("button", { name: "Switch on" }));
  const codes = (await page.locator("#recovery-codes").innerText()).trim().split(/\s+/);
  if (codes.length !== 10) person.problem(`${codes.length} recovery codes`);
  await follow(page, page.getByRole("link", { name: "I have kept them" }));
  return { secret, codes };
}

// addPasskey makes one on a device that the browser pretends to have.
async function addPasskey(page, person) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  await page.getByLabel("Name of the new passkey").fill("My laptop");
  await follow(page, page.getByRole("button", { name: "Add a passkey" }));
  await person.reads(page.locator(".things"), "My laptop", "the list of passkeys");
}

// useProvider signs in by the provider, where a person has a name, and returns to
// where they wanted to go. refusal is what they read if they may not.
export function useProvider(tabs, { url, name, refusal }, problems) {
  // The provider's pages are not ours to judge; their font stays where it is.
  const quiet = { options: {}, watch: (page, report) => page.on("pageerror", (error) => report(`exception: ${error.message}`)) };
  return tabs.with(`provider ${name}`, quiet, problems, async (page) => {
    await page.route((to) => !["127.0.0.1", "localhost"].includes(to.hostname), (route) => route.abort());
    const person = new Reader(page, problems);
    await page.goto(new URL("/sign-in?next=/account/security", url).href);
    await follow(page, page.getByRole("link", { name: "Sign in with Example" }));
    await page.locator("input[name=login]").fill(name);
    await page.locator("input[name=password]").fill("any");
    await follow(page, page.getByRole("button", { name: "Sign-in" }));
    if (refusal) {
      await follow(page, page.getByRole("button", { name: "Continue" }));
      await person.reads(page.locator(".notice"), refusal, "the refusal");
      return;
    }
    const wanted = new URL("/account/security", url).href;
    await Promise.all([page.waitForURL(wanted), page.getByRole("button", { name: "Continue" }).click()]);
    await person.reads(page.locator(".menu > summary"), name, "who is signed in");
    await person.sees(page.getByRole("heading", { name: "Other accounts" }), "the account at the provider");
  });
}

async function signOut(page) {
  await page.locator(".menu > summary").click();
  await follow(page, page.getByRole("button", { name: "Sign out" }));
}

// code is what an app with a secret shows at a time (RFC 6238).
function code(secret, at) {
  const bits = [...secret].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const sum = createHmac("sha1", key).update(step).digest();
  return String((sum.readUInt32BE(sum.at(-1) & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}
