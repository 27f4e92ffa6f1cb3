import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveSite, type SiteServer } from "../../src/cli/report/server.js";

let folder = "";
let server: SiteServer;
let port = 0;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "served-"));
  const site = join(folder, "site");
  mkdirSync(join(site, "sub"), { recursive: true });
  writeFileSync(join(site, "index.html"), "home");
  writeFileSync(join(site, "sub", "page.html"), "page");
  writeFileSync(join(folder, "secret.txt"), "secret");
  symlinkSync(join(folder, "secret.txt"), join(site, "link.txt"));
  symlinkSync(folder, join(site, "up"));
  symlinkSync(join(site, "index.html"), join(site, "home.html"));
  server = await serveSite(site, 0);
  port = Number(new URL(server.address).port);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

function ask(
  path: string,
  { host = `127.0.0.1:${port}`, method = "GET" } = {},
): Promise<{ status: number; text: string; allow: string | undefined }> {
  return new Promise((resolve, reject) => {
    request({ port, host: "127.0.0.1", path, method, headers: { host } }, (response) => {
      let text = "";
      response.on("data", (part: Buffer) => (text += part.toString()));
      response.on("end", () =>
        resolve({ status: response.statusCode!, text, allow: response.headers.allow }),
      );
    })
      .on("error", reject)
      .end();
  });
}

describe("the report's server", () => {
  it("answers this machine by its three names", async () => {
    for (const name of ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
      expect(await ask("/", { host: `${name}:${port}` })).toMatchObject({ text: "home" });
    expect(await ask("/sub/page")).toMatchObject({ status: 200, text: "page" });
    expect(await ask("/home.html")).toMatchObject({ status: 200, text: "home" });
  });

  it.each(["evil.example", "evil.example:PORT", "localhost:1", "127.0.0.1.evil.example:PORT"])(
    "refuses the host %s, which a page elsewhere can take",
    async (host) => {
      const found = await ask("/", { host: host.replace("PORT", String(port)) });
      expect(found).toMatchObject({ status: 403 });
      expect(found.text).not.toContain("home");
    },
  );

  it.each(["/link.txt", "/up/secret.txt", "/../secret.txt", "/%2e%2e/secret.txt"])(
    "does not follow %s out of the site",
    async (path) => {
      expect(await ask(path)).toMatchObject({ status: 404 });
    },
  );

  it.each(["POST", "PUT", "DELETE", "OPTIONS"])("takes no %s for a GET", async (method) => {
    expect(await ask("/", { method })).toMatchObject({ status: 405, allow: "GET, HEAD" });
  });
});
