declare module "observablehq:stdlib" {
  interface File {
    json(): Promise<unknown>;
    arrayBuffer(): Promise<ArrayBuffer>;
  }
  export function FileAttachment(path: string): File;
}

declare module "npm:htl" {
  export function html(strings: TemplateStringsArray, ...values: unknown[]): HTMLElement;
  export const svg: {
    (strings: TemplateStringsArray, ...values: unknown[]): SVGElement;
    fragment(strings: TemplateStringsArray, ...values: unknown[]): DocumentFragment;
  };
}
