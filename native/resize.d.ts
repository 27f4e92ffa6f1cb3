/** The resize part of the addon. */
export interface ResizeAddon {
  readonly resize?: unknown;
}
