export interface Line {
  name: string;
  price: number;
  amount: number;
}

export class CartError extends Error {
  override name = "CartError";
}

export function totalOf(lines: Line[]): number {
  if (lines.length === 0) {
    throw new CartError("there is nothing in the cart");
  }
  return lines.reduce((sum, line) => sum + line.price * line.amount, 0);
}
