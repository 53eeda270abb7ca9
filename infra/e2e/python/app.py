"""A program that fails: `app.py handled` reports an error and lives on, `app.py
attached` does so with files and feedback, `app.py unhandled` dies of one. Each event's id is printed as "event <id>".

DSN, release and environment come from SENTRY_DSN, SENTRY_RELEASE and
SENTRY_ENVIRONMENT.
"""

import sys

import sentry_sdk
from sentry_sdk.envelope import Envelope, Item, PayloadRef


class StockError(Exception):
    pass


STOCK = {"blue-kettle": 2}


def reserve(article, quantity):
    available = STOCK[article]
    if quantity > available:
        raise StockError(f"only {available} of {article} left")


def check_out(order):
    try:
        reserve(order["article"], order["quantity"])
    except StockError as error:
        raise RuntimeError(f"order {order['number']} cannot be checked out") from error


def average_price(prices):
    total = sum(prices)
    return total / len(prices)


def report_attached():
    with sentry_sdk.new_scope() as scope:
        scope.add_attachment(bytes=bytes(range(256)), filename="cart.bin")
        scope.add_attachment(bytes=b"blue-kettle\n", filename="orders.txt", content_type="text/plain")
        event_id = sentry_sdk.capture_exception(StockError("the cart is reported"))
    # This SDK has no function for feedback; older ones sent it so.
    report = {"event_id": event_id, "name": "Jo", "email": "jo@example.com", "comments": "The kettle <b>cannot</b> be ordered"}
    envelope = Envelope(headers={"event_id": event_id}, items=[Item(PayloadRef(json=report), type="user_report")])
    sentry_sdk.get_client().transport.capture_envelope(envelope)
    sentry_sdk.flush(timeout=5)


def before_send(event, hint):
    print("event", event["event_id"], flush=True)
    return event


def main(mode):
    sentry_sdk.init(before_send=before_send)
    sentry_sdk.set_user({"id": "4711", "username": "jo", "email": "jo@example.com"})
    sentry_sdk.set_tag("shop", "north")
    sentry_sdk.add_breadcrumb(category="cart", message="added blue-kettle to the cart", data={"quantity": 3})

    if mode == "unhandled":
        average_price([])
    if mode == "attached":
        report_attached()
        return
    try:
        check_out({"number": 1001, "article": "blue-kettle", "quantity": 3})
    except RuntimeError as error:
        sentry_sdk.capture_exception(error)
    sentry_sdk.flush(timeout=5)


if __name__ == "__main__":
    main(sys.argv[1])
