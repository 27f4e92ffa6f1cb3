export function methodologyPages(): { readonly name: string; readonly path: string }[];
export function methodologyPage(markdown: string): string;
