// A page that fails in three ways, a button for each. DSN, RELEASE and
// ENVIRONMENT are put in by the bundler.
import * as Sentry from "@sentry/browser";

class StockError extends Error {
  name = "StockError";
}

const stock = { "blue-kettle": 2 };
const order = { number: 1001, article: "blue-kettle", quantity: 3 };
const sent = [];

Sentry.init({
  dsn: DSN,
  release: RELEASE,
  environment: ENVIRONMENT,
  beforeSend(event) {
    sent.push(event.event_id);
    return event;
  },
});
Sentry.setUser({ id: "4711", username: "jo", email: "jo@example.com" });
Sentry.setTag("shop", "north");
Sentry.addBreadcrumb({ category: "cart", message: "added blue-kettle to the cart", data: { quantity: 3 } });

function reserve(article, quantity) {
  const available = stock[article];
  if (quantity > available) {
    throw new StockError(`only ${available} of ${article} left`);
  }
}

function checkOut() {
  try {
    reserve(order.article, order.quantity);
  } catch (error) {
    throw new Error(`order ${order.number} cannot be checked out`, { cause: error });
  }
}

function renderInvoice() {
  const address = order.customer?.address;
  return address.street.toUpperCase();
}

async function saveCart() {
  throw new StockError("the cart cannot be saved");
}

function onClick(id, handler) {
  document.getElementById(id).addEventListener("click", handler);
}

onClick("handled", () => {
  try {
    checkOut();
  } catch (error) {
    Sentry.captureException(error);
  }
});
onClick("unhandled", () => renderInvoice());
onClick("rejection", () => {
  saveCart();
});

onClick("attached", () => {
  Sentry.withScope((scope) => {
    scope.addAttachment({ filename: "cart.bin", data: Uint8Array.from({ length: 256 }, (_, i) => i) });
    scope.addAttachment({ filename: "cart.html", data: "<script>alert(1)</script>", contentType: "text/html" });
    const associatedEventId = Sentry.captureException(new StockError("the cart is reported"));
    scope.clearAttachments();
    Sentry.captureFeedback({ message: "The kettle <b>cannot</b> be ordered", name: "Jo", email: "jo@example.com", associatedEventId });
  });
});

// For whoever drives the page: the events' ids, once they have arrived.
window.reported = async () => {
  if (!(await Sentry.flush(5000))) throw new Error("not everything was sent within 5 seconds");
  return sent;
};
