// A program that reports one error, with secrets in all the places where programs have
// them but the source, which is reported too. It prints the event's id.
import * as Sentry from "@sentry/node";

const secret = (n) => ["sword", "fish-", n].join("");

Sentry.init({ dsn: process.env.SENTRY_DSN, sendDefaultPii: true });
const id = Sentry.withScope((scope) => {
  scope.setExtras({ password: secret(1), patientRecord: secret(2), body: JSON.stringify({ user: { api_key: secret(3) } }) });
  scope.setContext("payment", { card: "4111 1111 1111 1111", amount: "12.50" });
  scope.addBreadcrumb({ category: "http", message: `GET https://ada:${secret(4)}@example.com/?token=${secret(5)}` });
  return Sentry.captureException(new Error(`sign-in failed with password=${secret(6)} for order A-17`));
});
await Sentry.flush(5000);
console.log(id);
