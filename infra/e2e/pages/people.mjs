// What people do about people: become somebody by a link, sign in and out, invite, set
// a forgotten password, be refused, make tokens.
import { refused, somebody } from "./person.mjs";
import { follow, pathname } from "./tabs.mjs";

// become opens a set-up link or an invitation and makes an account there.
export function become(tabs, { person: who, url, email, password }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await page.goto(url);
    await page.getByLabel("Your name").fill(who.name);
    const address = page.getByLabel("Mail address");
    if (await address.isEditable()) await address.fill(email);
    else if ((await address.inputValue()) !== email) person.problem(`the invitation is for ${await address.inputValue()}`);
    await page.getByLabel("Password").fill(password);
    await follow(page, page.getByRole("button", { name: "Create my account" }));
    await person.reads(page.locator(".menu > summary"), who.name, "who is signed in");
    await refused(page, problems, 404, () => page.goto(url)); // it works once
    await person.reads(page.locator("h1"), "does not work any more", "what the link says the second time");
  });
}

// signInAndOut signs out, in with a wrong password, and in.
export function signInAndOut(tabs, { person: who, url, email, password }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    const wanted = new URL("/account", url).href;
    await signOut(page, url);
    await refused(page, problems, 401, () => page.goto(wanted));
    await page.waitForURL("**/sign-in?*"); // it leads there by itself
    await refused(page, problems, 422, () => signIn(page, email, `not ${password}`));
    await person.reads(page.locator(".error"), "No account has this mail address and password", "the refusal");
    await signIn(page, email, password);
    if (page.url() !== wanted) person.problem(`signing in led to ${pathname(page.url())}, want ${pathname(wanted)}`);
  });
}

async function signOut(page, url) {
  await page.goto(url);
  await page.locator(".menu > summary").click();
  await follow(page, page.getByRole("button", { name: "Sign out" }));
}

async function signIn(page, email, password) {
  await page.getByLabel("Mail address").fill(email);
  await page.getByLabel("Password").fill(password);
  await follow(page, page.getByRole("button", { name: "Sign in", exact: true }));
}

// invite makes a link for somebody who shall have a role in the first team.
export function invite(tabs, { person: who, url, email, role }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await page.goto(url);
    await follow(page, page.getByRole("link", { name: "Teams", exact: true }));
    await follow(page, page.locator("main").getByRole("link").first());
    await follow(page, page.getByRole("link", { name: "Invite somebody" }));
    await page.getByLabel("Mail address").fill(email);
    await page.getByLabel("Role in the team").selectOption({ label: role });
    await follow(page, page.getByRole("button", { name: "Make a link" }));
    const link = await handedOver(page, person);
    await follow(page, page.getByRole("link", { name: "Done" }));
    await person.reads(page.locator("main"), email, "the list of invitations");
    return { link };
  });
}

// linkForPassword makes a link by which somebody else can set a new password.
export function linkForPassword(tabs, { person: who, url, name }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await page.goto(url);
    await page.locator(".menu > summary").click();
    await follow(page, page.getByRole("link", { name: "Users" }));
    await follow(page, page.getByRole("link", { name, exact: true }));
    await follow(page, page.getByRole("button", { name: "Make a link for a new password" }));
    return { link: await handedOver(page, person) };
  });
}

async function handedOver(page, person) {
  await person.sees(page.locator("#link"), "the link to hand over");
  return (await page.locator("#link").innerText()).trim();
}

// setPassword opens a link and sets a password, with which its owner is signed in.
export function setPassword(tabs, { person: who, url, email, password }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await page.goto(url);
    await page.getByLabel("New password").fill(password);
    await follow(page, page.getByRole("button", { name: "Set password" }));
    if (pathname(page.url()) === "/sign-in") await signIn(page, email, password);
    await person.reads(page.locator(".menu > summary"), who.name, "who is signed in with the new password");
  });
}

// isRefused sees a page without buttons that change anything, and another one not at
// all.
export function isRefused(tabs, { person: who, issue, url }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await page.goto(issue);
    const buttons = await page.locator("main form[method=post] button:visible").allInnerTexts();
    if (buttons.length > 0) person.problem(`a viewer has the buttons ${buttons.join(", ")}`);
    await refused(page, problems, 403, () => page.goto(url));
    await person.reads(page.locator("h1"), "Not allowed", "the heading of the refusal");
  });
}

// makeToken makes a personal token, reads it, and takes it back.
export function makeToken(tabs, { person: who, url, name }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await page.goto(new URL("/account/tokens", url).href);
    await page.getByLabel("Name").fill(name);
    await follow(page, page.getByRole("button", { name: "Make token" }));
    const text = (await page.locator("#new-token").innerText()).trim();
    if (!/^sdw_[a-z2-7]{52}$/.test(text)) person.problem(`the token is ${JSON.stringify(text)}`);
    await person.reads(page.locator(".tokens"), name, "the list of tokens");
    await page.goto(page.url()); // not by reload, which would send the form again
    if (await page.locator("#new-token").count()) person.problem("the token is shown a second time");
    await follow(page, page.getByRole("button", { name: `Revoke ${name}` }));
    if (await page.locator(".tokens").count()) person.problem("the revoked token is still listed");
  });
}
