// A program that fails: `app.mjs handled` reports an error and lives on, `app.mjs
// attached` does so with files and feedback, `app.mjs unhandled` dies of one. Each event's id is printed as "event <id>".
import * as Sentry from "@sentry/node";

class StockError extends Error {
  name = "StockError";
}

const stock = { "blue-kettle": 2 };

function reserve(article, quantity) {
  const available = stock[article];
  if (quantity > available) {
    throw new StockError(`only ${available} of ${article} left`);
  }
}

function checkOut(order) {
  try {
    reserve(order.article, order.quantity);
  } catch (error) {
    throw new Error(`order ${order.number} cannot be checked out`, { cause: error });
  }
}

function renderInvoice(order) {
  const address = order.customer?.address;
  return address.street.toUpperCase();
}

// The SDK reads local variables in a worker that marks each thrown error. This
// waits for the worker, which an app that has just started fails without.
async function localVariables() {
  for (let tries = 0; tries < 100; tries++) {
    try {
      throw new Error("probe");
    } catch (probe) {
      if ("__SENTRY_ERROR_LOCAL_VARIABLES__" in probe) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the SDK's worker did not start within 5 seconds");
}

Sentry.setUser({ id: "4711", username: "jo", email: "jo@example.com" });
Sentry.setTag("shop", "north");
Sentry.addBreadcrumb({ category: "cart", message: "added blue-kettle to the cart", data: { quantity: 3 } });

const order = { number: 1001, article: "blue-kettle", quantity: 3 };

await localVariables();

switch (process.argv[2]) {
  case "handled":
    try {
      checkOut(order);
    } catch (error) {
      Sentry.captureException(error);
    }
    if (!(await Sentry.flush(5000))) process.exitCode = 3;
    break;
  case "attached":
    Sentry.withScope((scope) => {
      scope.addAttachment({ filename: "cart.bin", data: Uint8Array.from({ length: 256 }, (_, i) => i) });
      scope.addAttachment({ filename: "../../empty.log", data: "" });
      const associatedEventId = Sentry.captureException(new StockError("the cart is reported"));
      scope.clearAttachments();
      Sentry.captureFeedback(
        { message: "The kettle <b>cannot</b> be ordered", name: "Jo", email: "jo@example.com", associatedEventId },
        { attachments: [{ filename: "shot.svg", data: '<svg onload="alert(1)"/>', contentType: "image/svg+xml" }] },
      );
    });
    if (!(await Sentry.flush(5000))) process.exitCode = 3;
    break;
  case "unhandled":
    setImmediate(() => renderInvoice(order));
    break;
  default:
    throw new Error("usage: app.mjs handled|attached|unhandled");
}
