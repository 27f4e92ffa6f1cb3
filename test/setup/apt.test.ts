import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { deb822ToSource, oneLineToSource, sourceEntries } from "../../setup/apt.mjs";

describe("the machine's apt sources as sources of source packages", () => {
  it("one-line format: options kept but arch, comments and deb-src twins dropped", () => {
    expect(
      oneLineToSource(
        [
          "# deb http://old.example/debian bookworm main",
          "deb http://a.example/debian bookworm main contrib # a mirror",
          "deb-src http://a.example/debian bookworm main contrib",
          "deb [arch=amd64 signed-by=/k.gpg] http://b.example/debian bookworm-updates main",
          "deb [arch=amd64] http://c.example/debian bookworm main",
          "",
        ].join("\n"),
      ),
    ).toBe(
      [
        "deb-src http://a.example/debian bookworm main contrib",
        "deb-src [signed-by=/k.gpg] http://b.example/debian bookworm-updates main",
        "deb-src http://c.example/debian bookworm main",
        "",
      ].join("\n"),
    );
    expect(oneLineToSource("# nothing\n")).toBe("");
  });

  it(
    "deb822 format: each paragraph, keys and signatures kept; disabled ones and sources of " +
      "sources alone dropped",
    () => {
      expect(
        deb822ToSource(
          [
            "Types: deb",
            "# a comment",
            "URIs: http://a.example/debian",
            "Suites: bookworm bookworm-updates",
            "Components: main",
            "Architectures: amd64",
            "Signed-By: /usr/share/keyrings/k.gpg",
            "",
            "Types: deb deb-src",
            "URIs: http://b.example/debian",
            "Suites: bookworm",
            "Components: main",
            "Signed-By:",
            " -----BEGIN PGP PUBLIC KEY BLOCK-----",
            " .",
            " abc",
            "",
            "Enabled: no",
            "Types: deb",
            "URIs: http://c.example/debian",
            "Suites: bookworm",
          ].join("\n"),
        ),
      ).toBe(
        [
          "Types: deb-src",
          "URIs: http://a.example/debian",
          "Suites: bookworm bookworm-updates",
          "Components: main",
          "Signed-By: /usr/share/keyrings/k.gpg",
          "",
          "Types: deb-src",
          "URIs: http://b.example/debian",
          "Suites: bookworm",
          "Components: main",
          "Signed-By:",
          " -----BEGIN PGP PUBLIC KEY BLOCK-----",
          " .",
          " abc",
          "",
        ].join("\n"),
      );
    },
  );

  it("reads both from where apt keeps them, and nothing else", async () => {
    const etc = await mkdtemp(join(tmpdir(), "shitu-apt-"));
    try {
      expect(sourceEntries(etc)).toEqual([]);
      await mkdir(join(etc, "sources.list.d"));
      await writeFile(join(etc, "sources.list"), "deb http://a.example/debian bookworm main\n");
      await writeFile(
        join(etc, "sources.list.d", "b.sources"),
        "Types: deb\nURIs: http://b.example/debian\nSuites: bookworm\nComponents: main\n",
      );
      await writeFile(
        join(etc, "sources.list.d", "c.list.disabled"),
        "deb http://c.example/debian bookworm main\n",
      );
      expect(sourceEntries(etc)).toEqual([
        { format: "list", text: "deb-src http://a.example/debian bookworm main\n" },
        {
          format: "sources",
          text:
            "Types: deb-src\nURIs: http://b.example/debian\nSuites: " +
            "bookworm\nComponents: main\n",
        },
      ]);
    } finally {
      await rm(etc, { recursive: true, force: true });
    }
  });
});
