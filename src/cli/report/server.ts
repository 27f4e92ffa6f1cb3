import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize, sep } from "node:path";
import { UserError } from "../../pipeline/errors.js";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".webp": "image/webp",
  ".arrow": "application/vnd.apache.arrow.file",
  ".woff2": "font/woff2",
};

export interface SiteServer {
  /** `http://127.0.0.1:PORT/` */
  readonly address: string;
  close(): Promise<void>;
}

/** Serves a folder on 127.0.0.1 only. Port 0 takes any free one. */
export async function serveSite(folder: string, port: number): Promise<SiteServer> {
  const server = createServer((request, response) => {
    answer(folder, request.url ?? "/").then(
      (file) => {
        if (file === null) {
          response
            .writeHead(404, { "content-type": "text/plain; charset=utf-8" })
            .end("Not found\n");
          return;
        }
        response.writeHead(200, {
          "content-type": types[extname(file)] ?? "application/octet-stream",
          "cache-control": "no-cache",
          "x-content-type-options": "nosniff",
        });
        if (request.method === "HEAD") response.end();
        else
          createReadStream(file)
            .on("error", () => response.destroy())
            .pipe(response);
      },
      () => response.writeHead(400).end(),
    );
  });
  await listen(server, port);
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The file that a request means: never one outside the folder. */
async function answer(folder: string, url: string): Promise<string | null> {
  const path = normalize(
    join(folder, decodeURIComponent(new URL(url, "http://127.0.0.1").pathname)),
  );
  if (path !== normalize(folder) && !path.startsWith(normalize(folder + sep))) return null;
  for (const file of [path, join(path, "index.html"), `${path}.html`]) {
    if ((await stat(file).catch(() => null))?.isFile()) return file;
  }
  return null;
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const fixes: Record<string, string> = {
        EADDRINUSE: "choose another with --port, or --port 0 for any free one",
        EACCES: "choose a port from 1024 up",
      };
      const fix = fixes[error.code ?? ""];
      reject(
        fix === undefined
          ? error
          : new UserError({
              code: "port",
              message: `port ${port} cannot be had`,
              found: error.code ?? "",
              fix,
            }),
      );
    });
    server.listen(port, "127.0.0.1", () => resolve());
  });
}
