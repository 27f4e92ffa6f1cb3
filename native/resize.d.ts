/** The resize part of the addon. Absent functions mean an addon that was built without it. */
export interface ResizeAddon {
  /**
   * Resizes a rectangle of an 8-bit RGB picture. `offset` and `stride` are bytes. `acrossFirst` and
   * `downFirst` hold the first source sample of each target column and row (from -2 on), the
   * weights 2 (linear) or 4 (cubic) numbers for each, in 1/2048. `out` takes targetWidth *
   * targetHeight * 3 bytes. Throws RangeError where any of this does not fit together.
   */
  readonly resizeToBytes?: (
    data: Uint8Array,
    offset: number,
    stride: number,
    width: number,
    height: number,
    targetWidth: number,
    targetHeight: number,
    acrossFirst: Int32Array,
    acrossWeights: Int16Array,
    downFirst: Int32Array,
    downWeights: Int16Array,
    out: Uint8Array,
  ) => void;
  /**
   * The same, each value replaced by `table[channel * 256 + value]` and written from `out[at]` on:
   * plane after plane, or interleaved; with blue as the first channel where `reversed`.
   */
  readonly resizeToTensor?: (
    data: Uint8Array,
    offset: number,
    stride: number,
    width: number,
    height: number,
    targetWidth: number,
    targetHeight: number,
    acrossFirst: Int32Array,
    acrossWeights: Int16Array,
    downFirst: Int32Array,
    downWeights: Int16Array,
    table: Float32Array,
    reversed: boolean,
    interleaved: boolean,
    out: Float32Array,
    at: number,
  ) => void;
}
