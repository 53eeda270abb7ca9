// Set-up of @sentry/node, loaded before the app by `node --import`, as the SDK's
// guide wants it. DSN, release and environment come from SENTRY_DSN,
// SENTRY_RELEASE and SENTRY_ENVIRONMENT.
import { writeSync } from "node:fs";
import * as Sentry from "@sentry/node";

Sentry.init({
  includeLocalVariables: true,
  beforeSend(event) {
    // Not console.log: that would become a breadcrumb of the next event.
    writeSync(1, `event ${event.event_id}\n`);
    return event;
  },
});
