/** What a replayed action waits for: a task without values of its own, settled synchronously as DurableTask's scheduler does. */

/** Settles once; whoever waits is called in order, at once. */
export class Cell {
  settled = false;
  failed = false;
  value: string | null = null;
  #waiters: (() => void)[] = [];

  settle(failed: boolean, value: string | null = null): void {
    if (this.settled) return;
    this.settled = true;
    this.failed = failed;
    this.value = value;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }

  whenSettled(waiter: () => void): void {
    if (this.settled) waiter();
    else this.#waiters.push(waiter);
  }
}

export function settledCell(): Cell {
  const cell = new Cell();
  cell.settle(false);
  return cell;
}

/** Settles when all have; failed if any is. */
export function all(cells: readonly Cell[]): Cell {
  const done = new Cell();
  let left = cells.length;
  if (left === 0) done.settle(false);
  for (const cell of cells) {
    cell.whenSettled(() => {
      if (--left === 0) done.settle(cells.some((c) => c.failed));
    });
  }
  return done;
}

/** Settles with the first, never failed. */
export function any(cells: readonly Cell[]): Cell {
  const done = new Cell();
  for (const cell of cells) cell.whenSettled(() => done.settle(false));
  return done;
}
