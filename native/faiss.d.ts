/** The Faiss part of the addon. */
export interface FaissAddon {
  readonly faiss?: unknown;
}
