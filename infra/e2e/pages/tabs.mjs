// Pages that stay open between commands, so that nothing that goes wrong in one
// goes unseen.

const patience = 20_000; // milliseconds, for anything a page does on a busy machine

// Tabs has one page of each name: opening one costs more than all that is then
// done in it.
export class Tabs {
  #browser;
  #tabs = new Map();
  cookies = []; // of every tab but those of strangers

  constructor(browser) {
    this.#browser = browser;
  }

  // with calls use(page) with the page of that name and returns what use does.
  // A new page is opened with options and given to watch; what watch reports
  // goes to the problems of whoever uses the page at that time.
  async with(name, { options, watch, stranger }, problems, use) {
    let tab = this.#tabs.get(name);
    if (!tab) {
      const context = await this.#browser.newContext(options);
      context.setDefaultTimeout(patience);
      if (!stranger) await context.addCookies(this.cookies);
      tab = { page: await context.newPage() };
      this.#tabs.set(name, tab);
      watch(tab.page, (problem) => tab.problems.push(problem));
    }
    tab.problems = problems;
    return use(tab.page);
  }
}

// watch reports what no page of the dashboard may cause: errors and warnings on
// the console, violations of the Content-Security-Policy among them, exceptions,
// and requests without a good answer.
export function watch(page, report) {
  const at = () => pathname(page.url());
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) report(`${at()}: the console says: ${message.text()}`);
  });
  page.on("dialog", (dialog) => {
    report(`${at()}: a dialog says: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("pageerror", (error) => report(`${at()}: exception: ${error.message}`));
  watchRequests(page, report);
}

// watchRequests reports requests without a good answer.
export function watchRequests(page, report) {
  page.on("requestfailed", (request) => {
    if (request.failure()?.errorText === "net::ERR_ABORTED") return; // a download, or whoever reads has left
    report(`${request.method()} ${request.url()} failed: ${request.failure()?.errorText}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) {
      report(`${response.request().method()} ${response.url()} was answered with ${response.status()}`);
    }
  });
}

// follow clicks on what leads to another page and waits until that has loaded.
export async function follow(page, locator) {
  await Promise.all([page.waitForEvent("load"), locator.click()]);
}

// pathname is an address without its origin, for people.
export function pathname(url) {
  return URL.canParse(url) ? new URL(url).pathname : url;
}
