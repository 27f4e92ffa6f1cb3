/** One file of an archive; `type` is tar's: "2" a symbolic link, "3" a device. */
export interface TarMember {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly type?: string;
}

/** A ustar archive of these members, for tests. */
export function tarOf(members: readonly TarMember[]): Uint8Array {
  const parts = members.flatMap(({ name, bytes, type = "0" }) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write("0000644\0", 100);
    header.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("        ", 148);
    header.write(type, 156);
    header.write("ustar\x0000", 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}
