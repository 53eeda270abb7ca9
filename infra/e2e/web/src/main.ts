// A page that fails where its cart is counted. What is in capitals is put in by the
// build.
import * as Sentry from "@sentry/browser";

import { totalOf, type Line } from "./cart";

declare const DSN: string;
declare const RELEASE: string;

const sent: string[] = [];

Sentry.init({
  dsn: DSN,
  release: RELEASE,
  environment: "e2e",
  beforeSend(event) {
    sent.push(event.event_id!);
    return event;
  },
});

function checkOut(lines: Line[]): void {
  document.title = `${totalOf(lines)} to pay`;
}

document.getElementById("checkout")!.addEventListener("click", () => checkOut([]));

// For whoever drives the page: the events' ids, once they have arrived.
Object.assign(window, {
  reported: async () => {
    if (!(await Sentry.flush(5000))) throw new Error("not everything was sent within 5 seconds");
    return sent;
  },
});
