/** Names as people mean them: composed (NFC), without outer space, in lower case. */
export function plainName(name: string): string {
  return name.normalize("NFC").trim().toLowerCase();
}
