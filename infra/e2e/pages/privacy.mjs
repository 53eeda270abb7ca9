// What admins do so that secrets stay where they are.
import { findBarriers } from "./axe.mjs";
import { refused, somebody } from "./person.mjs";
import { follow } from "./tabs.mjs";

// setPrivacy finds the settings, mistypes a pattern, tries a good one out, and saves.
export function setPrivacy(tabs, { person: who, project, name }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    const checked = (what) => (who.plain ? undefined : findBarriers(page, {}, (barrier) => person.problem(`${what}: ${barrier}`)));
    await page.goto(project + "/settings");
    await follow(page, page.getByRole("link", { name: "Privacy" }));
    await checked("the settings");

    await page.getByLabel("Patterns").fill("order-(\\d+");
    const save = () => follow(page, page.getByRole("button", { name: "Save" }));
    await (who.plain ? save() : refused(page, problems, 422, save));
    await person.reads(page.getByRole("alert"), "Line 1", "what is wrong with the pattern");
    await checked("the form that came back");
    who.plain && problems.splice(0, Infinity, ...problems.filter((problem) => !problem.includes("422")));

    await page.getByLabel("Patterns").fill("order-\\d+");
    await page.getByLabel("More secret names").fill(name);
    await page.getByLabel("IP addresses").selectOption({ label: "Do not store them" });
    await page.getByLabel("Try it").fill('{"extra":{"patientId":"x17","note":"of order-12","kept":"kettle"},"message":"token=abc"}');
    await follow(page, page.getByRole("button", { name: "Try", exact: true }));
    const tried = page.locator("#try [role=status]");
    await person.reads(tried, "3 found", "the result of the try");
    await person.reads(tried, "kettle", "what stays");
    if ((await tried.innerText()).includes("x17")) person.problem("the try shows what should be gone");
    await checked("the try");

    await follow(page, page.getByRole("button", { name: "Save" }));
    await person.reads(page.getByRole("status"), "Saved.", "the notice");
    if ((await page.getByLabel("More secret names").inputValue()).trim() !== name) person.problem("the name was not saved");
    if ((await page.getByLabel("Try it").inputValue()) !== "") person.problem("the sample was kept");
  });
}

// readFiltered opens an event and reads what is left of its secrets.
export function readFiltered(tabs, { person: who, url, titles }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await page.goto(url);
    const text = await page.locator("main").innerText();
    for (const kept of titles) if (!text.includes(kept)) person.problem(`${kept} is missing`);
    if (text.includes("swordfish")) person.problem("a secret can be read");
    await person.reads(page.locator("mark.scrub-filtered"), "[Filtered]", "what stands for a secret");
    if (!who.plain) await findBarriers(page, {}, (barrier) => person.problem(`the event: ${barrier}`));
  });
}
