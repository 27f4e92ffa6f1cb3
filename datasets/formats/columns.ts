/** Columns that grow, and tables from ids to rows: what a reader needs to fill typed arrays. */

/** A Float64 or Int32 column that grows. */
export class Column<A extends Float64Array | Int32Array | Uint8Array> {
  #data: A;
  readonly #make: (length: number) => A;
  length = 0;

  constructor(make: (length: number) => A, capacity: number) {
    this.#make = make;
    this.#data = make(capacity);
  }

  push(value: number): void {
    if (this.length === this.#data.length) this.#grow();
    this.#data[this.length++] = value;
  }

  pushFour(a: number, b: number, c: number, d: number): void {
    if (this.length + 4 > this.#data.length) this.#grow();
    const data = this.#data;
    const at = this.length;
    data[at] = a;
    data[at + 1] = b;
    data[at + 2] = c;
    data[at + 3] = d;
    this.length = at + 4;
  }

  /** The values so far: a view, not a copy. */
  view(): A {
    return this.#data.subarray(0, this.length) as A;
  }

  #grow(): void {
    const larger = this.#make(Math.max(16, Math.ceil(this.length * 1.5)));
    larger.set(this.#data);
    this.#data = larger;
  }
}

export const float64 = (n: number): Float64Array => new Float64Array(n);
export const int32 = (n: number): Int32Array => new Int32Array(n);
export const uint8 = (n: number): Uint8Array => new Uint8Array(n);

/**
 * From an id to an index: a flat table where ids are small and dense, as they commonly are, else a
 * Map.
 */
export class IdTable {
  readonly #flat: Int32Array | null;
  readonly #map: Map<number | string, number> | null;

  /** Ids must be distinct: the last of equal ones wins. */
  constructor(ids: readonly (number | string)[]) {
    let largest = 0;
    for (const id of ids)
      largest =
        typeof id === "number" && Number.isInteger(id) && id >= 0
          ? Math.max(largest, id)
          : Infinity;
    if (largest <= 1_000_000 + 4 * ids.length) {
      this.#flat = new Int32Array(largest + 1).fill(-1);
      this.#map = null;
      ids.forEach((id, index) => {
        (this.#flat as Int32Array)[id as number] = index;
      });
    } else {
      this.#flat = null;
      this.#map = new Map(ids.map((id, index) => [id, index]));
    }
  }

  /** -1 where there is none. */
  indexOf(id: number | string): number {
    if (this.#flat) return typeof id === "number" ? (this.#flat[id] ?? -1) : -1;
    return (this.#map as Map<number | string, number>).get(id) ?? -1;
  }
}
