import type { Detection } from "../../pipeline/types.js";

/**
 * What a detector found in one picture, as float64 side by side: width and height of the picture,
 * then class, score, x0, y0, x1, y1 of each detection, coordinates in pixels. Kept as objects, the
 * detections of a data set fill the heap, and collecting garbage costs more than all else that the
 * harness does (bench/overhead.ts).
 */
export class PictureDetections {
  readonly numbers: Float64Array;

  private constructor(numbers: Float64Array) {
    this.numbers = numbers;
  }

  static of(detections: readonly Detection[], width: number, height: number): PictureDetections {
    const numbers = new Float64Array(2 + 6 * detections.length);
    numbers[0] = width;
    numbers[1] = height;
    let at = 2;
    for (const { classId, score, box } of detections) {
      numbers[at] = classId;
      numbers[at + 1] = score;
      numbers[at + 2] = box.x0;
      numbers[at + 3] = box.y0;
      numbers[at + 4] = box.x1;
      numbers[at + 5] = box.y1;
      at += 6;
    }
    return new PictureDetections(numbers);
  }

  /** From `bytes` of another, wherever they lie: entries of a log are not aligned. */
  static fromBytes(bytes: Uint8Array): PictureDetections {
    return new PictureDetections(new Float64Array(new Uint8Array(bytes).buffer));
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.numbers.buffer, this.numbers.byteOffset, this.numbers.byteLength);
  }

  get width(): number {
    return this.numbers[0]!;
  }

  get height(): number {
    return this.numbers[1]!;
  }

  get count(): number {
    return (this.numbers.length - 2) / 6;
  }

  /** In the order in which the detector gave them. */
  detections(): Detection[] {
    const { numbers } = this;
    return Array.from({ length: this.count }, (_, i): Detection => {
      const at = 2 + 6 * i;
      return {
        classId: numbers[at]!,
        score: numbers[at + 1]!,
        box: {
          x0: numbers[at + 2]!,
          y0: numbers[at + 3]!,
          x1: numbers[at + 4]!,
          y1: numbers[at + 5]!,
        },
      };
    });
  }
}
